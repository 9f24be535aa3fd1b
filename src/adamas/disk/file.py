"""The file that a state lives in: made at full length, its header rewritten in place."""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from numpy.typing import NDArray

from adamas.disk.maps import Mapped, mapped, tensors
from adamas.files.bytes_of_files import write
from adamas.files.checkpoint import FILE_FORMAT, OURS, UNFINISHED
from adamas.files.contents import bytes_of, in_order
from adamas.files.header import Placed, packed
from adamas.files.room import allocate, told
from adamas.files.tree import Leaf

NAME = "state.safetensors"
# How the header of a whole file begins to say what it is.
WHOLE = f'{{\\"format\\":{FILE_FORMAT}'.encode()
# A header ends with a page, and may become so much longer, and so much for each tensor.
PAGE = 1 << 12
MORE, EACH = 1 << 12, 1 << 8


class StateFile:
    """The state file in a folder, mapped; `size` is that of its header."""

    def __init__(self, map: Mapped) -> None:
        self.map = map
        self._header = tensors(map)
        # An empty file has no tensors, but a header.
        self.size = 8 + int.from_bytes(map[:8], "little")
        self._said = self._header.metadata.get(OURS, "")

    @property
    def text(self) -> str:
        """What it says of the optimizer."""
        return self._said

    @property
    def placed(self) -> Mapping[str, Placed]:
        """Its tensors by name."""
        return self._header.tensors

    def array(self, name: str) -> NDArray[Any]:
        """A tensor of it: the file's own bytes."""
        return self.map.array(self.placed[name])

    def begin(self) -> None:
        """Say that the file is not whole until the next `write`, in one byte."""
        place = self.map.find(WHOLE, 0, self.size)
        if place >= 0:
            write(self.map.file, str(UNFINISHED).encode(), place + len(WHOLE) - 1)

    def write(self, text: str) -> None:
        """Say something else of the optimizer; ValueError if there is no room for it."""
        shapes = {name: (one.form, one.shape) for name, one in self.placed.items()}
        whole = packed(shapes, {OURS: text}, self.size)
        if len(whole) > self.size:
            raise ValueError(
                f"{self.map.path!r} has room for a header of {self.size:,} bytes, and this one "
                f"takes {len(whole):,}: load the file into a new directory."
            )
        write(self.map.file, whole, 0)
        self._said = text


def create(folder: str, text: str, leaves: Mapping[str, Leaf]) -> StateFile:
    """A state file of zeros beside its place, see `settle`; OSError where there is no room."""
    every = in_order(leaves)
    shapes = {name: (one.form, one.shape) for name, one in every.items()}
    least = len(packed(shapes, {OURS: text})) * 2 + MORE + EACH * len(every)
    begin = packed(shapes, {OURS: text}, -(-least // PAGE) * PAGE)
    size = len(begin) + sum(map(bytes_of, every.values()))
    place = part(folder)
    try:
        with suppress(FileNotFoundError):
            os.unlink(place)
        with open(place, "xb", buffering=0) as file:
            if not allocate(file.fileno(), size):
                fill(file, size)
            os.pwrite(file.fileno(), begin, 0)
    except OSError as error:
        raise told(error, os.path.join(folder, NAME), size) from error
    return StateFile(mapped(place))


def part(folder: str) -> str:
    """Where a state file is made before it is whole."""
    return os.path.join(folder, f".{NAME}.part")


def fill(file: Any, size: int) -> None:
    """Write zeros, where the system takes no room otherwise: a hole would fail too late."""
    zeros = bytes(1 << 20)
    for begin in range(0, size, len(zeros)):
        file.write(zeros[: size - begin])


def settle(folder: str, file: StateFile) -> None:
    """Put a file that is whole into its place."""
    place = os.path.join(folder, NAME)
    os.replace(part(folder), place)
    file.map.path = os.path.realpath(place)
