"""Decide what a column is: numbers, dates (which become numbers), or texts."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from adamas.lab.own.dates import days
from adamas.lab.own.frame import Frame, Raw
from adamas.lab.own.identity import role
from adamas.lab.own.notes import Notes
from adamas.lab.own.numerals import POINT, Marks, as_numbers, unclear
from adamas.lab.problems import Array

# What stands where a value is missing, in lower case.
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "#n/a", "<na>", "?", "-"})
# A column is of numbers (or dates) if this share of its values are; the others count as missing.
ENOUGH = 0.95
# Nothing measured is larger, and the square of a larger number would overflow.
LARGEST = 1e100


@dataclass(frozen=True)
class ColumnReading:
    """What one column was read as: what a table with one row a column shows of it.

    `kind` is "number", "date" or "text". `missing` counts the rows without a value; `tokens` are
    the words that were taken for missing, the most frequent first. `notes` are the sentences about
    this reading, keys of `note.KEY`; `role` is what `identity.role` says of numbers and dates.
    """

    name: str
    kind: str
    missing: int = 0
    tokens: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    role: str | None = None


@dataclass(frozen=True)
class NumberColumn:
    """A column of float64, NaN where a value is missing."""

    reading: ColumnReading
    values: Array


@dataclass(frozen=True)
class TextColumn:
    """A column of texts: `codes` index `words`, the most frequent first; -1 is missing."""

    reading: ColumnReading
    codes: Array
    words: tuple[str, ...]


Column = NumberColumn | TextColumn


def read_columns(frame: Frame) -> dict[str, Column]:
    """Read all columns of a table, the target the last of them."""
    raws = {**frame.features, frame.target: frame.values}
    return {name: typed(name, raw, frame.notes, frame.marks) for name, raw in raws.items()}


def typed(name: str, raw: Raw, notes: Notes, file: Marks = POINT) -> Column:
    """Return a column as numbers or texts, and note every reading that is not the plain one."""
    column = _numbers(name, raw) or _read(name, raw, file)
    for key in column.reading.notes:
        tokens = column.reading.tokens
        shown = f"{name} ({tokens[0][:20]!r})" if key == "words" else name
        notes.column(key, shown)
    return column


def _numbers(name: str, raw: Raw) -> NumberColumn | None:
    """Return a column of plain numbers, or None."""
    if isinstance(raw, np.ndarray):
        return _number_column(ColumnReading(name, "number"), raw.astype(np.float64))
    if unclear(raw):
        return None
    try:
        values = np.array([float(v or "nan") for v in raw])
    except ValueError:
        return None
    return _number_column(ColumnReading(name, "number"), values)


def _read(name: str, raw: Raw, file: Marks) -> Column:
    present = {v: n for v, n in Counter(raw).items() if v.lower() not in MISSING}
    ways = {"number": lambda values: as_numbers(values, file), "date": days}
    deserved: tuple[str, ...] = ()
    for kind, way in ways.items():
        numbers, notes = way(present)
        if numbers and sum(present[v] for v in numbers) >= ENOUGH * sum(present.values()):
            others = sorted((v for v in present if v not in numbers), key=lambda v: -present[v])
            notes += ("words",) if others else ()
            reading = ColumnReading(name, kind, tokens=tuple(others), notes=deserved + notes)
            values = np.array([numbers.get(value, np.nan) for value in raw])
            return _number_column(reading, values)
        deserved += tuple(note for note in notes if note == "ambiguous")
    words = tuple(sorted(present, key=lambda word: (-present[word], word)))
    places = {word: place for place, word in enumerate(words)}
    codes = np.array([places.get(value, -1) for value in raw], np.int64)
    missing = int((codes < 0).sum())
    return TextColumn(ColumnReading(name, "text", missing, notes=deserved), codes, words)


def _number_column(reading: ColumnReading, values: Array) -> NumberColumn:
    """Return numbers with what only the values tell: what is missing, and what they number."""
    infinite = np.abs(values) > LARGEST
    if infinite.any():
        reading = replace(reading, notes=(*reading.notes, "infinite"))
        values[infinite] = np.nan
    missing = int(np.isnan(values).sum())
    told = role(values, reading.kind == "date")
    return NumberColumn(replace(reading, missing=missing, role=told), values)
