"""Files of `numpy.savez`: their arrays, of which none is made of pickled objects."""

import math
import os
from collections.abc import Iterator
from functools import partial
from typing import Any
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from adamas.files.header import NAMED
from adamas.files.reading import Named
from adamas.others.found import Found, Stored, bounded, read_by, together

ENDING = ".npy"


def opened(path: str) -> Found:
    """The arrays of a file of NumPy by name; ValueError for what is none."""
    room = os.path.getsize(path)
    with Named(path, brief=True), read_by("NumPy"):
        archive = ZipFile(path)
        arrays: dict[str, Stored] = {}
        for name, one in _members(archive):
            if name in arrays:
                raise ValueError(f"{name[:60]!r} in it stands there twice")
            bounded(name, one.file_size, room)
            arrays[name] = _stored(archive, one)
        together(arrays, room)
    return Found(path, "npz", arrays)


def _members(archive: ZipFile) -> Iterator[tuple[str, ZipInfo]]:
    for one in archive.infolist():
        yield one.filename.removesuffix(ENDING), one


def _stored(archive: ZipFile, member: ZipInfo) -> Stored:
    """An array by what its member of the zip says of it."""
    with archive.open(member) as file:
        version = npy.read_magic(file)
        read: Any = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
        left = member.file_size - file.tell()
    form = NAMED.get(dtype.newbyteorder("<")) if dtype.kind in "biufc" else None
    if form is None:
        # Objects would be unpickled, which runs what is in a file.
        return Stored(str(dtype), shape, left, None)
    if math.prod(shape) * dtype.itemsize != left:
        raise ValueError(f"{member.filename[:60]!r} in it is not as long as its shape says")
    return Stored(form, shape, left, partial(_array, archive, member))


def _array(archive: ZipFile, member: ZipInfo) -> NDArray[Any]:
    with read_by("NumPy"), archive.open(member) as file:
        return np.asarray(npy.read_array(file, allow_pickle=False))
