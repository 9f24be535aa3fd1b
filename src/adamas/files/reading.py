"""A safetensors file that has been opened: its header, its arrays, and its name in what is wrong.

Opening reads the header; arrays are memory maps.
"""

import io
import math
import mmap
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.engine.mapped import Passing
from adamas.files import header
from adamas.files.background import settled
from adamas.files.header import Placed

# The most letters of an error that may quote the file.
LONG = 800
# How a file is mapped so that what is written there stays here. Linux takes memory for it when it
# is written; else a file that is larger than memory could not be mapped. Python 3.13 has the name.
COPIED: dict[str, int] = {"access": mmap.ACCESS_COPY}
if sys.platform == "linux":
    COPIED = {
        "flags": mmap.MAP_PRIVATE | getattr(mmap, "MAP_NORESERVE", 0x4000),
        "prot": mmap.PROT_READ | mmap.PROT_WRITE,
    }
# Bytes that are read at once.
BUFFER = 1 << 22


def opened(path: str) -> io.BufferedReader:
    """The file at `path`, to be read; a pipe that nobody writes into is empty, and not waited for.

    Raises OSError.
    """
    ways = getattr(os, "O_NONBLOCK", 0)
    return open(path, "rb", opener=lambda place, flags: os.open(place, flags | ways))


class Tensors:
    """A safetensors file of anybody; `placed` says where each of its tensors lies.

    If it will be read `through`, it is read once now, and what is copied is let go of behind it.
    `of` makes `said` of the metadata.
    """

    def __init__(
        self,
        path: "str | os.PathLike[str]",
        through: bool = False,
        of: Callable[[Mapping[str, str]], Any] = dict,
    ) -> None:
        self.path = os.fsdecode(path)
        settled(self.path)
        with opened(self.path) as file:
            size = os.fstat(file.fileno()).st_size
            with Named(self.path, brief=True):
                found = header.read(file, size)
                self.said = of(found.metadata)
            self.metadata, self.placed = found.metadata, found.tensors
            self._map = (Passing if through else mmap.mmap)(file.fileno(), size, **COPIED)
            if through:
                # A disk that fails says so here, and not by a signal while arrays are copied.
                buffer = bytearray(BUFFER)
                while file.readinto(buffer):
                    pass

    def let_go(self) -> None:
        """Let go of what was read into memory, if `load` returned this; it is read again on demand.

        Arrays of the file that somebody wrote into are again what the file says.
        """
        if isinstance(self._map, Passing) and hasattr(self._map, "madvise"):
            self._map.madvise(mmap.MADV_DONTNEED)

    def array(self, placed: Placed) -> NDArray[Any]:
        """One of the arrays; ValueError where its bytes are none of its dtype."""
        form, count = header.FORMS[placed.form], math.prod(placed.shape)
        if not count:
            return np.empty(placed.shape, form)
        flat = np.frombuffer(self._map, form, count, placed.start)
        if placed.form == "BOOL" and flat.view(np.uint8).max() > 1:
            raise ValueError("a truth value in it is neither 0 nor 1")
        return flat.reshape(placed.shape)


class Named:
    """Puts the path of a file before what is said to be wrong with it, in one line.

    It is put there once. If it shall be `brief`, because it may hold any text of the file, the
    middle is left out.
    """

    def __init__(self, path: str, brief: bool = False) -> None:
        self._path, self._brief = path, brief

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, RecursionError):
            raise ValueError(f"{self._path!r}: it is nested too deep.") from None
        if isinstance(error, ValueError | TypeError):
            told = " ".join(str(error).split()).rstrip(".").removeprefix(f"{self._path!r}: ")
            if self._brief and len(told) > LONG:
                told = f"{told[: LONG // 2]} ... {told[-LONG // 2 :]}"
            raise ValueError(f"{self._path!r}: {told}.") from error
