"""A table in memory, before anybody has decided what its columns mean."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeVar

from adamas.lab.needs import LabError
from adamas.lab.own.notes import Notes
from adamas.lab.own.numerals import POINT, Marks
from adamas.lab.own.room import Room
from adamas.lab.problems import Array
from adamas.lab.text import words
from adamas.pages.sentences import Both

# Texts, "" where nothing stands, or float64 with NaN for missing values.
Raw = Sequence[str] | Array
# The same, or what reads it from its file, each time anew.
Given = Raw | Callable[[], Raw]
Kept = TypeVar("Kept")

# A fifth of the rows judges the others, and eight samples judge nothing.
FEWEST = 40
LISTED = 20


@dataclass(frozen=True)
class Frame:
    """The columns of one file, all of the same length, with the one to predict apart.

    `marks` says what stands before decimals in numbers that are texts. Of a table that is too large
    for memory, `room` is where its columns lie.
    """

    name: str
    sha256: str
    features: Mapping[str, Given]
    target: str
    values: Given
    marks: Marks = POINT
    notes: Notes = field(default_factory=Notes)
    room: Room | None = None


def chosen(
    names: Sequence[str], target: str | None, file: str | Both, hint: Both | None = None
) -> str:
    """Return the target if it is a column; else refuse with the columns and the closest name.

    `hint` is the cure where no name is close.
    """
    shown = _listed(names)
    if target is None:
        raise LabError("error.target", file=file, shown=shown)
    if target in names:
        return target
    lowered = {name.lower(): name for name in names}
    close = get_close_matches(target.lower(), lowered, 1)
    mean = words("hint.mean", name=repr(lowered[close[0]])) if close else None
    raise LabError(
        "error.no_column",
        file=file,
        target=target,
        shown=shown,
        hint=mean or hint or words("hint.first_line"),
    )


def _listed(names: Sequence[str]) -> Both:
    first, more = ", ".join(names[:LISTED]), len(names) - LISTED
    return words("hint.more" if more > 0 else "hint.all", names=first, count=more)


def check_rows(count: int, file: str | Both) -> None:
    """Refuse a table with too few rows."""
    if count < FEWEST:
        has = words("hint.row" if count == 1 else "hint.rows", count=count)
        raise LabError("error.few_rows", file=file, has=has, least=FEWEST)


def check_names(names: Sequence[str], file: str | Both) -> None:
    """Refuse column names that occur twice."""
    if len(set(names)) < len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise LabError("error.column_twice", file=file, twice=twice)


def split_target(
    columns: Mapping[str, Kept], target: str, file: str | Both
) -> tuple[dict[str, Kept], Kept]:
    """Take the target out of the columns; refuse if nothing is left."""
    features = {name: raw for name, raw in columns.items() if name != target}
    if not features:
        raise LabError("error.only_target", file=file, target=target)
    return features, columns[target]
