"""What a word of the command line may be; argparse turns each error into one line."""

import argparse
from pathlib import Path

from adamas.lab.constants import MINIMUM_SEEDS, MOST_SEEDS, is_count, is_goal, is_share


def text(value: str) -> str:
    """Return a text that can be written to a file; argparse turns the error into one line."""
    if not value.strip() or "\0" in value:
        raise argparse.ArgumentTypeError(f"{value!r} is empty or holds a NUL; give a name or text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{value!r} is not UTF-8; give a text that is") from None
    return value


def path(value: str) -> Path:
    """Return a path; argparse turns the error into one line."""
    if not value.strip() or "\0" in value:
        raise argparse.ArgumentTypeError(f"{value!r} names no file or directory; give its name")
    return Path(value)


def loss(value: str) -> float:
    """Return a finite number above 0; argparse turns the error into one line."""
    try:
        found = float(value)
    except ValueError:
        found = 0.0
    if not is_goal(found):
        raise argparse.ArgumentTypeError(f"{value!r} is not a loss; give a finite number above 0")
    return found


def count(value: str) -> int:
    """Return a number of seeds or workers; argparse turns the error into one line."""
    if not value.isdecimal() or not is_count(int(value)):
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number from 1 to {MOST_SEEDS}")
    return int(value)


def share(value: str) -> float:
    """Return `2%` or `0.02` as 0.02; argparse turns the error into one line."""
    try:
        found = float(value.rstrip("% ")) / (100 if value.rstrip().endswith("%") else 1)
    except ValueError:
        found = -1.0
    if not is_share(found):
        raise argparse.ArgumentTypeError(f"{value!r} is not a share such as 2% or 0.02")
    return found


def seed_count(value: str) -> int:
    """Return the number of report seeds; argparse turns the error into one line."""
    try:
        found = int(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number") from None
    if not MINIMUM_SEEDS <= found <= MOST_SEEDS:
        raise argparse.ArgumentTypeError(
            f"{found} is not between {MINIMUM_SEEDS} and {MOST_SEEDS}; fewer seeds give no verdict"
        )
    return found


def mebi_count(value: str) -> int:
    """Return a size in Mi parameters; argparse turns the error into one line."""
    if not value.isdecimal() or not 1 <= int(value) <= 1 << 14:
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number from 1 to {1 << 14}")
    return int(value)
