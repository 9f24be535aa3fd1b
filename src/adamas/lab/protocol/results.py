"""The numbers of a comparison as one tree of plain values; the report is made from it alone.

Nothing here depends on the time of day, the machine's speed or the number of workers, so that the
same plan gives the same bytes.
"""

from collections.abc import Sequence
from dataclasses import asdict
from math import inf, isfinite
from statistics import median
from typing import Any

import numpy as np

from adamas.lab.constants import CLASSICAL
from adamas.lab.entrants import entrant
from adamas.lab.own.loop import Loop, parameters
from adamas.lab.problems import About, Problem
from adamas.lab.protocol.best import best_so_far
from adamas.lab.protocol.comparing import compared, verdict
from adamas.lab.protocol.ends import ending
from adamas.lab.protocol.gains import worth_of
from adamas.lab.protocol.results_types import Results, WidthTree
from adamas.lab.protocol.study import Study
from adamas.lab.statistics.deciding import seeds_to_decide
from adamas.lab.statistics.moments import average
from adamas.lab.statistics.profiles import expected_best
from adamas.lab.statistics.ranges import loss_interval, metric_interval
from adamas.lab.text import words
from adamas.lab.trial import Record, finite
from adamas.lab.tuning import Point, Tuned, width

NEAR = 1.1
Tree = dict[str, Any]


def tree_of(study: Study, problem: Problem) -> Results:
    """Return the results of a study, without what takes further runs (`inside`, `doctor`)."""
    plan = study.plan
    goal, origin = goal_of(study)
    finals = {name: [record.final for record in study.report[name]] for name in plan.optimizers}
    found = {name: optimizer(study, name, goal) for name in plan.optimizers}
    comparisons = compared(finals, study, problem.random)
    needed = seeds_to_decide(comparisons, finals, plan.margin)
    tree: Results = plain(
        {
            "adamas": plan.version,
            "plan": plan.as_json(),
            "hash": plan.hash,
            "problem": described(problem),
            "optimizers": found,
            "target": {"value": finite(goal), "origin": origin},
            **({"looks": [asdict(look) for look in study.looks]} if study.looks else {}),
            "comparisons": [
                asdict(one) | {"seeds_to_decide": seeds and asdict(seeds)}
                for one, seeds in zip(comparisons, needed, strict=True)
            ],
            "verdict": verdict(comparisons, plan.references[0]),
            "best": best_so_far(study, problem.random),
            **alone(study, problem.random),
        }
    )
    return tree


def alone(study: Study, random: bool) -> Tree:
    """Return the comparisons at the rate alone, where more than that was searched."""
    if study.worth is None:
        return {}
    finals = {name: [record.final for record in runs] for name, runs in study.worth.alone.items()}
    return {"alone": [asdict(one) for one in compared(finals, study, random)]}


def described(problem: Problem) -> Tree:
    """Return what the report says of the problem."""
    title = {"en": problem.name, "zh": problem.name}
    about = problem.about or About(title, "own", title, words("own.unnamed_loss"))
    shown = asdict(about)
    return {
        "name": problem.name,
        "random": problem.random,
        "parameters": parameters(problem),
        **{key: shown[key] for key in sorted(shown)},
        **({"loop": True} if isinstance(problem, Loop) else {}),
    }


def optimizer(study: Study, name: str, goal: float) -> Tree:
    """Return one optimizer's part of the tree."""
    plan, tuned, records = study.plan, study.tuned[name], study.report[name]
    finals = [record.final for record in records]
    untuned = [record.final for record in study.default[name]]
    scores = [point.score for point in tuned.points if point.stage != "refine"]
    arrivals = [reached(record, goal) for record in records]
    own, other = loss_interval(finals), loss_interval(untuned)
    # The default is told beside the rate tuned alone; the rest has a chapter of its own.
    rate = [record.final for record in study.worth.alone[name]] if study.worth else finals
    beside = loss_interval(rate).mean
    more: Tree = {"worth": worth_of(study, study.worth, name)} if study.worth else {}
    if (batch := entrant(name).course.batch) is not None:
        more["batch"] = batch
    return {
        "lr": study.worth.found[name].setting[0] if study.worth else tuned.lr,
        "lrs": [record.lr for record in records],
        "at_edge": tuned.at_edge,
        "extended": tuned.extended,
        "points": [asdict(point) | {"score": finite(point.score)} for point in tuned.points],
        "width": decades(tuned),
        "finals": [finite(final) for final in finals],
        "diverged": sum(record.diverged for record in records),
        "ends": [ending(record) for record in records],
        "lasted": [record.steps[-1] for record in records],
        "interval": plain(asdict(own)),
        "extras": metrics(records),
        "curve": curve(records),
        "target": {
            "reached": sum(isfinite(step) for step in arrivals),
            "of": len(arrivals),
            "median": finite(median(arrivals)),
            "steps": [finite(step) for step in arrivals],
        },
        "default": {
            "lr": plan.defaults[name],
            "finals": [finite(final) for final in untuned],
            "diverged": sum(record.diverged for record in study.default[name]),
            "ends": [ending(record) for record in study.default[name]],
            "interval": plain(asdict(other)),
            "penalty": finite(other.mean / beside) if beside and isfinite(beside) else None,
        },
        "best_of": [finite(expected_best(scores, k + 1)) for k in range(len(scores))],
        "kind": entrant(name).kind,
        "asks": entrant(name).asks,
        "runs": runs_of(study, name),
        **more,
    }


def runs_of(study: Study, name: str) -> int:
    """Return how many runs an optimizer had; a judged run that serves two questions is one."""
    points, judged = list(study.tuned[name].points), [*study.report[name], *study.default[name]]
    if study.worth is None:
        return sum(point.runs for point in points) + len(judged)
    points += [one.point for one in study.worth.found[name].candidates]
    judged += study.worth.alone[name]
    judged += [record for runs in study.worth.without[name].values() for record in runs]
    distinct = {(record.lr, record.further, record.seed) for record in judged}
    return sum(point.runs for point in points) + len(distinct)


def decades(tuned: Tuned) -> WidthTree | None:
    """Return how far lr may move until the grid's score is 10 % above its best."""
    points = [point for point in tuned.points if point.stage != "refine"]
    best = min(point.score for point in points)
    return span(points, NEAR * best) if best > 0 else None


def span(points: Sequence[Point], limit: float) -> WidthTree:
    """Return how far lr may move until the score exceeds `limit`, with the number of decades."""
    found = width(points, limit)
    tree: WidthTree = plain(asdict(found) | {"decades": found.decades})
    return tree


def metrics(records: Sequence[Record]) -> Tree:
    """Return every extra's mean with its interval."""
    keys = sorted(set.intersection(*(set(record.extras) for record in records)))
    return {
        key: plain(asdict(metric_interval(key, [r.extras[key] for r in records]))) for key in keys
    }


def curve(records: Sequence[Record]) -> Tree:
    """Return the mean loss with its interval at each evaluation that every run reached."""
    length = min(len(record.steps) for record in records)
    columns = [[record.losses[i] for record in records] for i in range(length)]
    found = [loss_interval(column) for column in columns]
    train = [average(record.train[i] for record in records) for i in range(length)]
    return {
        "at": list(records[0].steps[:length]),
        **{end: [finite(getattr(one, end)) for one in found] for end in ("mean", "low", "high")},
        "train": [finite(value) for value in train],
    }


def goal_of(study: Study) -> tuple[float, str]:
    """Return the loss that counts as arrived: the user's, or the worst tuned optimizer's mean.

    Of the classical four only, if they take part, so that a newcomer cannot move the goal. An
    optimizer that failed sets none.
    """
    plan = study.plan
    if plan.goal is not None:
        return plan.goal, "user"
    names = [name for name in CLASSICAL if name in study.report] or list(study.report)
    means = [average(record.final for record in study.report[name]) for name in names]
    known = [value for value in means if isfinite(value)]
    return max(known, default=inf), "classical"


def reached(record: Record, goal: float) -> float:
    """Return the first evaluated step whose loss is at most `goal`, infinite if there is none."""
    pairs = zip(record.steps, record.losses, strict=True)
    return next((float(step) for step, loss in pairs if loss <= goal < inf), inf)


def plain(value: Any) -> Any:
    """Return the tree with tuples as lists and None for every number that JSON lacks."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return value if not isinstance(value, float) or isfinite(value) else None
