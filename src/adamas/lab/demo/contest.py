"""The demo's comparisons: the lab's protocol on one problem, with what the demo's page adds to it.

Every search run is in full length and all optimizers get the same wide grid, because the page also
shows how far each one's learning rate may be off.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from adamas.lab.entrants import entrant
from adamas.lab.problems import Problem
from adamas.lab.protocol.plan import Plan, Size, declare
from adamas.lab.protocol.results import NEAR, plain, span, tree_of
from adamas.lab.protocol.runner import Runner
from adamas.lab.protocol.study import study
from adamas.lab.trial import RULES
from adamas.lab.tuning import Point

REFERENCE = "adam"
Tree = dict[str, Any]


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


def contest(problem: Problem, plan: Plan, stage: Callable[[str], None]) -> Tree:
    """Carry out the plan; `stage(name)` is told "search" and "report" as they begin.

    To the protocol's results each optimizer's row adds its comparison with Adam as `verdict` (None
    for Adam itself), and `width_bar`: how far lr may move until the score exceeds 1.1 times the
    worst optimizer's best, the same bar for all. Refined learning rates count in both widths.
    """
    found = study(plan, Runner(lambda: problem, problem.name), stage)
    tree = tree_of(found, problem)
    searched = {name: one_each(found.tuned[name].points) for name in RULES}
    lowest = {name: min(point.score for point in points) for name, points in searched.items()}
    bar = NEAR * max(lowest.values())
    verdicts = {one["optimizer"]: one for one in tree["comparisons"]}
    for name, row in tree["optimizers"].items():
        row["points"] = plain([asdict(point) for point in searched[name]])
        row["width"] = span(searched[name], NEAR * lowest[name])
        row["width_bar"] = span(searched[name], bar)
        row["verdict"] = verdicts.get(name)
    size = {"steps": problem.steps, "batch": problem.batch}
    return {**tree, "problem": problem.name, "bar": bar, **size}


def one_each(points: Sequence[Point]) -> list[Point]:
    """Return one point for each learning rate; where it was refined, that one.

    Both are full runs here, on different seeds.
    """
    chosen: dict[float, Point] = {}
    for point in points:
        if point.lr not in chosen or point.stage == "refine":
            chosen[point.lr] = point
    return [chosen[lr] for lr in sorted(chosen)]
