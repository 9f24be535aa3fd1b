"""A plan with looks, run: studies side by side, until each comparison is decided or all are made.

Whether it goes on follows from the losses alone, so that neither workers nor a killed process nor
the time of day change where it ends.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from math import fsum, log10

from adamas.lab.protocol.plan import Plan
from adamas.lab.protocol.runner import Runner
from adamas.lab.protocol.study import Look, Study, study
from adamas.lab.statistics.moments import average
from adamas.lab.statistics.repeated import compare_at, spending
from adamas.lab.trial import Record
from adamas.lab.tuning import Point, Tuned, tidy


def in_looks(
    plan: Plan, runner: Runner, stage: Callable[[str], None], looked: Callable[[Plan, Look], None]
) -> Study:
    """Carry out `plan` up to the first look at which all is decided; `looked` is told each look."""
    if plan.looks is None:
        return study(plan, runner, stage)
    parts, made, looks = plan.parts(), list[Study](), list[Look]()
    for count, spent in zip(plan.looks, spending(plan.looks), strict=True):
        while sum(len(part.plan.report) for part in made) < count:
            made.append(study(parts[len(made)], runner, stage))
        found = joined(plan, made)
        looks.append(Look(count, spent, undecided(found, spent)))
        looked(plan, looks[-1])
        if not looks[-1].undecided:
            break
    return replace(found, looks=tuple(looks))


def undecided(found: Study, spent: float) -> tuple[str, ...]:
    """Return whose comparison with the first reference is not decided at a look."""
    plan = found.plan
    finals = {name: [record.final for record in runs] for name, runs in found.report.items()}
    compared = compare_at(finals, plan.references, spent, plan.margin)
    first = plan.references[0]
    return tuple(one.optimizer for one in compared if one.reference == first and one.word == "few")


def joined(plan: Plan, parts: list[Study]) -> Study:
    """Return several studies as one: the seeds of all, and what all searches tried."""
    return Study(
        plan,
        {name: pooled([part.tuned[name] for part in parts]) for name in plan.optimizers},
        {name: together(part.report[name] for part in parts) for name in plan.optimizers},
        {name: together(part.default[name] for part in parts) for name in plan.optimizers},
    )


def together(runs: Iterable[list[Record]]) -> list[Record]:
    """Return the records of several studies in their order."""
    return list(chain.from_iterable(runs))


def pooled(searches: list[Tuned]) -> Tuned:
    """Return several searches as one: each rate's mean score, and the mean of what they chose.

    The mean is that of logarithms. What else a search holds is the first one's.
    """
    if len(searches) == 1:
        return searches[0]
    tried: dict[tuple[float, str], list[Point]] = {}
    for point in chain.from_iterable(found.points for found in searches):
        tried.setdefault((point.lr, point.stage), []).append(point)
    points = [
        replace(
            same[0],
            score=average(chain.from_iterable([one.score] * one.runs for one in same)),
            runs=sum(one.runs for one in same),
            diverged=sum(one.diverged for one in same),
        )
        for _, same in sorted(tried.items(), key=lambda one: one[0])
    ]
    return replace(
        searches[0],
        lr=tidy(10 ** (fsum(log10(found.lr) for found in searches) / len(searches))),
        points=tuple(points),
        at_edge=any(found.at_edge for found in searches),
        extended=max(found.extended for found in searches),
        drawn=tuple(chain.from_iterable(found.drawn for found in searches)),
    )
