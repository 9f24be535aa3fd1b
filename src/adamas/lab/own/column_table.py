"""One line for each column of a table: what it was read as, and what became of it."""

from collections.abc import Mapping, Sequence

from adamas.lab.own.columns import Column
from adamas.lab.own.features import Made
from adamas.lab.own.frame import Frame
from adamas.lab.own.options import TableOptions
from adamas.lab.problems import ColumnFate


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
        kind, fate = reading.kind, part.fate
        found.append(ColumnFate(name, kind, reading.missing, part.inputs, fate, different))
    nested = frame.notes.names.get("nested", ())
    found += [ColumnFate(name, "other", 0, 0, "asked") for name in options.drop]
    found += [ColumnFate(name, "other", 0, 0, "nested") for name in nested]
    order = list(beside.values())
    return tuple(sorted(found, key=lambda one: (rank(one, order), not one.inputs)))


def rank(one: ColumnFate, order: Sequence[str]) -> int:
    """Return the place of a use in the order of uses; after all of them for any other column."""
    return order.index(one.fate) if one.fate in order else len(order)
