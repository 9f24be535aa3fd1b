"""What it costs to guard against NaN and infinity: the default settings beside no check at all."""

import gc
from collections.abc import Callable
from functools import partial
from typing import Any

from adamas.lab.peers import adamas_bfloat16_side, adamas_side, gradients
from adamas.lab.timing import Side
from benchmarks.few_bits import Given
from benchmarks.race import Race, race
from benchmarks.record import Plan, Section, compared, size_of

ALLOW = ", allow"
MORE = 5  # times as many rounds: a bar of 2 % asks for more than others


def _wide(given: Given, **settings: Any) -> Side:
    return adamas_side(given.wide, **settings)


def _narrow(given: Given, **settings: Any) -> Side:
    return adamas_bfloat16_side(given.narrow, **settings)


KINDS: dict[str, Callable[..., Side]] = {
    "float32": _wide,
    "bfloat16 state": partial(_wide, state="bfloat16"),
    "int8 state": partial(_wide, state="int8"),
    "bf16 p and g, int8 state": partial(_narrow, state="int8"),
}


def guard(plan: Plan) -> Section:
    """Default over `allow`, for the formats that most people use, in memory and in cache."""
    races = [_race(size, MORE * plan.rounds) for size in plan.sizes]
    return Section(
        "The guard",
        'AdamW with default settings, beside `on_nonfinite="allow"`, which lets everything '
        f"through, as torch does; {MORE} times as many rounds as elsewhere. This is the only "
        "section in which adamas runs with anything but its default finite check.",
        races,
        [
            compared(each, kind, kind + ALLOW, f"{kind}, {each.title}")
            for each in races
            for kind in KINDS
        ],
    )


def _race(size: int, rounds: int) -> Race:
    given, sides = Given(gradients([size])), {}
    for kind, make in KINDS.items():
        sides[kind] = make(given)
        sides[kind + ALLOW] = make(given, on_nonfinite="allow")
    found = race(size_of(size), sides, [(kind, kind + ALLOW) for kind in KINDS], rounds, size)
    del sides, given
    gc.collect()
    return found
