"""Steps to the least-squares line: the tutorial's data, each optimizer at its own learning rate.

An optimizer has arrived when its loss is within 1 % of the least-squares loss and stays there for
100 further updates; merely flying through the optimum does not count. SGD sees one sample an
update, as the tutorial describes it; the others see all 100.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from math import inf, isfinite
from statistics import median
from typing import Any

import numpy as np

from adamas.lab.line import FULL, SINGLE, least_squares
from adamas.lab.problems import Problem
from adamas.lab.trial import Record, run
from adamas.lab.tuning import tune

CLOSE = 1.01
HOLD = 100
CURVE_POINTS = 120

# name in the report -> (problem, key of the rule)
ENTRANTS: dict[str, tuple[Problem, str]] = {
    "sgd": (SINGLE, "sgd"),
    "gd": (FULL, "sgd"),
    "momentum": (FULL, "momentum"),
    "rmsprop": (FULL, "rmsprop"),
    "adam": (FULL, "adam"),
}


def first_touch(losses: Sequence[float], target: float) -> float:
    """Return the first index whose loss is at most `target`, infinite if there is none."""
    return next((float(i) for i, loss in enumerate(losses) if loss <= target), inf)


def arrival(losses: Sequence[float], target: float, hold: int = HOLD) -> float:
    """Return the first index from which `hold` + 1 losses in a row are at most `target`.

    >>> arrival([9, 1, 9, 1, 1, 1, 9], target=2, hold=2)
    3.0
    """
    streak = 0
    for i, loss in enumerate(losses):
        streak = streak + 1 if loss <= target else 0
        if streak > hold:
            return float(i - hold)
    return inf


def _score(record: Record) -> float:
    return arrival(record.losses, CLOSE * least_squares()[1])


def enter(
    name: str, grid: Sequence[float], tuning: Sequence[int], report: Sequence[int], steps: int
) -> dict[str, Any]:
    """Tune one entrant, then run it on the report seeds; return its row of the report."""
    problem, rule = ENTRANTS[name]
    problem = replace(problem, steps=steps)
    # Without randomness every seed would repeat the same run.
    tuned = tune(problem, rule, grid, tuning if problem.random else tuning[:1], _score)
    seeds = report if problem.random else report[:1]
    records = [run(problem, rule, tuned.lr, seed) for seed in seeds]
    best = least_squares()[1]
    arrivals = [_score(record) for record in records]
    typical = records[int(np.argsort(arrivals)[len(arrivals) // 2])]
    shown = thin(len(typical.losses))
    return {
        "lr": tuned.lr,
        "at_edge": tuned.at_edge,
        "points": [asdict(point) for point in tuned.points],
        "arrivals": arrivals,
        "steps": median(arrivals),
        "touch": median(first_touch(record.losses, CLOSE * best) for record in records),
        "samples": median(arrivals) * problem.batch,
        "curve": {
            "steps": [typical.steps[i] for i in shown],
            "excess": [typical.losses[i] / best - 1 for i in shown],
        },
    }


def thin(length: int, count: int = CURVE_POINTS) -> list[int]:
    """Return about `count` indices below `length`, evenly spread on a log axis, 0 and last included.

    >>> thin(5)
    [0, 1, 2, 3, 4]
    """
    spread = np.unique(np.geomspace(1, max(length - 1, 1), count).round().astype(int))
    return [0, *(int(i) for i in spread if i < length)]


def race(
    grid: Sequence[float],
    tuning: Sequence[int],
    report: Sequence[int],
    steps: int,
    stage: Callable[[str], None],
) -> dict[str, Any]:
    """Run every entrant; `stage(name)` is called before each. Return the chapter's numbers."""
    rows = {}
    for name in ENTRANTS:
        stage(name)
        rows[name] = enter(name, grid, tuning, report, steps)
    order = sorted(rows, key=lambda name: rows[name]["steps"])
    arrived = [name for name in order if isfinite(rows[name]["steps"])]
    return {"close": CLOSE, "hold": HOLD, "horizon": steps, "order": arrived, "entrants": rows}
