"""Decide what a column is: numbers, dates (which become numbers), or texts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adamas.lab.own.dates import days
from adamas.lab.own.frame import Raw
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
class NumberColumn:
    """A column of float64, NaN where a value is missing; `days` says that they were dates."""

    name: str
    values: Array
    days: bool = False


@dataclass(frozen=True)
class TextColumn:
    """A column of texts: `codes` index `words`, the most frequent first; -1 is missing."""

    name: str
    codes: Array
    words: tuple[str, ...]


Column = NumberColumn | TextColumn


def typed(name: str, raw: Raw, notes: Notes, file: Marks = POINT) -> Column:
    """Return a column as numbers or texts, and note every reading that is not the plain one."""
    if isinstance(raw, np.ndarray):
        return NumberColumn(name, _finite(name, raw.astype(np.float64), notes))
    if not unclear(raw):
        try:
            return NumberColumn(
                name, _finite(name, np.array([float(v or "nan") for v in raw]), notes)
            )
        except ValueError:
            pass
    return _read(name, raw, notes, file)


def _read(name: str, raw: Sequence[str], notes: Notes, file: Marks) -> Column:
    present = {v: n for v, n in Counter(raw).items() if v.lower() not in MISSING}
    for reading in (lambda values: as_numbers(values, file), days):
        numbers, deserved = reading(present)
        if "ambiguous" in deserved:
            notes.column("ambiguous", name)
        if numbers and sum(present[v] for v in numbers) >= ENOUGH * sum(present.values()):
            for note in deserved:
                notes.column(note, name)
            if len(numbers) < len(present):
                other = next(value for value in present if value not in numbers)
                notes.column("words", f"{name} ({other[:20]!r})")
            values = np.array([numbers.get(value, np.nan) for value in raw])
            return NumberColumn(name, _finite(name, values, notes), "dates" in deserved)
    words = tuple(sorted(present, key=lambda word: (-present[word], word)))
    places = {word: place for place, word in enumerate(words)}
    return TextColumn(name, np.array([places.get(value, -1) for value in raw], np.int64), words)


def _finite(name: str, values: Array, notes: Notes) -> Array:
    infinite = np.abs(values) > LARGEST
    if infinite.any():
        notes.column("infinite", name)
        values[infinite] = np.nan
    return values
