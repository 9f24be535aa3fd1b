"""Numbers that several parts of the lab and its commands must agree on."""

MARGIN = 0.02
"""A difference that is a smaller part of the reference's mean does not matter, unless told."""
MINIMUM_SEEDS = 3
"""Fewer seeds give no verdict."""
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C stopped: 128 + SIGINT, as a shell reports it."""
