"""One run as a line of text, and back: a line that has been damaged is no run."""

import json
from math import isfinite
from typing import Any

from adamas.lab.trial import from_json


def line_of(tree: dict[str, Any]) -> bytes:
    """Return one run as a line; equal runs are equal bytes."""
    return json.dumps(tree, sort_keys=True, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def run_in(line: bytes) -> dict[str, Any] | None:
    """Return the run that a line holds, or None if it holds anything else."""
    try:
        tree = json.loads(line)
        if not isinstance(tree, dict) or not sound(tree):
            return None
        from_json(tree)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    return tree


def sound(tree: dict[str, Any]) -> bool:
    """Return whether every part of a run is of its kind; raises what a wrong kind raises."""
    texts = all(isinstance(tree[name], str) for name in ("key", "optimizer"))
    counts = all(type(count) is int for count in (tree["seed"], tree["steps"], *tree["at"]))
    series = tree["losses"], tree["train"]
    numbers = [value for values in series for value in values]
    numbers += [tree["final"], *tree["extras"].values()]
    return (
        texts
        and counts
        and type(tree["diverged"]) is bool
        and all(isinstance(values, list) for values in (tree["at"], *series))
        and 0 < len(tree["at"]) == len(tree["losses"]) == len(tree["train"])
        and all(value is None or number(value) for value in numbers)
        and number(tree["lr"])
        and all(isinstance(v, str) or number(v) for v in tree["further"].values())
    )


def number(value: Any) -> bool:
    """Return whether a value is a finite number."""
    return type(value) in (int, float) and isfinite(value)
