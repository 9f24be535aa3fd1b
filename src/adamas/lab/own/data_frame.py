"""Read a data frame that somebody made in Python: pandas, polars, or what is built like them.

Nothing of either library is imported: a frame has `columns`, and `frame[name].to_numpy()`.
"""

import json
from collections.abc import Iterable
from hashlib import sha256
from math import isnan
from numbers import Real
from typing import Any, Protocol, TypeGuard

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.frame import Frame, Raw, check_names, check_rows, chosen, split_target
from adamas.lab.own.notes import Notes
from adamas.lab.problems import Array

NAME = "data frame"
NOTHING = ("NAType", "NaTType")  # pandas marks missing values with them


class DataFrame(Protocol):
    """What is read of a data frame."""

    columns: Any  # their names

    def __getitem__(self, name: Any, /) -> Any:
        """One column, which has `to_numpy`."""


def is_frame(value: object) -> TypeGuard[DataFrame]:
    """Return whether a value is read as a data frame."""
    return hasattr(value, "columns") and hasattr(value, "__getitem__")


def read(frame: DataFrame, target: str | None) -> Frame:
    """Return the columns of a data frame as those of a file; its index is not read.

    Lists and records in a column leave it out, with a note. Raises `LabError` for fewer than 40
    rows, two columns of one name, or no column `target`.
    """
    values = _values(frame)
    names = [str(key) for key in frame.columns]
    check_names(names, NAME)
    return _framed(values, chosen(names, target, NAME))


def beside(frame: DataFrame, target: Array) -> Frame:
    """Return the columns of a data frame with a target of its own, shape (n,) or (n, 1)."""
    values = {**_values(frame), "y": target[:, 0] if target.ndim == 2 else target}
    check_names([*map(str, frame.columns), "y"], NAME)
    if len({np.shape(column) for column in values.values()}) > 1:
        raise LabError("error.frame_lengths", file=NAME)
    return _framed(values, "y")


def _values(frame: DataFrame) -> dict[str, Array]:
    try:
        return {str(key): np.asarray(frame[key].to_numpy()) for key in frame.columns}
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise LabError("error.frame_kind", kind=type(frame).__name__) from error


def _framed(values: dict[str, Array], target: str) -> Frame:
    notes = Notes()
    columns: dict[str, Raw] = {}
    for name, column in values.items():
        raw = _raw(column)
        if raw is None:
            notes.column("nested", name)
        else:
            columns[name] = raw
    if target not in columns:
        raise LabError("error.target_kind", target=target, file=NAME)
    check_rows(len(columns[target]), NAME)
    features, predicted = split_target(columns, target, NAME)
    return Frame(NAME, columns_hash(columns), features, target, predicted, notes=notes)


def columns_hash(columns: dict[str, Raw]) -> str:
    """Return the SHA-256 of columns: their names, kinds and values, in order."""
    found = sha256()
    for name, raw in columns.items():
        array = isinstance(raw, np.ndarray)
        found.update(json.dumps([name, array, len(raw)]).encode())
        found.update(raw.tobytes() if isinstance(raw, np.ndarray) else json.dumps(raw).encode())
    return found.hexdigest()


def _raw(values: Array) -> Raw | None:
    """Return a column as float64 or texts, or None if it is neither."""
    kind = values.dtype.kind
    if kind in "biuf":
        return values.astype(np.float64)
    if kind == "m":
        return values / np.timedelta64(1, "s")
    if kind == "M":
        texts = np.datetime_as_string(values, unit="s").tolist()
        return ["" if text == "NaT" else text for text in texts]
    if kind not in "OUT":
        return None
    return _mixed(values.tolist())


def _mixed(values: Iterable[Any]) -> Raw | None:
    """Return Python objects as float64 if all are numbers, else as texts."""
    present = [None if _missing(value) else value for value in values]
    if any(isinstance(value, list | tuple | dict | set | np.ndarray) for value in present):
        return None
    if all(value is None or isinstance(value, Real) for value in present):
        return np.array([np.nan if value is None else float(value) for value in present])
    return ["" if value is None else str(value).strip() for value in present]


def _missing(value: object) -> bool:
    gone = isinstance(value, float) and isnan(value)
    return value is None or gone or type(value).__name__ in NOTHING
