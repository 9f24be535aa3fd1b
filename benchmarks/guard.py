"""What it costs to guard against NaN and infinity: the default settings beside no check at all."""

import gc
from typing import Any

from adamas.bench.peers import gradients, torch_optimizer, torch_sided
from adamas.bench.timing import Side
from benchmarks.few_bits import Given
from benchmarks.race import Race, race
from benchmarks.record import Plan, Section, compared, size_of
from benchmarks.shared import beside

ALLOW = ", allow"
MORE = 5  # times as many rounds: a bar of 2 % asks for more than others

# Whether parameters and gradients are bfloat16, and the state.
KINDS: dict[str, tuple[bool, str]] = {
    "float32": (False, "float32"),
    "bfloat16 state": (False, "bfloat16"),
    "int8 state": (False, "int8"),
    "bf16 p and g, int8 state": (True, "int8"),
}


def two(given: Given, half: bool, state: str) -> tuple[Any, Any]:
    """Two optimizers, the default one and `allow`, that step the same parameters and state."""
    from adamas.torch import AdamW

    values, grads = given.halves if half else given.tensors
    first = torch_optimizer(values, grads, AdamW, state=state)
    second = torch_optimizer(values, grads, AdamW, state=state, on_nonfinite="allow")
    beside(first, second)
    return first, second


def guard(plan: Plan) -> Section:
    """Default over `allow`, for the formats that most people use, in memory and in cache."""
    races = [_race(size, MORE * plan.rounds) for size in plan.sizes]
    return Section(
        "The guard",
        'AdamW of `adamas.torch` with default settings, beside `on_nonfinite="allow"`, which lets '
        "everything through, as torch does. Both step the same parameters with the same gradients, "
        f"and keep their state in the same tensors; {MORE} times as many rounds as elsewhere. This "
        "is the only section in which adamas runs with anything but its default finite check.",
        races,
        [
            compared(each, kind, kind + ALLOW, f"{kind}, {each.title}")
            for each in races
            for kind in KINDS
        ],
    )


def _race(size: int, rounds: int) -> Race:
    given = Given(gradients([size]))
    sides: dict[str, Side] = {}
    for kind, (half, state) in KINDS.items():
        sides[kind], sides[kind + ALLOW] = map(torch_sided, two(given, half, state))
    found = race(size_of(size), sides, [(kind, kind + ALLOW) for kind in KINDS], rounds, size)
    del sides, given
    gc.collect()
    return found
