"""Arrays over time, on NumPy alone."""
