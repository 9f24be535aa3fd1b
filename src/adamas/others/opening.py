"""What kind of file it is, told by its first bytes, and its summary."""

from functools import partial
from typing import Any
from zipfile import ZipFile

from adamas.files import reading
from adamas.files.checkpoint import OURS, Checkpoint
from adamas.files.reading import Named, Tensors
from adamas.files.summary import summary as own
from adamas.others import keras_file, numpy_file, torch_file
from adamas.others.found import Found, Stored, read_by, summary

ZIP = b"PK\x03\x04"
HDF5 = b"\x89HDF\r\n\x1a\n"
# How a pickle begins, in which torch wrote before version 1.6.
PICKLE = b"\x80"


def kind_of(path: str) -> str:
    """Whether a file is of "adamas", "safetensors", "torch", "keras" or "npz".

    Raises OSError, and ValueError for what is none of them.
    """
    with reading.opened(path) as file:
        begin = file.read(8) or b""
    if begin == HDF5:
        return "keras"
    if begin.startswith(ZIP):
        with Named(path, brief=True), read_by("zipfile"):
            return _zipped(path)
    if begin.startswith(PICKLE) and begin[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        # The length of a header could begin so, too, which is less than a file has.
        with open(path, "rb") as file:
            file.seek(0, 2)
            if int.from_bytes(begin, "little") > file.tell():
                return "torch"
    return "adamas" if OURS in Tensors(path).metadata else "safetensors"


def _zipped(path: str) -> str:
    names = ZipFile(path).namelist()
    if keras_file.WEIGHTS in names:
        return "keras"
    if any(name.endswith("data.pkl") for name in names):
        return "torch"
    if names and all(name.endswith(numpy_file.ENDING) for name in names):
        return "npz"
    raise ValueError("it is a zip file, and neither of torch nor of Keras nor of NumPy")


def looked_at(path: str) -> dict[str, Any]:
    """What `adamas inspect` tells of a file; raises OSError, and ValueError in one line."""
    if kind_of(path) == "adamas":
        return own(Checkpoint(path, through=True))
    return summary(opened(path))


def opened(path: str) -> Found:
    """A file of another library; raises OSError, and ValueError in one line."""
    found = {
        "torch": torch_file.opened, "keras": keras_file.opened, "npz": numpy_file.opened,
        "safetensors": _plain,
    }  # fmt: skip
    return found[kind_of(path)](path)


def _plain(path: str) -> Found:
    """A safetensors file of nobody in particular."""
    file = Tensors(path, through=True)
    arrays = {
        name: Stored(one.form, one.shape, one.size, partial(file.array, one))
        for name, one in file.placed.items()
    }
    return Found(path, "safetensors", arrays)
