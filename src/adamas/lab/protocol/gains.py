"""What tuning was worth, as plain values: by steps, and by single hyper-parameters."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import mean
from typing import Any

from adamas.lab.course import COURSE, Course
from adamas.lab.entrants import entrant
from adamas.lab.protocol.cube import AROUND, EDGE, Dimension
from adamas.lab.protocol.space import RATE, searchable
from adamas.lab.protocol.study import Study, Worth
from adamas.lab.protocol.wider import Wide
from adamas.lab.statistics.intervals import NOTHING, t_interval
from adamas.lab.statistics.paired import contrast, failures, in_percent
from adamas.lab.statistics.ranges import loss_interval
from adamas.lab.trial import Record, finite

Tree = dict[str, Any]


def worth_of(study: Study, worth: Worth, name: str) -> Tree:
    """Return what the search over more than the rate brought one optimizer."""
    found, alone, tuned = worth.found[name], worth.alone[name], study.report[name]
    dims = study.plan.search.dimensions[name] if study.plan.search else ()
    rates = study.tuned[name]
    return {
        "settings": dict(found.setting[1]),
        "drawn": [dict(further) for _, further in found.drawn],
        "candidates": candidates(found),
        "edges": edges(found, dims),
        "alone": {"lr": rates.lr, "lrs": list(rates.drawn), **judged(alone)},
        "gains": {
            "rate": change(study.default[name], alone),
            "rest": change(alone, tuned),
            "all": change(study.default[name], tuned),
        },
        "parts": [
            {"name": one.name, "default": default_of(name, one.name),
             **judged(worth.without[name][one.name]),
             **change(tuned, worth.without[name][one.name])}
            for one in dims
        ],
    }  # fmt: skip


def candidates(found: Wide) -> list[Tree]:
    """Return every setting that was tried, with its mean score."""
    return [
        {"lr": one.point.lr, "settings": dict(one.further), "score": finite(one.point.score),
         "runs": one.point.runs, "diverged": one.point.diverged, "stage": one.point.stage}
        for one in found.candidates
    ]  # fmt: skip


def edges(found: Wide, dims: Sequence[Dimension]) -> list[str]:
    """Return the names of what was chosen at an end of its range, the rate's own included."""
    chosen = dict(found.setting[1])
    named = [one.name for one in dims if one.name in chosen and one.at_edge(chosen[one.name])]
    inside = AROUND ** (2 * EDGE - 1) < found.multiple < AROUND ** (1 - 2 * EDGE)
    return named if inside else [RATE, *named]


def default_of(name: str, part: str) -> float | str | None:
    """Return what a hyper-parameter, or a part of the course, is unless told."""
    known = vars(Course()) if part in COURSE else searchable(entrant(name))
    value: float | str | None = known[part]
    return value


def judged(records: Sequence[Record]) -> Tree:
    """Return the final losses of the report seeds, with their mean."""
    finals = [record.final for record in records]
    lost = sum(record.diverged for record in records)
    each = [finite(final) for final in finals]
    return {"finals": each, "diverged": lost, "interval": asdict(loss_interval(finals))}


def change(before: Sequence[Record], after: Sequence[Record]) -> Tree:
    """Return what changed from some runs to others on the same seeds, nothing where one failed."""
    first, last = ([record.final for record in records] for records in (before, after))
    if failures(first) + failures(last):
        return {"difference": asdict(NOTHING), "percent": asdict(NOTHING)}
    found = t_interval(contrast(last, first))
    return {"difference": asdict(found), "percent": asdict(in_percent(found, mean(first)))}
