"""Files whose bytes are written through memory maps, and where in them an array lies."""

import mmap
import os
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from adamas.engine.tensors import address
from adamas.files import atomic, header
from adamas.files.checkpoint import OURS, Key, Reference, document_of, references
from adamas.files.header import FORMS, Header, Placed
from adamas.files.reading import Named
from adamas.files.tree import unpacked


class Mapped(mmap.mmap):
    """The memory map of a whole file that is written through it, and the open `file`; see `mapped`.

    `at` is its address.
    """

    path: str
    file: int
    at: int

    def __del__(self) -> None:
        """Close the file, too."""
        if hasattr(self, "file"):
            os.close(self.file)

    def array(self, placed: Placed) -> NDArray[Any]:
        """One tensor of the file: its own bytes."""
        form, count = FORMS[placed.form], placed.size // FORMS[placed.form].itemsize
        if not count:
            return np.empty(placed.shape, form)
        return np.frombuffer(self, form, count, placed.start).reshape(placed.shape)

    def let_go(self) -> None:
        """Give its pages back to the system, which writes them when it likes."""
        if hasattr(self, "madvise"):
            self.madvise(mmap.MADV_DONTNEED)


def mapped(path: str) -> Mapped:
    """The file at `path`, open for reading and writing, and mapped; raises OSError."""
    file = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    try:
        made = Mapped(file, 0, access=mmap.ACCESS_WRITE)
    except (OSError, ValueError) as error:
        os.close(file)
        if isinstance(error, OSError):
            told = f"{error.strerror}; this file cannot be mapped"
            raise OSError(error.errno, told, path) from error
        raise ValueError(f"{path!r}: it is empty.") from None
    made.file, made.path = file, os.path.realpath(path)
    made.at = address(np.frombuffer(made, np.uint8))
    atomic.in_place.add(made)
    return made


def known() -> Iterator[Mapped]:
    """All that somebody still holds."""
    return iter(list(atomic.in_place))


def home(at: int) -> Mapped | None:
    """The file that has the byte at an address, or None."""
    return next((one for one in known() if one.at <= at < one.at + len(one)), None)


def tensors(file: Mapped) -> Header:
    """The header of a safetensors file; ValueError in one line for what is none."""
    with Named(file.path, brief=True):
        file.seek(0)
        return header.read(cast(BinaryIO, file), len(file))


def open_params(path: "str | os.PathLike[str]") -> dict[Any, NDArray[Any]]:
    """The arrays of a safetensors file, by name, to be stepped where they lie: in the file.

    They are memory maps: reading one reads the file, and what is written into one, by an optimizer
    or by you, is written into the file. bfloat16 is given as its bits, uint16, as in optimizers.
    The file may be of any program, such as the weights of a model; of one that adamas saved, the
    arrays are those that were given as `params=`.

    Parameters of an optimizer with `state_dir=` move with its state: if the process dies inside a
    step, making the optimizer again puts both back to the step before. Until it is made again, a
    file may stand in the middle of that step.

    Raises OSError, and ValueError in one line for a file that is malformed.
    """
    place = os.fsdecode(path)
    # The bytes of a file have one address, so that who gives one of them twice is told.
    size = os.path.getsize(place)
    held = (one for one in known() if atomic.same(place, one.file) and len(one) == size)
    file = next(held, None) or mapped(place)
    found = tensors(file)
    named: Mapping[Key, str] = {name: name for name in found.tensors}
    if OURS in found.metadata:
        with Named(file.path, brief=True):
            said = document_of(found.metadata)["params"]
            named = {k: name for k, (name, _) in references(unpacked(said, Reference.of)).items()}
            if lost := [name for name in named.values() if name not in found.tensors]:
                raise ValueError(f"it has no tensor {lost[0][:60]!r}")
    return {key: file.array(found.tensors[name]) for key, name in named.items()}
