"""Intervals, paired comparisons and performance profiles."""
