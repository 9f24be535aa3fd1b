"""The tutorial, run, checked and explained, and its page."""
