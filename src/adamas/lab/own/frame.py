"""A table in memory, before anybody has decided what its columns mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from adamas.lab.needs import LabError
from adamas.lab.own.notes import Notes
from adamas.lab.own.numerals import POINT, Marks
from adamas.lab.problems import Array

# Texts, "" where nothing stands, or float64 with NaN for missing values.
Raw = Sequence[str] | Array

# A fifth of the rows judges the others, and eight samples judge nothing.
FEWEST = 40
LISTED = 20


@dataclass(frozen=True)
class Frame:
    """The columns of one file, all of the same length, with the one to predict apart.

    `marks` says what stands before decimals in numbers that are texts.
    """

    name: str
    sha256: str
    features: Mapping[str, Raw]
    target: str
    values: Raw
    marks: Marks = POINT
    notes: Notes = field(default_factory=Notes)


def chosen(names: Sequence[str], target: str | None, file: str) -> str:
    """Return the target if it is a column; else refuse with the columns and the closest name."""
    shown = ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" * (len(names) > LISTED))
    if target is None:
        raise LabError(f"{file} needs --target COLUMN, the one to predict; its columns are {shown}")
    if target in names:
        return target
    lowered = {name.lower(): name for name in names}
    close = get_close_matches(target.lower(), lowered, 1)
    hint = f"; did you mean {lowered[close[0]]!r}?" if close else "; is its first line the names?"
    raise LabError(f"{file} has no column {target!r}, its columns are {shown}{hint}")


def check_rows(count: int, file: str) -> None:
    """Refuse a table with too few rows."""
    if count < FEWEST:
        has = "1 row" if count == 1 else f"{count} rows"
        raise LabError(
            f"{file} has {has} of data, fewer than {FEWEST}; "
            "add rows, since a fifth of them must judge what is learned from the others"
        )


def check_names(names: Sequence[str], file: str) -> None:
    """Refuse column names that occur twice."""
    if len(set(names)) < len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise LabError(f"{file} has two columns called {twice!r}; rename one")


def split_target(columns: Mapping[str, Raw], target: str, file: str) -> tuple[dict[str, Raw], Raw]:
    """Take the target out of the columns; refuse if nothing is left."""
    features = {name: raw for name, raw in columns.items() if name != target}
    if not features:
        raise LabError(f"{file} has no column but the target {target!r}; add one to learn from")
    return features, columns[target]
