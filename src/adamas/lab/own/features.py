"""Turn typed columns into the numbers that a network sees, and note what was left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.columns import Column, NumberColumn, TextColumn
from adamas.lab.own.frame import FEWEST, Frame
from adamas.lab.own.notes import Notes
from adamas.lab.problems import Array

# A text column keeps its 20 most frequent values, if those that occur more than once are at least
# half of its rows.
KEPT_WORDS = 20
COVERED = 0.5
# 160 MB as read and 80 MB for each of two splits, in every worker process.
MOST_CELLS = 20_000_000


@dataclass(frozen=True)
class Made:
    """What one column became: how many inputs, or why none (`fate`, a key of `column_KEY`).

    `different` is the number of different texts, 0 for numbers.
    """

    inputs: int
    fate: str = ""
    different: int = 0


@dataclass(frozen=True)
class Features:
    """Inputs of a network, row by row.

    `numbers` (n, p) are float64 as in the file, NaN where missing; `flags` (n, q) are 0 or 1.
    `made` says which columns they come from.
    """

    numbers: Array
    flags: Array
    made: Mapping[str, Made] = field(default_factory=dict)


def encoded(frame: Frame, columns: Sequence[Column], rows: Array) -> Features:
    """Return the features of the given rows; refuse a table of which nothing is left.

    A number with missing values has a flag that says where. A text with two values is one flag,
    another one flag for each frequent value, one for the rest and one for missing. A single value
    that is missing in some rows is one flag.
    """
    numbers: list[Array] = []
    flags: list[Array] = []
    made: dict[str, Made] = {}
    for column in columns:
        if isinstance(column, NumberColumn):
            new, marks, fate = _of_numbers(column, rows, frame.notes)
            different = 0
        else:
            new, (marks, fate, different) = [], _of_texts(column, column.codes[rows], frame.notes)
        if frame.room:
            frame.room.let_go()
        made[column.reading.name] = Made(len(new) + len(marks), fate, different)
        numbers += new
        flags += marks
        width = len(numbers) + len(flags)
        if len(rows) * width > MOST_CELLS:
            sample = largest_sample(width * len(columns) // len(made))
            said = {"file": frame.name, "width": width, "rows": len(rows), "most": MOST_CELLS}
            raise LabError("error.cells", sample=sample, **said)
    if not numbers and not flags:
        raise LabError("error.no_columns", file=frame.name, notes=frame.notes.words())
    if numbers:
        frame.notes.say("standard", limit="10")
    matrices = _matrix(numbers, len(rows), np.float64), _matrix(flags, len(rows), np.float32)
    return Features(*matrices, made)


def _of_numbers(
    column: NumberColumn, rows: Array, notes: Notes
) -> tuple[list[Array], list[Array], str]:
    values = column.values[rows]
    missing = np.isnan(values)
    present = values[~missing]
    name, kind = column.reading.name, column.reading.role
    if not len(present):
        notes.column("empty", name)
        return [], [], "empty"
    if np.all(present == present[0]):
        if missing.any():
            notes.column("present", name)
            return [], [missing], "present"
        notes.column("constant", name)
        return [], [], "constant"
    if kind:
        notes.column(kind, name)
    if kind == "counter":
        return [], [], "counter"
    if not missing.any():
        return [values], [], ""
    notes.column("missing", name)
    return [values], [missing], ""


def _of_texts(column: TextColumn, codes: Array, notes: Notes) -> tuple[list[Array], str, int]:
    counts = np.bincount(codes + 1, minlength=len(column.words) + 1)
    words = np.flatnonzero(counts[1:])
    name, missing = column.reading.name, counts[0] > 0
    fate, marks = "", list[Array]()
    if not len(words):
        fate = "empty"
    elif len(words) == 1:
        fate, marks = ("present", [codes < 0]) if missing else ("constant", [])
    elif len(words) == 2 and not missing:
        return [codes == words[1]], "", 2
    elif _covered(counts[1:]) < COVERED * counts[1:].sum():
        fate = "many"
    else:
        frequent = words[np.argsort(-counts[1:][words], kind="stable")][:KEPT_WORDS]
        rest = [~np.isin(codes, [*frequent, -1])] if len(words) > KEPT_WORDS else []
        marks = [*(codes == word for word in frequent), *rest, *([codes < 0] if missing else [])]
    notes.column(fate or "one_hot", f"{name} ({len(words):,})" if fate == "many" else name)
    return marks, fate, len(words)


def _covered(counts: Array) -> int:
    top = np.sort(counts)[-KEPT_WORDS:]
    return int(top[top > 1].sum())


def largest_sample(width: int) -> int:
    """Return about how many rows of so many inputs are allowed, a round number.

    >>> largest_sample(300)
    60000
    """
    most = max(MOST_CELLS // width, FEWEST)
    unit = int(10 ** (len(str(most)) - 1))
    return most // unit * unit


def _matrix(columns: list[Array], rows: int, dtype: type) -> Array:
    found: Array = np.empty((rows, len(columns)), dtype)
    for place, column in enumerate(columns):
        found[:, place] = column
    return found
