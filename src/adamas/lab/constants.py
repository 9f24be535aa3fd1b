"""Numbers, names and limits that several parts of the lab and its commands must agree on."""

from math import inf

MARGIN = 0.02
"""A difference that is a smaller part of the reference's mean does not matter, unless told."""
MINIMUM_SEEDS = 3
"""Fewer seeds give no verdict."""
ALPHA = 0.05
"""The chance of a claim of a difference, anywhere, where there is none."""
MOST_SEEDS = 1000
"""More seeds, or processes, are a slip of the keyboard."""
REPORT_SEEDS = {"quick": 6, "default": 10, "rigorous": 20}
"""The seeds that judge in each mode."""
LAST_LOOK = 8
"""How many times the seeds of the first look `--until-decided` goes to, without other limits."""
DEMO_SEEDS = 10
"""The seeds that judge in the demo."""
CLASSICAL = ("sgd", "momentum", "rmsprop", "adam")
"""Who takes part unless told."""
REFERENCES = ("adam", "momentum")
"""Whom the others are compared with unless told."""
FIND_LR_FOR, FIND_LR_SEEDS = "adam", 3
"""Whose learning rate is found unless told, and on how many seeds."""
INTERRUPTED = 130
"""The exit code of a command that Ctrl-C stopped: 128 + SIGINT, as a shell reports it."""

SHOWN_WORSE, UNDECIDED = 3, 4
"""The exit codes of `--fail-if-worse`: shown to be worse by more, and not decided by these runs."""


def is_count(number: int) -> bool:
    """Return whether a number of seeds or processes is allowed."""
    return 1 <= number <= MOST_SEEDS


def is_goal(loss: float) -> bool:
    """Return whether a loss can be a goal."""
    return 0 < loss < inf


def is_share(number: float) -> bool:
    """Return whether a margin is allowed: a part of a loss, less than all of it."""
    return 0 <= number < 1
