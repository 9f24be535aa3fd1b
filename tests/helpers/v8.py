"""A V8 with the script of the guide in it."""

import json
from functools import cache
from typing import Any

from py_mini_racer import MiniRacer

from adamas.learn.book import script


@cache
def engine() -> MiniRacer:
    """Return one V8 for all tests of a process."""
    context = MiniRacer()
    context.eval(script("en"))
    return context


def run(text: str) -> Any:
    """Return the value of a JavaScript expression as Python's own, every float64 exactly."""
    text = str(engine().eval(f"JSON.stringify({text})"))
    # JavaScript writes large float64 numbers without a point: they are no integers here.
    return json.loads(text, parse_int=float)
