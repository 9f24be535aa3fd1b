"""A comparison that fits the user's time: fewer seeds and a narrower grid, and nothing dropped."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adamas.lab.needs import LabError
from adamas.lab.protocol.measure import Apart, seconds_for
from adamas.lab.protocol.plan import Plan, Size

UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "": 1.0}
# Extensions of a search, and report figures that take further runs, come on top of what is planned.
SPARE = 1.25
# What the time of the steps and the page take: seconds measured with two optimizers.
ENDING = 3.0
# Runs of each optimizer that are made once more to look inside; a second one where it went wrong.
LOOKED_AT = 2
LONGEST = 1e9  # a number of seconds, minutes or hours that nobody waits for

NOTHING_APART = Apart()


@dataclass(frozen=True)
class Fitted:
    """A plan with the seconds that it is expected to take, `after` of them after all runs."""

    plan: Plan
    seconds: float
    after: float = 0.0


def seconds_in(text: str) -> float:
    """Return a duration in seconds: `90`, `90s`, `5m`, `1.5h`.

    Raises `LabError` for anything else.

    >>> seconds_in("5m"), seconds_in("1.5h"), seconds_in("90")
    (300.0, 5400.0, 90.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)", text.strip())
    if not found or not 0 < float(found.group(1)) < LONGEST:
        raise LabError("error.budget_time", text=text)
    return float(found.group(1)) * UNITS[found.group(2)]


def fit(
    make: Callable[[Size], Plan], sizes: Sequence[Size], each: float, workers: int,
    budget: float | None, apart: Apart = NOTHING_APART,
) -> Fitted:  # fmt: skip
    """Return the plan of the first of `sizes`, with a budget the first that is expected to fit.

    `each` is the seconds of a full run, `apart` what is no run. Raises `LabError` with the time of
    the smallest plan when even that takes too long.
    """
    for candidate in sizes:
        plan = make(candidate)
        inside = LOOKED_AT * len(plan.optimizers) * (each + apart.drawing) / workers
        seconds = SPARE * seconds_for(plan, each, workers) + apart.whole(plan, workers) + inside
        if budget is None or seconds <= budget:
            return Fitted(plan, seconds, apart.fits(plan, workers) + inside + ENDING)
    runs = plan.costs()[0]
    if plan.looks:
        raise LabError("error.budget_looks", runs=runs, seconds=seconds)
    raise LabError("error.budget_small", runs=runs, seconds=seconds)
