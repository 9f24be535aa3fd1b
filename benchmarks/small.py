"""Many small arrays and one tiny one, where calls cost more than arithmetic."""

from collections.abc import Sequence

import numpy as np

from adamas.lab.peers import (
    adamas_side,
    gradients,
    limit_side,
    numpy_side,
    optax_side,
    torch_side,
)
from adamas.lab.timing import Case, Side, take_turns
from benchmarks.record import Figure, Plan, Section
from benchmarks.sides import adamas_fresh_side, torch_fresh_side

# XLA compiles a loop for every shape, and takes minutes for a thousand of them.
MOST_SHAPES = 100
FRESH, TORCH_FRESH = "adamas, fresh gradients", "torch fused, fresh gradients"


def mixed(count: int = 1000) -> list[int]:
    """Sizes spread evenly on a logarithmic scale from 100 to 10,000, in random order."""
    sizes = np.geomspace(100, 10_000, count).astype(int)
    return [int(size) for size in np.random.default_rng(0).permutation(sizes)]


def many(plan: Plan) -> Section:
    """AdamW on hundreds of arrays at once."""
    shapes: dict[str, Sequence[int | tuple[int, ...]]] = {
        "300 x 4,096": [4096] * 300,
        "1,000 x 256": [256] * 1000,
        "1,000 mixed, 100 to 10,000": mixed(),
        "10 x (1000, 1000)": [(1000, 1000)] * 10,
    }
    cases = []
    for title, each in shapes.items():
        grads = gradients(each)
        cases.append(Case(title, take_turns(_sides(each), plan.rounds), sum(g.size for g in grads)))
    first = cases[0]
    figures = [
        Figure(f"adamas / torch fused, {first.title}", first.ratio("adamas", "torch fused"), 0.5),
        Figure(
            f"adamas / torch fused, fresh gradients, {first.title}",
            first.ratio(FRESH, TORCH_FRESH),
            0.5,
        ),
    ]
    return Section(
        "Many arrays",
        "AdamW in float32. Fresh gradients are new array objects at every step, as after a "
        "backward pass; adamas notices when they are the same as before. These arrays stay in the "
        "processor's caches, so the memory limit is the caches' here. optax is left out of the "
        "mixed case: XLA would compile a loop for each of hundreds of shapes.",
        cases,
        figures,
    )


def _sides(shapes: Sequence[int | tuple[int, ...]]) -> dict[str, Side]:
    grads = gradients(shapes)
    sides = {
        "adamas": adamas_side(grads),
        FRESH: adamas_fresh_side(grads),
        "adamas, no check": adamas_side(grads, on_nonfinite="allow"),
        "memory limit": limit_side(grads),
        "torch fused": torch_side(grads, fused=True),
        TORCH_FRESH: torch_fresh_side(grads),
        "torch foreach": torch_side(grads, foreach=True),
        "torch default": torch_side(grads),
        "NumPy tutorial": numpy_side(grads),
    }
    if len(set(shapes)) <= MOST_SHAPES:
        sides["optax jitted, donated"] = optax_side(grads)
    return sides


def tiny(plan: Plan) -> Section:
    """AdamW on one array of ten numbers."""
    sides = _sides([10])
    del sides["memory limit"]
    case = Case("10 parameters", take_turns(sides, plan.rounds), 10)
    return Section(
        "One tiny array",
        "AdamW in float32, many steps a sample; the call of the step and of the next fresh "
        "gradient are included.",
        [case],
        [
            Figure("same gradient array", 1e6 * case.median("adamas"), 5, "us"),
            Figure("fresh gradient array", 1e6 * case.median(FRESH), 5, "us"),
        ],
    )
