"""Whether a saved state goes on bit for bit, and what is lost where it does not."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from adamas.check.plan import CHOICES, Plan, joined, varied
from adamas.check.quiet import attempt, seeded
from adamas.check.running import Run, same_bits
from adamas.check.subject import Subject

HALF = 9


@dataclass(frozen=True)
class Resume:
    """`exact` is None where nothing could be saved, or loaded; `lost` is what differs then.

    `dtype` is that of the parameters: float32, and the widest where float32 goes on exactly.
    `apart` is the largest difference between a run that went through and one that was resumed,
    relative to the largest parameter, and `at` the step at which it first shows.
    """

    exact: bool | None
    dtype: str
    at: int = 0
    apart: float = 0.0
    lost: list[str] = field(default_factory=list)
    error: str = ""


def resume(subject: Subject, dtype: str) -> Resume:
    """Save at a step, load into a fresh optimizer of the same arguments, and go on in both."""
    found = [_in(subject, kind) for kind in dict.fromkeys(("float32", dtype))]
    failed = [one for one in found if one.exact is False]
    told = [one for one in found if one.exact is not None]
    return (failed or told or found)[0]


def _in(subject: Subject, dtype: str) -> Resume:
    for shapes in CHOICES:
        for given in (subject.telling(), {}):
            plan = varied(shapes)
            if not attempt(partial(subject.path, plan.steps(0, 1), dtype, **given))[1]:
                found, why = attempt(partial(_resumed, subject, plan, dtype, given))
                return found or Resume(None, dtype, error=why)
    return Resume(None, dtype, error="-")


def _resumed(subject: Subject, plan: Plan, dtype: str, given: dict[str, Any]) -> Resume:
    run, fresh = subject.run(**given), subject.run(**given)
    rest = plan.steps(HALF)
    with run.scope():
        seeded()
        run.start(plan.starts, dtype)
        run.onward(plan.steps(0, HALF))
        saved, half, before = run.save(), run.params(), _known(run)
        seeded()
        through = run.onward(rest)
        fresh.start(half, dtype)
        fresh.load(saved)
        after = _known(fresh)
        lost = [k for k, v in before.items() if not np.array_equal(after.get(k, np.nan), v)]
        seeded()
        again = fresh.onward(rest)
    pairs = list(zip(through, again, strict=True))
    at = next((i for i, (a, b) in enumerate(pairs, HALF + 1) if not same_bits(a, b)), 0)
    if not at:
        return Resume(True, dtype)
    one, other = (np.stack([joined(step) for step in path]) for path in (through, again))
    apart = float(np.abs(one - other).max()) / float(np.abs(one).max())
    return Resume(False, dtype, at, apart, sorted({name.rpartition(".")[2] for name in lost}))


def _known(run: Run) -> dict[str, Any]:
    dtypes = {f"{k} (dtype)": str(kind) for k, kind in run.state_dtypes().items()}
    return {**{k: np.array(v) for k, v in run.state().items()}, **run.inside(), **dtypes}
