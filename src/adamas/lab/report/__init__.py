"""The report of a comparison: one HTML page from the results alone, and exports for papers."""
