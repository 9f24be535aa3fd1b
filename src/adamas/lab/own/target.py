"""Decide what is to be predicted: one of a few classes, or a number."""

from dataclasses import dataclass

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.columns import Column, NumberColumn
from adamas.lab.own.frame import Frame, check_rows
from adamas.lab.own.options import TaskKind
from adamas.lab.problems import Array

# Rows whose class has no other row are left out up to this share of all.
SINGLE = 0.05
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


def decided(frame: Frame, column: Column, rows: Array, task: TaskKind | None = None) -> Target:
    """Return the target in the given rows, none of which lacks it.

    Without a `task`, whole numbers are classes if they are few. Raises `LabError` for a target that
    is constant, free text, or not of the task.
    """
    if isinstance(column, NumberColumn):
        values = column.values[rows]
        distinct = np.unique(values)
        if len(distinct) > 1 and (task == "regression" or not (task or few(distinct, len(rows)))):
            if task is None and whole(distinct):
                _note_amounts(frame, len(distinct))
            frame.notes.say("numbers", target=frame.target)
            return Target(rows, values)
        if len(distinct) > 1 and task is None:
            frame.notes.say("counted", target=frame.target)
        names = [f"{value:.17g}" for value in distinct]
        return _classes(frame, rows, np.searchsorted(distinct, values), names)
    if task == "regression":
        raise LabError(
            "error.task_texts", target=frame.target, file=frame.name, value=column.words[0][:40]
        )
    order = np.argsort(np.array(column.words, object), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    used = np.unique(rank[column.codes[rows]], return_inverse=True)
    return _classes(frame, rows, used[1], [column.words[order[i]] for i in used[0]])


def few(distinct: Array, rows: int) -> bool:
    """Return whether numbers are taken for classes: whole, few, and each in ten rows on average."""
    many = len(distinct) > WHOLE_CLASSES or rows < ROWS_PER_CLASS * len(distinct)
    return not many and whole(distinct)


def whole(values: Array) -> bool:
    """Return whether numbers have no decimals."""
    return bool(np.all(values == np.floor(values)))


def _note_amounts(frame: Frame, count: int) -> None:
    """Say why whole numbers are no classes, and how they become some."""
    limits = {"most": str(WHOLE_CLASSES), "each": str(ROWS_PER_CLASS)}
    frame.notes.say("amounts", target=frame.target, count=f"{count:,}", **limits)


def _classes(frame: Frame, rows: Array, values: Array, names: list[str]) -> Target:
    """Return a target of classes; a value that occurs once cannot be on both sides of a split."""
    counts = np.bincount(values, minlength=len(names))
    if len(names) == 1:
        raise LabError(
            "error.target_constant", target=frame.target, file=frame.name, value=names[0][:40]
        )
    single = counts[values] == 1
    kept = np.flatnonzero(counts > 1)
    if len(kept) > MOST_CLASSES or len(kept) < 2 or single.sum() > SINGLE * len(values):
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
