"""Decide what a column is: numbers, dates (which become numbers), or texts."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from adamas.lab.own.dates import compact_days, days
from adamas.lab.own.frame import Frame, Given, Raw
from adamas.lab.own.identity import role
from adamas.lab.own.missing import ORDINARY, PERHAPS, SURE, WORDS
from adamas.lab.own.notes import Notes
from adamas.lab.own.numerals import EITHER, POINT, Marks, Reading, as_numbers, unclear
from adamas.lab.own.packed_texts import BETWEEN, Texts
from adamas.lab.own.telling import tell
from adamas.lab.problems import Array

# A column is of numbers (or dates) if this share of its values are; the others count as missing.
ENOUGH = 0.95
# Or if half of them are, and the others are so few words, for each of which there are ten different
# numbers or more, that they say why there is none.
MOSTLY, FEW_WORDS, NUMBERS_FOR_A_WORD = 0.5, 5, 10
# Nothing measured is larger, and the square of a larger number would overflow.
LARGEST = 1e100
SHOWN_WORDS = 3


@dataclass(frozen=True)
class ColumnReading:
    """What one column was read as: what a table with one row a column shows of it.

    `kind` is "number", "percent", "currency", "date" or "text", and `unit` what stands beside its
    numbers. `missing` counts the rows without a value, and `tokens` are the words that were taken
    for missing, the most frequent first. `notes` are the sentences about this reading, keys of
    `note.KEY`; `role` is what `identity.role` says of numbers and dates.
    """

    name: str
    kind: str
    missing: int = 0
    tokens: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    role: str | None = None
    unit: str = ""


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
    words: Sequence[str]


Column = NumberColumn | TextColumn


def read_columns(frame: Frame, group: str | None = None) -> dict[str, Column]:
    """Read all columns of a table, the target the last of them.

    A word that may be a value or stand for a missing one ("None", "-") is missing in a column of
    texts if it is so in a column of numbers or dates. The column `group` only names what rows are
    of, so its texts are left as they stand: 136A beside numbers is no missing value there.
    """
    given = {**frame.features, frame.target: frame.values}
    tried = {name: _tried(name, one, frame, group) for name, one in given.items()}
    tokens = [token.lower() for one, _ in tried.values() if one for token in one.reading.tokens]
    absent = SURE | (PERHAPS & {*tokens})
    columns: dict[str, Column] = {}
    for name, (numbers, notes) in tried.items():
        columns[name] = numbers or _apart(_texts(name, _raw(given[name]), absent, notes), frame)
        _note(columns[name], frame.notes)
    return columns


def _raw(given: Given) -> Raw:
    return given() if callable(given) else given


def _tried(
    name: str, given: Given, frame: Frame, group: str | None
) -> tuple[NumberColumn | None, tuple[str, ...]]:
    """Return a column as numbers, if it is of numbers, and what was noted of the trial."""
    tell("reading_column", file=frame.name, column=name)
    raw = _raw(given)
    if name == group and not isinstance(raw, np.ndarray):
        return None, ()
    numbers, notes = _numbers(name, raw, frame.marks)
    if numbers and frame.room:
        numbers = replace(numbers, values=frame.room.array(numbers.values))
        frame.room.let_go()
    return numbers, notes


def _apart(column: TextColumn, frame: Frame) -> TextColumn:
    """Return a column of a table that is too large for memory as it lies in the table's room.

    The words of a target become the names of its classes, one by one.
    """
    words, room = column.words, frame.room
    if room is None:
        return column
    if column.reading.name != frame.target and not any(BETWEEN in word for word in words):
        words = Texts(room)
        words.add(column.words)
    return replace(column, codes=room.array(column.codes), words=words)


def typed(name: str, raw: Raw, notes: Notes, file: Marks = POINT) -> Column:
    """Return a column that is read by itself, and note every reading that is not the plain one."""
    numbers, deserved = _numbers(name, raw, file)
    column = numbers or _texts(name, raw, SURE, deserved)
    _note(column, notes)
    return column


def _note(column: Column, notes: Notes) -> None:
    name, tokens = column.reading.name, column.reading.tokens
    words = {"words": [token for token in tokens if token.lower() not in ORDINARY]}
    if isinstance(column, TextColumn):
        words["values"] = [word for word in column.words if word.lower() in PERHAPS]
    for key in column.reading.notes:
        shown = ", ".join(repr(word[:20]) for word in words.get(key, [])[:SHOWN_WORDS])
        notes.column(key, f"{name} ({shown})" if shown else name)


def _numbers(name: str, raw: Raw, file: Marks) -> tuple[NumberColumn | None, tuple[str, ...]]:
    """Return a column as numbers or dates, or None and the notes of what was tried."""
    if isinstance(raw, np.ndarray):
        return _plain(name, raw.astype(np.float64)), ()
    if not unclear(raw):
        try:
            return _plain(name, _floats(raw)), ()
        except ValueError:
            pass
    if (commas := _decimal_commas(raw)) is not None:
        return _number_column(ColumnReading(name, "number", notes=("comma",)), commas), ()
    counts = Counter(raw)
    present = {text: count for text, count in counts.items() if text.lower() not in WORDS}
    deserved: tuple[str, ...] = ()
    for found in _readings(present, file):
        if _enough(found.values, present):
            tokens = tuple(t for t, _ in counts.most_common() if t and t not in found.values)
            odd = any(token.lower() not in ORDINARY for token in tokens)
            notes = (*found.notes, "words") if odd else found.notes
            told = ColumnReading(name, found.kind, tokens=tokens, notes=notes, unit=found.unit)
            values = np.fromiter((found.values.get(v, np.nan) for v in raw), np.float64, len(raw))
            return _number_column(told, values), ()
        deserved += tuple(note for note in found.notes if note == "ambiguous")
    return None, deserved


def _floats(raw: Raw) -> Array:
    """Return plain numbers, NaN where nothing stands; `ValueError` for any other text."""
    try:
        return np.fromiter(map(float, raw), np.float64, len(raw))
    except ValueError:
        return np.fromiter((float(text or "nan") for text in raw), np.float64, len(raw))


def _decimal_commas(raw: Sequence[str]) -> Array | None:
    """Return numbers of which all have a decimal comma or none, and one leaves no doubt, or None.

    This is `as_numbers` for the usual case, at a fifth of its cost.
    """
    if any("." in text for text in raw):
        return None
    if all(EITHER.fullmatch(text) for text in raw if "," in text):
        return None
    try:
        numbers = (float(text.replace(",", ".") or "nan") for text in raw)
        return np.fromiter(numbers, np.float64, len(raw))
    except ValueError:
        return None


def _readings(present: Mapping[str, int], file: Marks) -> Iterator[Reading]:
    yield as_numbers(present, file)
    yield days(present)


def _enough(numbers: Mapping[str, float], present: Mapping[str, int]) -> bool:
    """Return whether so many values are numbers that the others count as missing."""
    read, total = sum(present[text] for text in numbers), sum(present.values())
    words = len(present) - len(numbers)
    few = words <= FEW_WORDS and len(numbers) >= NUMBERS_FOR_A_WORD * words
    return bool(numbers) and read >= (MOSTLY if few else ENOUGH) * total


def _texts(name: str, raw: Raw, absent: Collection[str], notes: tuple[str, ...]) -> TextColumn:
    """Return a column as texts, of which some words count as missing."""
    counts = Counter(raw)
    absent = WORDS if all(text.lower() in WORDS for text in counts) else absent
    tokens = tuple(text for text, _ in counts.most_common() if text and text.lower() in absent)
    present = [text for text in counts if text.lower() not in absent]
    words = tuple(sorted(present, key=lambda word: (-counts[word], word)))
    places = {word: place for place, word in enumerate(words)}
    codes = np.fromiter((places.get(text, -1) for text in raw), np.int64, len(raw))
    notes += ("values",) if any(word.lower() in PERHAPS for word in words) else ()
    missing = int((codes < 0).sum())
    return TextColumn(ColumnReading(name, "text", missing, tokens, notes), codes, words)


def _plain(name: str, values: Array) -> NumberColumn:
    """Return numbers as such, or as the dates that all of them are."""
    days = compact_days(values)
    if days is None:
        return _number_column(ColumnReading(name, "number"), values)
    return _number_column(ColumnReading(name, "date", notes=("dates",)), days)


def _number_column(reading: ColumnReading, values: Array) -> NumberColumn:
    """Return numbers with what only the values tell: what is missing, and what they number."""
    infinite = np.abs(values) > LARGEST
    if infinite.any():
        reading = replace(reading, notes=(*reading.notes, "infinite"))
        values[infinite] = np.nan
    missing = int(np.isnan(values).sum())
    told = role(values, reading.kind == "date")
    return NumberColumn(replace(reading, missing=missing, role=told), values)
