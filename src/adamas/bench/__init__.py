"""Measuring steps: the clock, the peers, and `adamas bench`."""
