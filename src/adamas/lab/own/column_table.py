"""One line for each column of a table: what it was read as, and what became of it."""

from collections.abc import Mapping, Sequence

from adamas.lab.own.columns import Column
from adamas.lab.own.features import Made
from adamas.lab.own.frame import Frame
from adamas.lab.own.options import TableOptions
from adamas.lab.problems import ColumnFate

# Of the words for missing values so many are told.
WORDS = 3
# Notes about a reading that the line of its column has a few words for.
TOLD = (
    "comma", "thousands", "as_thousands", "as_decimals", "minus", "unit", "infinite", "values",
    "ambiguous", "day_first", "month_first", "year_first", "short_years",
)  # fmt: skip


def column_table(
    frame: Frame, columns: Mapping[str, Column], made: Mapping[str, Made], options: TableOptions
) -> tuple[ColumnFate, ...]:
    """Return every column of a table: the target, what places the rows, inputs, and the others."""
    beside = {frame.target: "target", options.group: "group", options.time: "time"}
    found = []
    for name, column in columns.items():
        part = made.get(name, Made(0, beside.get(name, "")))
        reading = column.reading
        different = part.different or len(getattr(column, "words", ()))
        told = tuple(key for key in TOLD if key in reading.notes)
        kind, fate, absent = reading.kind, part.fate, reading.tokens[:WORDS]
        found.append(
            ColumnFate(name, kind, reading.missing, part.inputs, fate, different, absent, told)
        )
    nested = frame.notes.names.get("nested", ())
    found += [ColumnFate(name, "other", 0, 0, "asked") for name in options.drop]
    found += [ColumnFate(name, "other", 0, 0, "nested") for name in nested]
    order = list(beside.values())
    return tuple(sorted(found, key=lambda one: (rank(one, order), not one.inputs)))


def rank(one: ColumnFate, order: Sequence[str]) -> int:
    """Return the place of a use in the order of uses; after all of them for any other column."""
    return order.index(one.fate) if one.fate in order else len(order)
