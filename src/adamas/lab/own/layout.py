"""How the lines of a table of text are cut: what stands before it, its delimiter, its names.

- Before the table may stand Excel's `sep=;`, lines that begin with `#`, and titles, which have
  fewer fields than the table.
- The delimiter is the one that cuts the first lines most evenly; blanks are one if no other is,
  or only two and more of them where one may stand inside a value.
- Names that are one fewer than the fields of the rows belong to all but the first field, as R
  writes them.
- The first line is no names if it holds a number, or a text that occurs again below it, and no
  column of numbers begins with a word; unless the column to predict is in it.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from adamas.lab.own.missing import is_missing
from adamas.lab.own.notes import Notes

DELIMITERS = ",;\t|"
BLANKS, PADDING = " ", "  "  # any number of blanks, and at least two
SNIFFED = 200  # lines that everything here is guessed from
SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
PADDED = re.compile(r" {2,}")
LETTERS = re.compile(r"[^\W\d_]")
EXPONENT = re.compile(r"(?<=\d)[eE](?=[+-]?\d)")
YEARS = range(1800, 2101)
MOSTLY = 0.95
ROW_NAMES = "row.names"  # R's word


@dataclass(frozen=True)
class Layout:
    """How a text is cut: lines to pass over, then rows that hold no data, then rows of `names`."""

    skipped: int
    passed: int
    delimiter: str
    escape: str | None
    names: tuple[str, ...]
    numbered: bool = False


def laid_out(lines: Sequence[str], target: str | None, notes: Notes) -> Layout | None:
    """Return how a table that begins with these lines is cut, or None if they hold nothing.

    `target` is a name that the user expects. What is passed over, or assumed, is noted.
    """
    skipped, delimiter, comment = _before(lines)
    delimiter = delimiter or guessed_delimiter(lines[skipped:])
    rows = sample(lines[skipped:], delimiter)
    if not rows:
        return None
    width = _usual(rows)
    rows = [fitted(row, width) for row in rows]
    start = next(place for place, row in enumerate(rows) if len(row) == width)
    first, *below = [row for row in rows[start:] if len(row) == width]
    expected = target is not None and clean(target) in map(clean, first)
    above = rows[start - 1] if start else []
    if start and len(above) == width - 1 and not (expected or _evidence(first, below)[0]):
        names, titles, passed = _names_for_all_but_one(above, [first, *below]), start - 1, start
    elif expected or not looks_like_data(first, below):
        names, titles, passed = first, start, start + 1
    else:
        titled = sample([comment], delimiter)
        names = titled[0] if titled and len(titled[0]) == width else [""] * width
        titles, passed = start, start
    numbered = not any(names)
    _note(notes, names, titles)
    called = tuple(clean(name) or f"column{place}" for place, name in enumerate(names, 1))
    escape = escape_of(lines, delimiter)
    return Layout(skipped, passed, delimiter, escape, called, numbered)


def _names_for_all_but_one(above: list[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return names for the fields of rows that have one more: row names, or nothing at the end."""
    return [ROW_NAMES, *above] if any(row[-1] for row in rows) else [*above, ""]


def _note(notes: Notes, names: Sequence[str], titles: int) -> None:
    if names[0] is ROW_NAMES:
        notes.say("row_names", name=ROW_NAMES)
    if titles:
        notes.say("titles", count=str(titles))
    if not any(names):
        notes.say("no_names", last=f"column{len(names)}")


def clean(name: str) -> str:
    r"""Return a name on one line, without what cannot be seen.

    >>> clean(" price\n(EUR)")
    'price (EUR)'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())


def records(lines: Iterable[str], delimiter: str, escape: str | None) -> Iterator[list[str]]:
    """Return the rows of a text in which anything stands; blanks may be any number of them."""
    if delimiter == BLANKS:
        lines = (line.strip().replace("\t", " ") + "\n" for line in lines)
    elif delimiter == PADDING:
        lines, delimiter = (PADDED.sub("\t", line.strip()) + "\n" for line in lines), "\t"
    reader = csv.reader(lines, delimiter=delimiter, escapechar=escape, skipinitialspace=True)
    return (row for row in reader if any(row) and row != ["\x1a"])


def fitted(row: list[str], width: int) -> list[str]:
    """Return a row without empty fields beyond those that the table has."""
    return row[:width] if len(row) > width and not any(row[width:]) else row


def escape_of(lines: Iterable[str], delimiter: str) -> str | None:
    """Return the backslash if it keeps a quote inside its field, as R writes it."""
    inside = re.compile(rf'\\"[^{re.escape(delimiter)}\r\n"]')
    return "\\" if any(map(inside.search, lines)) else None


def sample(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Return the first rows; after an unclosed quote those before it."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        rows.extend(records(lines, delimiter, escape_of(lines, delimiter)))
    # The last lines may end within a field that has further ones.
    return rows[:-1] if len(lines) >= SNIFFED and len(rows) > 1 else rows


def guessed_delimiter(lines: Sequence[str]) -> str:
    r"""Return the delimiter that cuts the first lines most evenly, of these the one with most cuts.

    >>> guessed_delimiter(["a;b\n", "1,5;2\n"]), guessed_delimiter(["a  b\n", "1  2\n"])
    (';', ' ')
    """
    found = max(DELIMITERS, key=lambda delimiter: _evenness(lines, delimiter))
    blanks = max(BLANKS, PADDING, key=lambda delimiter: _evenness(lines, delimiter)[:3])
    return blanks if _evenness(lines, blanks)[:3] > _evenness(lines, found)[:3] else found


def _evenness(lines: Sequence[str], delimiter: str) -> tuple[bool, bool, bool, float, int]:
    rows = sample(lines, delimiter)
    width = _usual(rows) if rows else 0
    share = sum(len(row) == width for row in rows) / max(len(rows), 1)
    # One name fewer than fields is R's way.
    named = bool(rows) and (len(rows[0]) == width or 1 < len(rows[0]) == width - 1)
    return width > 1, share == 1, named, share, width


def looks_like_data(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row is one of data and not of names.

    >>> looks_like_data(["5.1", "setosa"], [["4.9", "setosa"], ["6.0", "virginica"]])
    True
    >>> looks_like_data(["2019", "2020"], [["4.9", "1.7"], ["6.0", "1.5"]])
    False
    """
    named, numbers, repeated = _evidence(first, below)
    return not named and (repeated or bool(numbers) and not _numbers_as_names(numbers))


def _evidence(first: Sequence[str], below: Sequence[Sequence[str]]) -> tuple[bool, list[str], bool]:
    """Return whether a word stands above numbers, numbers above others, and texts that repeat."""
    named, numbers, repeated = False, [], False
    for name, column in zip(first, zip(*below, strict=True), strict=False):
        present = [cell for cell in column if not is_missing(cell)]
        counted = sum(map(_counts, present))
        if present and counted >= MOSTLY * len(present):
            numbers += [name] if _counts(name) else []
            named |= not _counts(name) and not is_missing(name)
        else:
            repeated |= name in present
    return named, numbers, repeated


def _counts(cell: str) -> bool:
    """Return whether a cell holds digits and no letters but an exponent."""
    return any(map(str.isdigit, cell)) and not LETTERS.search(EXPONENT.sub("", cell))


def _numbers_as_names(numbers: Sequence[str]) -> bool:
    """Return whether numbers may be names: years, or evenly rising ones."""
    if not all(number.isdecimal() for number in numbers):
        return False
    whole = [int(number) for number in numbers]
    steps = {after - before for before, after in pairwise(whole)}
    rising = len(steps) == 1 and min(steps) > 0
    return rising or (len(set(whole)) == len(whole) and all(one in YEARS for one in whole))


def _before(lines: Sequence[str]) -> tuple[int, str | None, str]:
    """Return how many lines stand before a table, the delimiter they name, and the last comment."""
    found = SEPARATOR.fullmatch(lines[0]) if lines else None
    start = place = 1 if found else 0
    comment = ""
    while place < len(lines) and (lines[place].startswith("#") or not lines[place].strip()):
        comment = lines[place].lstrip("#") if lines[place].strip() else comment
        place += 1
    # A table in which every line begins so has no comments.
    place, comment = (start, "") if place == len(lines) else (place, comment)
    return place, found and found[1], comment


def _usual(rows: Sequence[Sequence[str]]) -> int:
    """Return the most frequent number of fields, the larger of two."""
    counts = Counter(map(len, rows))
    return max(counts, key=lambda width: (counts[width], width))
