"""Read a Parquet file, if pyarrow is there to do it; a large one a column at a time."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.files import checksum
from adamas.lab.own.frame import Frame, Given, Raw, check_names, check_rows, chosen, split_target
from adamas.lab.own.notes import Notes
from adamas.lab.own.packed_texts import Texts
from adamas.lab.own.room import CELL, Room, in_pieces
from adamas.lab.problems import Array

MARK = b"PAR1"
ROWS = 1 << 16  # of one column that are read at once


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
    notes, room = Notes(), None
    try:
        with pq.ParquetFile(path) as file:
            names, rows = file.schema_arrow.names, file.metadata.num_rows
            check_names(names, path.name)
            target = chosen(names, target, path.name)
            check_rows(rows, path.name)
            size = _size(file.metadata)
            if in_pieces(size):
                room = Room(path.name, CELL * rows * len(names))
                room.note(notes, size, rows)
                columns = {name: _later(pa, pq, path, file, name, room) for name in names}
            else:
                table = file.read()
                columns = {name: _raw(pa, table.column(name)) for name in names}
    except (pa.ArrowException, OSError) as error:
        raise LabError("error.parquet", file=path.name) from error
    for name in [name for name, raw in columns.items() if raw is None]:
        notes.column("nested", name)
    known = {name: raw for name, raw in columns.items() if raw is not None}
    if target not in known:
        raise LabError("error.target_kind", target=target, file=path.name)
    features, values = split_target(known, target, path.name)
    return Frame(path.name, checksum(path), features, target, values, notes=notes, room=room)


def _size(metadata: Any) -> int:
    """Return the bytes of a table: as they are stored without compression, or as numbers."""
    groups = range(metadata.num_row_groups)
    stored = sum(metadata.row_group(k).total_byte_size for k in groups)
    return max(int(stored), CELL * int(metadata.num_rows) * int(metadata.num_columns))


def _kind(pa: Any, column: Any) -> Any:
    return column.value_type if pa.types.is_dictionary(column) else column


def _numeric(pa: Any, kind: Any) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _raw(pa: Any, column: Any) -> Raw | None:
    """Return a column as float64 or texts, or None if it is neither."""
    if _numeric(pa, _kind(pa, column.type)):
        return _floats(pa, column)
    try:
        return _texts(pa, column)
    except pa.ArrowException:
        return None


def _floats(pa: Any, column: Any) -> Array:
    return np.asarray(
        column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64
    )


def _texts(pa: Any, column: Any) -> list[str]:
    listed = column.cast(pa.string()).to_pylist()
    return ["" if value is None else value.strip() for value in listed]


def _later(pa: Any, pq: Any, path: Path, file: Any, name: str, room: Room) -> Given | None:
    """Return what reads a column, a few rows at a time, or None if it is nothing to learn from.

    Whether all of a column of bytes is text shows when it is read.
    """
    found = file.schema_arrow.field(name).type
    try:
        pa.array([], _kind(pa, found)).cast(pa.string())
    except pa.ArrowException:
        return None
    if pa.types.is_binary(found) or pa.types.is_large_binary(found):
        return _raw(pa, file.read(columns=[name]).column(0))
    numeric = _numeric(pa, _kind(pa, found))
    return partial(_numbers if numeric else _packed, pa, pq, path, name, room)


def _parts(pa: Any, pq: Any, path: Path, name: str) -> Iterator[Any]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(ROWS, columns=[name]):
                yield batch.column(0)
    except (pa.ArrowException, OSError) as error:
        raise LabError("error.parquet", file=path.name) from error


def _numbers(pa: Any, pq: Any, path: Path, name: str, room: Room) -> Raw:
    return np.concatenate([_floats(pa, part) for part in _parts(pa, pq, path, name)])


def _packed(pa: Any, pq: Any, path: Path, name: str, room: Room) -> Sequence[str]:
    texts = Texts(room)
    try:
        for part in _parts(pa, pq, path, name):
            texts.add(_texts(pa, part))
    except ValueError:  # a zero byte in a text
        return [text for part in _parts(pa, pq, path, name) for text in _texts(pa, part)]
    return texts
