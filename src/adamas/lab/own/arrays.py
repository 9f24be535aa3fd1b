"""Read arrays from an npz file: X with one row for each sample, and y."""

import zipfile
from pathlib import Path

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.files import checksum
from adamas.lab.own.frame import Frame, Raw, check_rows
from adamas.lab.own.notes import Notes
from adamas.lab.problems import Array
from adamas.lab.text import words
from adamas.pages.sentences import CODES

Named = tuple[str, Array]


def read(path: Path, target: str | None) -> Frame:
    """Read X (or x), shape (n, ...), and the target, shape (n,): y (or Y) unless it is named.

    Numbers, booleans and texts; nothing that needs pickle, since that would run code from the
    file. Raises `LabError` for anything else and for fewer than 40 samples.
    """
    arrays = _loaded(path)
    y_name = _found(arrays, (target,) if target else ("y", "Y"), path.name)
    x_name = _found(arrays, ("X", "x"), path.name)
    return framed((x_name, arrays[x_name]), (y_name, arrays[y_name]), path.name, checksum(path))


def framed(inputs: Named, target: Named, name: str, sha256: str) -> Frame:
    """Return a table of inputs of shape (n, ...) and a target of shape (n,) or (n, 1).

    `name` is what messages and the page call it. Raises `LabError` for other shapes and dtypes, and
    for fewer than 40 samples.
    """
    (x_name, x), (y_name, y) = inputs, target
    if y.ndim == 2 and y.shape == (len(x), 1):
        y = y[:, 0]
    if x.ndim < 2 or y.shape != (len(x),) or x_name == y_name:
        raise LabError(
            "error.shapes",
            name=name,
            x_name=x_name,
            x_shape=x.shape,
            y_name=y_name,
            y_shape=y.shape,
        )
    check_rows(len(x), name)
    notes = Notes()
    if x.ndim > 2:
        notes.say("flattened", shape=str(x.shape[1:]))
        x = x.reshape(len(x), -1)
    columns = {f"{x_name}[{i}]": _raw(x[:, i], x_name, name) for i in range(x.shape[1])}
    return Frame(name, sha256, columns, y_name, _raw(y, y_name, name), notes=notes)


def _loaded(path: Path) -> dict[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as found:
            return {name: np.atleast_1d(found[name]) for name in found.files}
    except (ValueError, OSError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        if "allow_pickle" in str(error) and zipfile.is_zipfile(path):
            raise LabError("error.objects", file=path.name) from error
        raise LabError("error.not_npz", file=path.name) from error


def _found(arrays: dict[str, Array], names: tuple[str, ...], file: str) -> str:
    for name in names:
        if name in arrays:
            return name
    held = ", ".join(arrays) or words("hint.nothing")
    raise LabError("error.no_array", file=file, names=_either(names), held=held)


def _either(names: tuple[str, ...]) -> dict[str, str]:
    return {code: words("hint.or")[code].join(names) for code in CODES}


def _raw(column: Array, name: str, file: str) -> Raw:
    if column.dtype.kind in "biuf":
        return column.astype(np.float64)
    if column.dtype.kind == "U":
        return [text.strip() for text in column.tolist()]
    raise LabError("error.dtype", name=name, file=file, dtype=column.dtype)
