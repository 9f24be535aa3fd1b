"""Updates to the least-squares line: the tutorial's data, each optimizer at its own learning rate.

An optimizer has arrived when its loss is within 1 % of the least-squares loss and stays there until
the end of the run. The first touch, which may be a flight through the goal, is tuned and reported
separately. SGD sees one sample an update, as the tutorial describes it; the others see all 100.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cache, partial
from math import inf
from statistics import median
from typing import Any, TypedDict

import numpy as np

from adamas.lab.problems import Problem
from adamas.lab.protocol.search import tune
from adamas.lab.trial import Record, finite, run
from adamas.lab.tuning import width
from adamas.lab.zoo.line import FULL, SINGLE, least_squares

CLOSE = 1.01
FORGIVING = 2.0
CURVE_POINTS = 120


class Curve(TypedDict):
    """How far a run's loss is above the least-squares loss, as a share of it, over its steps."""

    steps: list[int]
    excess: list[float | None]


class Entrant(TypedDict):
    """One optimizer's way to the line: medians over the report seeds, None for never.

    `steps` and `samples` count until the loss stays, `touch` until it is first reached, at a rate
    tuned for that. `forgiving` is the decades of lr within `FORGIVING` times the best.
    """

    lr: float
    at_edge: bool
    points: list[dict[str, Any]]
    forgiving: float
    arrivals: list[float | None]
    steps: float | None
    samples: float | None
    touch: float | None
    touch_lr: float
    curve: Curve


class Race(TypedDict):
    """All entrants; `order` names those that arrived, the first one first."""

    close: float
    forgiving: float
    horizon: int
    order: list[str]
    entrants: dict[str, Entrant]


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


def arrival(losses: Sequence[float], target: float) -> float:
    """Return the first index from which on every loss is at most `target`, infinite if none is.

    >>> arrival([9, 1, 9, 1, 1], target=2)
    3.0
    """
    outside = [i for i, loss in enumerate(losses) if not loss <= target]
    arrived = outside[-1] + 1 if outside else 0
    return float(arrived) if arrived < len(losses) else inf


def _goal() -> float:
    return CLOSE * least_squares()[1]


def _stays(record: Record) -> float:
    return arrival(record.losses, _goal())


def _touches(record: Record) -> float:
    return first_touch(record.losses, _goal())


def enter(
    name: str, grid: Sequence[float], tuning: Sequence[int], report: Sequence[int], steps: int
) -> Entrant:
    """Tune one entrant for either goal, run it on the report seeds; return its row."""
    problem, rule = ENTRANTS[name]
    # Both searches share their runs; without randomness every seed would repeat the same one.
    train = cache(partial(run, replace(problem, steps=steps), rule))
    if not problem.random:
        tuning, report = tuning[:1], report[:1]
    tuned = tune(train, grid, tuning, _stays)
    touch = tune(train, grid, tuning, _touches)
    records = [train(tuned.lr, seed) for seed in report]
    arrivals = [_stays(record) for record in records]
    typical = records[int(np.argsort(arrivals)[len(arrivals) // 2])]
    shown = thin(len(typical.losses))
    return {
        "lr": tuned.lr,
        "at_edge": tuned.at_edge,
        "points": [asdict(point) | {"score": finite(point.score)} for point in tuned.points],
        "forgiving": width(tuned.points, FORGIVING * tuned.best).decades,
        "arrivals": [finite(arrival) for arrival in arrivals],
        "steps": finite(median(arrivals)),
        "samples": finite(median(arrivals) * problem.batch),
        "touch": finite(median(_touches(train(touch.lr, seed)) for seed in report)),
        "touch_lr": touch.lr,
        "curve": {
            "steps": [typical.steps[i] for i in shown],
            "excess": [finite(typical.losses[i] / least_squares()[1] - 1) for i in shown],
        },
    }


def thin(length: int, count: int = CURVE_POINTS) -> list[int]:
    """Return about `count` indices below `length`, evenly spread on a log axis, with both ends.

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
) -> Race:
    """Run every entrant; `stage(name)` is called before each. Return the chapter's numbers."""
    rows = {}
    for name in ENTRANTS:
        stage(name)
        rows[name] = enter(name, grid, tuning, report, steps)
    arrived = {name: row["steps"] for name, row in rows.items() if row["steps"] is not None}
    return {
        "close": CLOSE,
        "forgiving": FORGIVING,
        "horizon": steps,
        "order": sorted(arrived, key=arrived.__getitem__),
        "entrants": rows,
    }
