"""Which rows of a table are used: those with a target and a place, or a sample of them."""

from collections.abc import Mapping
from typing import Any

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


def mostly_absent(frame: Frame, column: Column, count: int, total: int) -> LabError:
    """Return the refusal of a target that is mostly missing or too large to be computed with."""
    told: dict[str, Any] = {"count": count, "total": total, "most": MOST_MISSING}
    told |= {"target": frame.target, "file": frame.name}
    if "infinite" in column.reading.notes:
        return LabError("error.target_large", **told)
    return LabError("error.target_missing", **told)


def used_rows(frame: Frame, columns: Mapping[str, Column], options: TableOptions) -> Array:
    """Return the rows that have a target and a group or time, in order; of them a sample if asked.

    Raises `LabError` if most targets are missing, too few rows are left, or fewer than asked for.
    """
    absent = missing(columns[frame.target])
    count, total = int(absent.sum()), len(absent)
    if count > MOST_MISSING * total:
        raise mostly_absent(frame, columns[frame.target], count, total)
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
