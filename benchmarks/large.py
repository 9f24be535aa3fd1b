"""One large array: against every peer and the memory limit, and as it grows."""

import gc
from dataclasses import replace

from adamas.lab.peers import (
    adamas_side,
    gradients,
    limit_side,
    numpy_side,
    optax_side,
    torch_side,
)
from benchmarks.race import race
from benchmarks.record import MIB, Figure, Plan, Section, compared, size_of
from benchmarks.sides import loop_side, torch_huge_side

OURS, TORCH, HUGE = "adamas", "torch fused", "torch fused, huge pages"
LIMIT, LOOP = "memory limit, 28 B", "plain Numba loop, 28 B"
NUMPY = "NumPy tutorial"


def large(plan: Plan) -> Section:
    """AdamW, float32, one large array, all sides."""
    grads = gradients([plan.size])
    sides = {
        OURS: adamas_side(grads),
        TORCH: torch_side(grads, fused=True),
        HUGE: torch_huge_side(grads),
        LIMIT: limit_side(grads),
        LOOP: loop_side(grads),
        "torch foreach": torch_side(grads, foreach=True),
        "torch default": torch_side(grads),
        "optax jitted, donated": optax_side(grads),
        NUMPY: numpy_side(grads),
    }
    others = [name for name in sides if name not in (OURS, TORCH, HUGE)]
    pairs = [(OURS, TORCH), (OURS, HUGE), *((name, OURS) for name in others)]
    case = race(size_of(plan.size), sides, pairs, plan.rounds, plan.size)
    fastest = min((LIMIT, LOOP), key=lambda limit: case.ratio(limit, OURS))
    share = compared(case, fastest, OURS, "share of the memory limit")
    figures = [
        compared(case, OURS, TORCH, "adamas / torch fused"),
        compared(case, OURS, HUGE, "adamas / torch on huge pages"),
        replace(share, unit=""),
        compared(case, NUMPY, OURS, "NumPy tutorial / adamas"),
    ]
    return Section(
        "One large array",
        "AdamW in float32, default settings. The memory limit moves the same 28 bytes a parameter "
        "with one operation per array; the plain Numba loop does so without adamas, and the share "
        "counts from the faster of the two. NumPy asks the system for huge pages and torch does "
        "not; torch on NumPy's memory shows what that is worth. torch and optax check nothing.",
        [case],
        figures,
    )


def growth(plan: Plan) -> Section:
    """AdamW of adamas and torch, one array from 1 Mi to the largest that fits."""
    sizes, cases = [1, 4, 16, 64, 256, 512], []
    wanted = [size * MIB for size in sizes if size * MIB <= plan.largest] or [plan.largest]
    # The gradient twice, and parameter and two moments of each side.
    left_out = [size for size in wanted if 4 * size * 8 > plan.room]
    for size in [size for size in wanted if size not in left_out]:
        grads = gradients([size])
        sides = {OURS: adamas_side(grads), TORCH: torch_side(grads, fused=True)}
        cases.append(race(size_of(size), sides, [(OURS, TORCH)], plan.rounds, size))
        del sides, grads
        gc.collect()
    figures: list[Figure] = [
        compared(case, OURS, TORCH, f"adamas / torch fused at {case.title}") for case in cases
    ]
    missing = ", ".join(map(size_of, left_out))
    note = f" Left out, because memory did not hold them: {missing}." if missing else ""
    return Section(
        "Growth",
        f"AdamW in float32, one array; the smaller ones fit into a large server's caches.{note}",
        cases,
        figures,
    )
