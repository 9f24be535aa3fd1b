"""The demo's comparisons: the lab's protocol, and how wide the range of good learning rates is.

Every search run is in full length and all optimizers get the same wide grid, because the page also
shows how far each one's learning rate may be off.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any, TypedDict

from adamas.lab.entrants import entrant
from adamas.lab.problems import Problem
from adamas.lab.protocol.plan import Plan, Size, declare
from adamas.lab.protocol.results import NEAR, span, tree_of
from adamas.lab.protocol.results_types import Results, WidthTree
from adamas.lab.protocol.runner import Runner
from adamas.lab.protocol.study import study
from adamas.lab.trial import RULES
from adamas.lab.tuning import Point

REFERENCE = "adam"


class Ranges(TypedDict):
    """How far lr may move until the score exceeds 1.1 times the own best, and a bar for all.

    The bar is the best score of the weakest optimizer. Refined learning rates count in both.
    """

    own: WidthTree
    bar: WidthTree


def declared(problem: Problem, size: Size, grid: tuple[float, ...]) -> Plan:
    """Return the plan of the demo for one problem."""
    entrants = [entrant(name) for name in RULES]
    return declare(
        problem,
        {"text": problem.name},
        entrants,
        size,
        grids=dict.fromkeys(RULES, grid),
        references=(REFERENCE,),
        share=1.0,
    )


def contest(problem: Problem, plan: Plan, stage: Callable[[str], None]) -> Results:
    """Carry out the plan; `stage(name)` is told "search" and "report" as they begin."""
    return tree_of(study(plan, Runner(lambda: problem, problem.name), stage), problem)


def ranges(results: Results) -> dict[str, Ranges]:
    """Return the ranges of every optimizer of a contest."""
    rows = results["optimizers"].items()
    searched = {name: one_each([restored(one) for one in row["points"]]) for name, row in rows}
    best = {name: NEAR * min(point.score for point in found) for name, found in searched.items()}
    bar = max(best.values())
    return {
        name: {"own": span(found, best[name]), "bar": span(found, bar)}
        for name, found in searched.items()
    }


def restored(point: Mapping[str, Any]) -> Point:
    """Return a point as the search had it: its score is infinite where a run failed."""
    score = inf if point["score"] is None else point["score"]
    return Point(point["lr"], score, point["runs"], point["diverged"], point["stage"])


def one_each(points: Sequence[Point]) -> list[Point]:
    """Return one point for each learning rate, in rising order; where it was refined, that one.

    Both are full runs here, on different seeds. Refined rates are rounded, so that rates are one
    when they agree in five digits.
    """
    chosen: dict[str, Point] = {}
    for point in points:
        key = f"{point.lr:.4e}"
        if key not in chosen or point.stage == "refine":
            chosen[key] = point
    return sorted(chosen.values(), key=lambda point: point.lr)
