"""Which rows of a table are used: those with a target and a place, or a sample of them."""

from collections.abc import Mapping

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.columns import Column, NumberColumn
from adamas.lab.own.frame import Frame, check_rows
from adamas.lab.own.options import TableOptions
from adamas.lab.problems import Array, generator

# Rows without a target are left out while more have one: where most lack it, another column is
# likelier meant, and those that have it are a choice of rows that somebody made.
MOST_MISSING = 0.5
SAMPLE = 5  # the purpose of the random numbers that draw a sample, see `generator`


def too_large(frame: Frame, count: int, total: int) -> LabError:
    """Return the refusal of a target that is mostly beyond what can be computed with."""
    return LabError(
        "error.target_large",
        count=count,
        total=total,
        target=frame.target,
        file=frame.name,
        most=MOST_MISSING,
    )


def too_few(frame: Frame, count: int, total: int) -> LabError:
    """Return the refusal of a target that is mostly missing."""
    return LabError(
        "error.target_missing",
        count=count,
        total=total,
        target=frame.target,
        file=frame.name,
        most=MOST_MISSING,
    )


def used_rows(frame: Frame, columns: Mapping[str, Column], options: TableOptions) -> Array:
    """Return the rows that have a target and a group or time, in order; of them a sample if asked.

    Raises `LabError` if most targets are missing, too few rows are left, or fewer than asked for.
    """
    absent = missing(columns[frame.target])
    count, total = int(absent.sum()), len(absent)
    if count > MOST_MISSING * total:
        large = "infinite" in columns[frame.target].reading.notes
        raise too_large(frame, count, total) if large else too_few(frame, count, total)
    _left_out(frame, frame.target, "left_out", count, total)
    if options.placing is not None:
        nowhere = missing(columns[options.placing]) & ~absent
        _left_out(frame, options.placing, "unplaced", int(nowhere.sum()), total)
        absent |= nowhere
    rows = np.flatnonzero(~absent)
    check_rows(len(rows), frame.name)
    if options.rows is not None and options.rows > len(rows):
        raise LabError("error.rows_many", file=frame.name, rows=options.rows, found=len(rows))
    if options.rows is None or options.rows == len(rows):
        return rows
    said = {"count": f"{options.rows:,}", "rows": f"{len(rows):,}"}
    frame.notes.say("sample", **said)
    return np.sort(generator(0, SAMPLE).choice(rows, options.rows, replace=False))


def missing(column: Column) -> Array:
    """Return which rows have no value."""
    return np.isnan(column.values) if isinstance(column, NumberColumn) else column.codes < 0


def _left_out(frame: Frame, name: str, key: str, count: int, total: int) -> None:
    if count:
        frame.notes.say(key, count=f"{count:,}", rows=f"{total:,}", column=name)
