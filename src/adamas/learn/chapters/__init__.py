"""The chapters of the guide, one module each: `chapter(say, draw)` returns a section's HTML."""
