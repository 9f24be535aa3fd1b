"""Read arrays from an npz file that is too large for memory: a few rows at a time, into columns."""

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from adamas.lab.own.room import CELL, Room
from adamas.lab.problems import Array

PIECE = 1 << 22  # bytes of rows that are read at once
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def size(path: Path) -> int:
    """Return the bytes of all arrays, unpacked; 0 for a file that is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(one.file_size for one in archive.infolist())
    except (OSError, zipfile.BadZipFile):
        return 0


def columns(path: Path, name: str) -> tuple[tuple[int, ...], Array, Room]:
    """Return the shape of an array, and its columns (p, n) in a room that they lie in.

    Raises ValueError for what is no array without objects, and OSError, `BadZipFile` or `LabError`.
    """
    with zipfile.ZipFile(path) as archive:
        member = name if name in archive.namelist() else f"{name}.npy"
        with archive.open(member) as file:
            version = npy.read_magic(file)
            if version not in HEADERS:
                raise ValueError(f"version {version} of the format is not read")
            shape, fortran, dtype = HEADERS[version](file)
            if dtype.hasobject:
                raise ValueError("objects are read with allow_pickle alone")
            rows, width = (*shape, 1)[0], math.prod(shape[1:])
            if not rows * width or len(shape) < 2:
                return shape, np.empty((width, rows), dtype), Room(path.name)
            room = Room(path.name, rows * width * (dtype.itemsize + CELL))
            made = room.empty(rows * width, dtype).reshape(width, rows)
            (_by_columns if fortran else _by_rows)(file, made, shape)
    return shape, made, room


def _by_rows(file: IO[bytes], made: Array, shape: tuple[int, ...]) -> None:
    width, rows = made.shape
    block = max(1, PIECE // (width * made.dtype.itemsize))
    for begin in range(0, rows, block):
        part = made[:, begin : begin + block]
        part[...] = _read(file, part.size, made.dtype).reshape(-1, width).T


def _by_columns(file: IO[bytes], made: Array, shape: tuple[int, ...]) -> None:
    """Read columns as they lie; of more than two dimensions the first of them changes first."""
    order = np.arange(len(made)).reshape(shape[1:]).ravel(order="F")
    for column in order:
        made[column] = _read(file, made.shape[1], made.dtype)


def _read(file: IO[bytes], count: int, dtype: "np.dtype[np.generic]") -> Array:
    found = file.read(count * dtype.itemsize)
    if len(found) < count * dtype.itemsize:
        raise EOFError(file.tell())
    return np.frombuffer(found, dtype)
