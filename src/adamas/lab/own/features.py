"""Turn typed columns into the numbers that a network sees, and note what was left out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.columns import Column, NumberColumn, TextColumn
from adamas.lab.own.frame import Frame
from adamas.lab.own.notes import Notes
from adamas.lab.problems import Array

# A text column keeps its 20 most frequent values, if those that occur more than once are at least
# half of its rows.
KEPT_WORDS = 20
COVERED = 0.5
# 160 MB as read and 80 MB for each of two splits, in every worker process.
MOST_CELLS = 20_000_000


@dataclass(frozen=True)
class Features:
    """Inputs of a network, row by row.

    `numbers` (n, p) are float64 as in the file, NaN where missing; `flags` (n, q) are 0 or 1.
    """

    numbers: Array
    flags: Array


def encoded(frame: Frame, columns: Mapping[str, Column], rows: Array) -> Features:
    """Return the features of the given rows; refuse a table of which nothing is left.

    A number with missing values has a flag that says where. A text with two values is one flag,
    another one flag for each frequent value, one for the rest and one for missing.
    """
    numbers: list[Array] = []
    flags: list[Array] = []
    for column in (columns[name] for name in frame.features):
        if isinstance(column, NumberColumn):
            new, marks = _of_numbers(column, rows, frame.notes)
        else:
            new, marks = [], _of_texts(column, column.codes[rows], frame.notes)
        numbers += new
        flags += marks
        _check_cells(len(rows), len(numbers) + len(flags), frame.name)
    if not numbers and not flags:
        raise LabError("error.no_columns", file=frame.name, notes=frame.notes.words())
    if numbers:
        frame.notes.say("standard", limit="10")
    return Features(_matrix(numbers, len(rows), np.float64), _matrix(flags, len(rows), np.float32))


def duplicates(features: Features, values: Array) -> int:
    """Count the rows that repeat an earlier one, the target included."""
    rows = zip(features.numbers, features.flags, values, strict=True)
    seen = {hash((x.tobytes(), flags.tobytes(), y)) for x, flags, y in rows}
    return len(values) - len(seen)


def _of_numbers(column: NumberColumn, rows: Array, notes: Notes) -> tuple[list[Array], list[Array]]:
    values = column.values[rows]
    missing = np.isnan(values)
    present = values[~missing]
    name, kind = column.reading.name, column.reading.role
    if not len(present):
        notes.column("empty", name)
        return [], []
    if np.all(present == present[0]):
        notes.column("constant", name)
        return [], []
    if kind:
        notes.column(kind, name)
    if kind == "counter":
        return [], []
    if not missing.any():
        return [values], []
    notes.column("missing", name)
    return [values], [missing]


def _of_texts(column: TextColumn, codes: Array, notes: Notes) -> list[Array]:
    counts = np.bincount(codes + 1, minlength=len(column.words) + 1)
    words = np.flatnonzero(counts[1:])
    name, missing = column.reading.name, counts[0] > 0
    if not len(words):
        notes.column("empty", name)
    elif len(words) == 1:
        notes.column("constant", name)
    elif len(words) == 2 and not missing:
        return [codes == words[1]]
    elif _covered(counts[1:]) < COVERED * counts[1:].sum():
        notes.column("many", f"{name} ({len(words):,})")
    else:
        notes.column("one_hot", name)
        frequent = words[np.argsort(-counts[1:][words], kind="stable")][:KEPT_WORDS]
        marks = [codes == word for word in frequent]
        rest = [~np.isin(codes, [*frequent, -1])] if len(words) > KEPT_WORDS else []
        return [*marks, *rest, *([codes < 0] if missing else [])]
    return []


def _covered(counts: Array) -> int:
    top = np.sort(counts)[-KEPT_WORDS:]
    return int(top[top > 1].sum())


def _check_cells(rows: int, width: int, file: str) -> None:
    if rows * width > MOST_CELLS:
        raise LabError("error.cells", file=file, width=width, rows=rows, most=MOST_CELLS)


def _matrix(columns: list[Array], rows: int, dtype: type) -> Array:
    found: Array = np.empty((rows, len(columns)), dtype)
    for place, column in enumerate(columns):
        found[:, place] = column
    return found
