"""Read arrays from an npz file: X with one row for each sample, and y."""

import zipfile
import zlib
from collections.abc import Collection
from functools import partial
from pathlib import Path

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own import arrays_in_pieces
from adamas.lab.own.files import checksum
from adamas.lab.own.frame import Frame, Raw, check_rows
from adamas.lab.own.notes import Notes
from adamas.lab.own.room import in_pieces
from adamas.lab.problems import Array
from adamas.lab.text import words
from adamas.pages.sentences import CODES

Named = tuple[str, Array]
NUMBERS = "biuf"
KINDS = NUMBERS + "U"
BROKEN = (
    ValueError, OSError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error
)  # fmt: skip


def read(path: Path, target: str | None) -> Frame:
    """Read X (or x), shape (n, ...), and the target, shape (n,): y (or Y) unless it is named.

    Numbers, booleans and texts; nothing that needs pickle, since that would run code from the
    file. Raises `LabError` for anything else and for fewer than 40 samples.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            y_name = _found(found, (target,) if target else ("y", "Y"), path.name)
            x_name = _found(found, ("X", "x"), path.name)
            y, size = np.atleast_1d(found[y_name]), arrays_in_pieces.size(path)
            if in_pieces(size):
                return _in_pieces(path, size, x_name, (y_name, y))
            x = np.atleast_1d(found[x_name])
    except BROKEN as error:
        if "allow_pickle" in str(error) and zipfile.is_zipfile(path):
            raise LabError("error.objects", file=path.name) from error
        raise LabError("error.not_npz", file=path.name) from error
    return framed((x_name, x), (y_name, y), path.name, checksum(path))


def _in_pieces(path: Path, size: int, x_name: str, target: Named) -> Frame:
    """Return the table of a file that is too large for memory."""
    name, notes = path.name, Notes()
    shape, columns, room = arrays_in_pieces.columns(path, x_name)
    y_name, y = _fitting((x_name, shape), target, name, notes)
    room.note(notes, size, len(y))
    if columns.dtype.kind not in KINDS:
        raise LabError("error.dtype", name=x_name, file=name, dtype=columns.dtype)
    later = {
        f"{x_name}[{i}]": partial(_raw, column, x_name, name) for i, column in enumerate(columns)
    }
    values = _raw(y, y_name, name)
    return Frame(name, checksum(path), later, y_name, values, notes=notes, room=room)


def framed(inputs: Named, target: Named, name: str, sha256: str) -> Frame:
    """Return a table of inputs of shape (n, ...) and a target of shape (n,) or (n, 1).

    `name` is what messages and the page call it. Raises `LabError` for other shapes and dtypes, and
    for fewer than 40 samples.
    """
    (x_name, x), notes = inputs, Notes()
    y_name, y = _fitting((x_name, x.shape), target, name, notes)
    x = x.reshape(len(x), -1)
    columns = {f"{x_name}[{i}]": _raw(x[:, i], x_name, name) for i in range(x.shape[1])}
    return Frame(name, sha256, columns, y_name, _raw(y, y_name, name), notes=notes)


def _fitting(inputs: tuple[str, tuple[int, ...]], target: Named, name: str, notes: Notes) -> Named:
    """Return the target if inputs of this shape have one for each sample, and note what is odd."""
    (x_name, shape), (y_name, y) = inputs, target
    count = (*shape, 0)[0]
    if y.ndim == 2 and y.shape == (count, 1):
        y = y[:, 0]
    if len(shape) < 2 or y.shape != (count,) or x_name == y_name:
        raise LabError(
            "error.shapes", name=name, x_name=x_name, x_shape=shape, y_name=y_name, y_shape=y.shape
        )
    check_rows(count, name)
    if len(shape) > 2:
        notes.say("flattened", shape=str(shape[1:]))
    return y_name, y


def _found(arrays: Collection[str], names: tuple[str, ...], file: str) -> str:
    for name in names:
        if name in arrays:
            return name
    held = ", ".join(arrays) or words("hint.nothing")
    raise LabError("error.no_array", file=file, names=_either(names), held=held)


def _either(names: tuple[str, ...]) -> dict[str, str]:
    return {code: words("hint.or")[code].join(names) for code in CODES}


def _raw(column: Array, name: str, file: str) -> Raw:
    if column.dtype.kind in NUMBERS:
        return column.astype(np.float64)
    if column.dtype.kind in KINDS:
        return [text.strip() for text in column.tolist()]
    raise LabError("error.dtype", name=name, file=file, dtype=column.dtype)
