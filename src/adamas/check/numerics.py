"""What an optimizer does in narrow dtypes, and with numbers that are not finite."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from adamas.check.hypers import argument
from adamas.check.plan import constant, varied
from adamas.check.quiet import attempt, seeded
from adamas.check.running import DTYPES
from adamas.check.subject import Subject

RATE, SLOW_STEPS = 1e-3, 40
SHAPES = ((4, 4), (3, 3))
# A share of the way below which a parameter is called stuck.
STUCK = 0.05


@dataclass(frozen=True)
class Dtype:
    """One dtype of parameters: what parameters (optax: updates) and states have after a step."""

    parameters: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True)
class Numerics:
    """`bfloat16` is the share of float32's way that parameters of bfloat16 went, or a reason.

    `zero_float16` says what a gradient of zeros makes of float16 parameters, and `nonfinite` what
    one NaN, and one inf, makes of the parameters.
    """

    dtypes: dict[str, Dtype]
    bfloat16: float | str
    zero_float16: str
    nonfinite: dict[str, str]


def numerics(subject: Subject, dtype: str) -> Numerics:
    """Run in every dtype, and with gradients that are zero, NaN and inf."""
    dtypes = {kind: attempt(partial(_dtype, subject, kind)) for kind in DTYPES}
    spoiled = {bad: attempt(partial(_spoiled, subject, dtype, bad))[0] for bad in ("nan", "inf")}
    return Numerics(
        {kind: found or Dtype(error=why) for kind, (found, why) in dtypes.items()},
        _moves(subject),
        attempt(partial(_zero, subject))[0] or "refused",
        {bad: found or "refused" for bad, found in spoiled.items()},
    )


def _dtype(subject: Subject, kind: str) -> Dtype:
    run, plan = subject.run(), varied(SHAPES).steps(0, 3)
    seeded()
    with run.scope():
        run.start(plan.starts, kind)
        run.onward(plan)
        return Dtype(sorted(run.param_dtypes()), run.moment_dtypes())


def _moves(subject: Subject) -> float | str:
    """The way of bfloat16 as a share of that of float32, from 1 down, where lr is 1e-3."""
    lr = argument(subject.defaults, "lr")
    if lr is None:
        return "rate"
    ways, plan = {}, constant(1.0, 1.0, SLOW_STEPS, SHAPES[:1])
    given = {lr: subject.given.get(lr, RATE)}
    for kind in ("float32", "bfloat16"):
        path, _ = attempt(partial(subject.path, plan, kind, **given))
        if path is None:
            return "refused"
        ways[kind] = float(np.mean(path[-1][0])) - 1.0
    # Four neighbours below 1, so that a way can be told from none.
    if not np.isfinite(ways["float32"]) or abs(ways["float32"]) < 4 * 2.0**-8:
        return "short"
    return ways["bfloat16"] / ways["float32"]


def _zero(subject: Subject) -> str:
    path = subject.path(constant(1.0, 0.0, 3, SHAPES[:1]), "float16")
    return "finite" if all(np.isfinite(step[0]).all() for step in path) else "nonfinite"


def _spoiled(subject: Subject, dtype: str, value: str) -> str:
    """How far one bad number in one gradient reaches: an element, a tensor, all; or no step."""
    run, plan = subject.run(), varied(SHAPES).steps(0, 8)
    seeded()
    with run.scope():
        run.start(plan.starts, dtype)
        run.onward(plan.steps(0, 2))
        before = run.params()
        bad = [g.copy() for g in plan.gradients[2]]
        bad[0][1, 2] = float(value)
        if attempt(lambda: run.step(bad))[1]:
            return "raises"
        after = run.params()
        return _reach(before, after, run.onward(plan.steps(3))[-1])


def _reach(before: list[Any], after: list[Any], later: list[Any]) -> str:
    lost = [~np.isfinite(p) for p in later]
    if lost[1].any():
        return "all"
    if lost[0].any():
        return "tensor" if lost[0].sum() > 1 else "element"
    if not all(np.isfinite(p).all() for p in after):
        return "passes"
    same = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    return "skipped" if same else "stays"
