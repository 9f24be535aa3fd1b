"""Decide what is to be predicted: one of a few classes, or a number."""

from dataclasses import dataclass

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.columns import Column, NumberColumn
from adamas.lab.own.frame import Frame, check_rows
from adamas.lab.problems import Array

# Rows without a target are left out up to this share; more would be another question.
LEFT_OUT = 0.05
# A target of whole numbers is taken as classes up to this many, if each has ten rows on average.
WHOLE_CLASSES = 20
ROWS_PER_CLASS = 10
MOST_CLASSES = 100


@dataclass(frozen=True)
class Target:
    """What is predicted from the rows `rows` of the file, one value for each of them.

    `values` are class numbers, int64, which index `classes`; or float64, and `classes` is empty.
    """

    rows: Array
    values: Array
    classes: tuple[str, ...] = ()


def decided(frame: Frame, column: Column) -> Target:
    """Return the target of a table; refuse one that is mostly missing, constant or free text."""
    rows = _present(frame, column)
    if isinstance(column, NumberColumn):
        values = column.values[rows]
        distinct = np.unique(values)
        few = len(distinct) <= WHOLE_CLASSES and len(values) >= ROWS_PER_CLASS * len(distinct)
        if len(distinct) > 1 and not (few and np.all(distinct == np.floor(distinct))):
            frame.notes.say("numbers", target=frame.target)
            return Target(rows, values)
        names = [f"{value:.17g}" for value in distinct]
        return _classes(frame, rows, np.searchsorted(distinct, values), names)
    order = np.argsort(np.array(column.words, object), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return _classes(frame, rows, rank[column.codes[rows]], [column.words[i] for i in order])


def _present(frame: Frame, column: Column) -> Array:
    """Return the rows that have a target."""
    bad = np.isnan(column.values) if isinstance(column, NumberColumn) else column.codes < 0
    count, total = int(bad.sum()), len(bad)
    if count > LEFT_OUT * total:
        raise LabError(
            "error.target_missing",
            count=count,
            total=total,
            target=frame.target,
            file=frame.name,
            most=LEFT_OUT,
        )
    if count:
        said = {"count": f"{count:,}", "rows": f"{total:,}", "target": frame.target}
        frame.notes.say("left_out", **said)
        check_rows(total - count, frame.name)
    return np.flatnonzero(~bad)


def _classes(frame: Frame, rows: Array, values: Array, names: list[str]) -> Target:
    """Return a target of classes; a value that occurs once cannot be on both sides of a split."""
    counts = np.bincount(values, minlength=len(names))
    if len(names) == 1:
        raise LabError(
            "error.target_constant", target=frame.target, file=frame.name, value=names[0][:40]
        )
    single = counts[values] == 1
    kept = np.flatnonzero(counts > 1)
    if len(kept) > MOST_CLASSES or len(kept) < 2 or single.sum() > LEFT_OUT * len(values):
        raise LabError(
            "error.target_classes",
            target=frame.target,
            file=frame.name,
            different=len(names),
            value=names[0][:40],
            single=int(single.sum()),
            most=MOST_CLASSES,
        )
    if single.any():
        frame.notes.say("rare", count=f"{int(single.sum()):,}", target=frame.target)
        check_rows(int((~single).sum()), frame.name)
    values = np.searchsorted(kept, values[~single])
    shares = counts[kept] / counts[kept].sum()
    frame.notes.say(
        "classes",
        target=frame.target,
        count=str(len(kept)),
        share=f"{shares.max():.1%}",
        loss=f"{-(shares * np.log(shares)).sum():.3f}",
    )
    return Target(rows[~single], values.astype(np.int64), tuple(names[i] for i in kept))
