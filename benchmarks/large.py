"""One large array: against every peer and the memory limit, and as it grows."""

import gc

from adamas.lab.peers import (
    adamas_side,
    gradients,
    limit_side,
    numpy_side,
    optax_side,
    torch_side,
)
from adamas.lab.timing import Case, take_turns
from benchmarks.record import MIB, Figure, Plan, Section
from benchmarks.sides import loop_side, torch_huge_side

LIMIT, CHECKED, LOOP = "memory limit, 28 B", "memory limit, 32 B", "plain Numba loop, 28 B"
ALLOW, HUGE = "adamas, no check", "torch fused, huge pages"
NUMPY = "NumPy tutorial"


def large(plan: Plan) -> Section:
    """AdamW, float32, one large array, all sides."""
    grads = gradients([plan.size])
    sides = {
        "adamas": adamas_side(grads),
        ALLOW: adamas_side(grads, on_nonfinite="allow"),
        LIMIT: limit_side(grads),
        CHECKED: limit_side(grads, "raise"),
        LOOP: loop_side(grads),
        "torch fused": torch_side(grads, fused=True),
        HUGE: torch_huge_side(grads),
        "torch foreach": torch_side(grads, foreach=True),
        "torch default": torch_side(grads),
        "optax jitted, donated": optax_side(grads),
        NUMPY: numpy_side(grads),
    }
    case = Case(_millions(plan.size), take_turns(sides, plan.rounds), plan.size)
    fastest = min((LIMIT, LOOP), key=case.median)
    figures = [
        Figure("adamas / torch fused", case.ratio("adamas", "torch fused"), 1.0, "x"),
        Figure("adamas without check / torch fused", case.ratio(ALLOW, "torch fused"), 1.0, "x"),
        Figure("adamas without check / torch on huge pages", case.ratio(ALLOW, HUGE), 1.0, "x"),
        Figure("share of the memory limit, 28 B", case.ratio(fastest, ALLOW), 0.93, "", True),
        Figure(
            "share of the memory limit, 32 B with check",
            case.ratio(CHECKED, "adamas"),
            0.93,
            "",
            True,
        ),
        Figure("NumPy tutorial / adamas", case.ratio(NUMPY, "adamas"), 15, "x", True),
    ]
    return Section(
        "One large array",
        "AdamW in float32. The finite check of adamas reads the gradient once more, 32 bytes a "
        "parameter instead of 28; torch and optax check nothing, and `on_nonfinite='allow'` does "
        "what they do. The memory limit moves the same bytes with one operation per array; the "
        "plain Numba loop does so without adamas, and the share counts from the faster of the two. "
        "NumPy asks the system for huge pages and torch does not; torch on NumPy's memory shows "
        "what that is worth.",
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
        sides = {"adamas": adamas_side(grads), "torch fused": torch_side(grads, fused=True)}
        cases.append(Case(_millions(size), take_turns(sides, plan.rounds), size))
        del sides, grads
        gc.collect()
    figures = [
        Figure(f"adamas / torch fused at {case.title}", case.ratio("adamas", "torch fused"))
        for case in cases
    ]
    missing = ", ".join(map(_millions, left_out))
    note = f" Left out, because memory did not hold them: {missing}." if missing else ""
    return Section(
        "Growth",
        f"AdamW in float32, one array; the smaller ones fit into a large server's caches.{note}",
        cases,
        figures,
    )


def _millions(size: int) -> str:
    return f"{size // MIB} Mi" if size % MIB == 0 else f"{size:,}"
