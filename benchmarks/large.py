"""One large array: against every peer and the memory limit, and as it grows."""

import gc
from dataclasses import replace

from adamas.bench.peers import gradients, numpy_side, optax_side, torch_side
from benchmarks.race import race
from benchmarks.record import MIB, Figure, Plan, Section, compared, size_of
from benchmarks.shared import Ground

OURS, TORCH, OWN = "adamas", "torch fused", "torch fused, as torch allocates"
LIMIT, LOOP = "memory limit, 28 B", "plain Numba loop, 28 B"
NUMPY = "NumPy tutorial"


def large(plan: Plan) -> Section:
    """AdamW, float32, one large array, all sides."""
    grads = gradients([plan.size])
    ground = Ground(grads)
    sides = {
        OURS: ground.adamas(),
        TORCH: ground.torch(fused=True),
        OWN: torch_side(grads, fused=True),
        LIMIT: ground.limit(),
        LOOP: ground.loop(),
        "torch foreach": ground.torch(foreach=True),
        "torch default": ground.torch(),
        "optax jitted, donated": optax_side(grads),
        NUMPY: numpy_side(grads),
    }
    others = [name for name in sides if name not in (OURS, TORCH, OWN)]
    pairs = [(OURS, TORCH), (OURS, OWN), *((name, OURS) for name in others)]
    case = race(size_of(plan.size), sides, pairs, plan.rounds, plan.size)
    fastest = min((LIMIT, LOOP), key=lambda limit: case.ratio(limit, OURS))
    share = compared(case, fastest, OURS, "share of the memory limit")
    figures = [
        compared(case, OURS, TORCH, "adamas / torch fused"),
        # Memory of NumPy is on huge pages: one ratio, and two bars that were set for it.
        compared(case, OURS, TORCH, "adamas / torch on huge pages"),
        compared(case, OURS, OWN, "adamas / torch as it allocates"),
        replace(share, unit=""),
        compared(case, NUMPY, OURS, "NumPy tutorial / adamas"),
    ]
    return Section(
        "One large array",
        "AdamW in float32, default settings. adamas, the memory limits and torch step the same "
        "arrays, which are NumPy's; NumPy asks the system for huge pages and torch does not, so "
        "torch fused is torch on huge pages here, and held to the bars of both. "
        f"`{OWN}` is torch on memory of its own, by chance a fast or a slow one. So is optax; the "
        "tutorial takes new memory for every operation. The memory limit moves the same 28 bytes a "
        "parameter and hardly computes; the plain Numba loop does so without adamas, and the share "
        "counts from the faster of the two. torch and optax check nothing.",
        [case],
        figures,
    )


def growth(plan: Plan) -> Section:
    """AdamW of adamas and torch, one array from 1 Mi to the largest that fits."""
    sizes, cases = [1, 4, 16, 64, 256, 512], []
    wanted = [size * MIB for size in sizes if size * MIB <= plan.largest] or [plan.largest]
    # Parameter, gradient and two moments, and what torch kept before it was given these.
    left_out = [size for size in wanted if 4 * size * 6 > plan.room]
    for size in [size for size in wanted if size not in left_out]:
        ground = Ground(gradients([size]))
        sides = {OURS: ground.adamas(), TORCH: ground.torch(fused=True)}
        cases.append(race(size_of(size), sides, [(OURS, TORCH)], plan.rounds, size))
        del sides, ground
        gc.collect()
    figures: list[Figure] = [
        compared(case, OURS, TORCH, f"adamas / torch fused at {case.title}") for case in cases
    ]
    missing = ", ".join(map(size_of, left_out))
    note = f" Left out, because memory did not hold them: {missing}." if missing else ""
    return Section(
        "Growth",
        "AdamW in float32, one array, the same for both; the smaller ones fit into a large "
        f"server's caches.{note}",
        cases,
        figures,
    )
