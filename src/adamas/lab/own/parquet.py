"""Read a Parquet file, if pyarrow is there to do it."""

from pathlib import Path
from typing import Any

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.files import checksum
from adamas.lab.own.frame import Frame, Raw, check_names, check_rows, chosen, split_target
from adamas.lab.own.notes import Notes

MARK = b"PAR1"


def begins(path: Path) -> bool:
    """Return whether a file begins as Parquet does, whatever its name."""
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK


def read(path: Path, target: str | None) -> Frame:
    """Read a Parquet file; lists and records in a column leave it out, with a note.

    Raises `LabError` if pyarrow is not installed, the file is not Parquet, or as `table.read` does.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise LabError("error.pyarrow", file=path.name) from error
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise LabError("error.parquet", file=path.name) from error
    check_names(table.column_names, path.name)
    target = chosen(table.column_names, target, path.name)
    check_rows(table.num_rows, path.name)
    notes = Notes()
    columns: dict[str, Raw] = {}
    for name in table.column_names:
        raw = _raw(pa, table.column(name))
        if raw is None:
            notes.column("nested", name)
        else:
            columns[name] = raw
    if target not in columns:
        raise LabError("error.target_kind", target=target, file=path.name)
    features, values = split_target(columns, target, path.name)
    return Frame(path.name, checksum(path), features, target, values, notes=notes)


def _raw(pa: Any, column: Any) -> Raw | None:
    """Return a column as float64 or texts, or None if it is neither."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), np.float64)
    try:
        return [
            "" if value is None else value.strip() for value in column.cast(pa.string()).to_pylist()
        ]
    except pa.ArrowException:
        return None
