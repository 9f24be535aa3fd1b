"""Many small arrays and one tiny one, where calls cost more than arithmetic."""

from collections.abc import Iterable, Sequence

import numpy as np

from adamas.bench.peers import gradients, numpy_side, optax_side
from adamas.bench.timing import Side
from benchmarks.race import Pair, race
from benchmarks.record import Figure, Plan, Section, compared
from benchmarks.shared import Ground

# XLA compiles a loop for every shape, and takes minutes for a thousand of them.
MOST_SHAPES = 100
OURS, TORCH, LIMIT = "adamas", "torch fused", "memory limit"
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
        sides, size = _sides(each), sum(g.size for g in gradients(each))
        cases.append(race(title, sides, _pairs(sides), plan.rounds, size))
    first = cases[0]
    figures = [
        compared(first, OURS, TORCH),
        compared(
            first, FRESH, TORCH_FRESH, f"adamas / torch fused, fresh gradients, {first.title}"
        ),
    ]
    return Section(
        "Many arrays",
        "AdamW in float32. Fresh gradients are new array objects at every step, as after a "
        "backward pass; adamas notices when they are the same as before. adamas, the limit and "
        "torch step the same arrays, with fresh gradients another set. These arrays stay in the "
        "processor's caches, so the memory limit is the caches' here. optax is left out of the "
        "mixed case: XLA would compile a loop for each of hundreds of shapes.",
        cases,
        figures,
    )


def _sides(shapes: Sequence[int | tuple[int, ...]]) -> dict[str, Side]:
    grads = gradients(shapes)
    ground, fresh = Ground(grads), Ground(grads)
    sides = {
        OURS: ground.adamas(),
        FRESH: fresh.adamas_fresh(),
        TORCH: ground.torch(fused=True),
        TORCH_FRESH: fresh.torch_fresh(),
        LIMIT: ground.limit(),
        "torch foreach": ground.torch(foreach=True),
        "torch default": ground.torch(),
        "NumPy tutorial": numpy_side(grads),
    }
    if len(set(shapes)) <= MOST_SHAPES:
        sides["optax jitted, donated"] = optax_side(grads)
    return sides


def _pairs(sides: Iterable[str]) -> list[Pair]:
    barred = [(OURS, TORCH), (FRESH, TORCH_FRESH)]
    return [*barred, *((name, OURS) for name in sides if name not in sum(barred, ()))]


def tiny(plan: Plan) -> Section:
    """AdamW on one array of ten numbers."""
    sides = _sides([10])
    del sides[LIMIT]
    case = race("10 parameters", sides, _pairs(sides), plan.rounds, 10)
    return Section(
        "One tiny array",
        "AdamW in float32, many steps a sample; the call of the step and of the next fresh "
        "gradient are included.",
        [case],
        [
            Figure("same gradient array", 1e6 * case.median(OURS), "us"),
            Figure("fresh gradient array", 1e6 * case.median(FRESH), "us"),
        ],
    )
