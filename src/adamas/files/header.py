"""The header of a safetensors file: what is in it, and where, checked against the file's size.

Eight bytes say how long the header is, the header is JSON, behind it lie the tensors without a gap
(https://huggingface.co/docs/safetensors). Nothing here trusts a number of the file before it has
been compared with the size of the file.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

# By the format's name: NumPy's dtype, in the byte order of the file. NumPy has no bfloat16 and no
# floats of 8 bits: their bits are read.
FORMS: dict[str, np.dtype[Any]] = {
    name: np.dtype(code)
    for name, code in {
        "BOOL": "?", "U8": "u1", "I8": "i1", "F8_E4M3": "u1", "F8_E5M2": "u1", "F8_E8M0": "u1",
        "U16": "<u2", "I16": "<i2", "F16": "<f2", "BF16": "<u2", "U32": "<u4", "I32": "<i4",
        "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8", "C64": "<c8",
    }.items()
}  # fmt: skip
# The dtypes that have a name of their own there.
NAMED = {FORMS[name]: name for name in FORMS if not name.startswith(("BF", "F8"))}
METADATA = "__metadata__"
# That of the safetensors library.
LONGEST = 100_000_000
# How files of torch (a zip, a pickle) and Keras (a zip, HDF5) begin, and what is said of them.
OTHERS = (b"PK\x03\x04", b"\x80\x02", b"\x89HDF")
THEIRS = "; it begins as those of torch and Keras do, which `adamas convert` reads"
# NumPy's arrays have no more axes.
AXES = 64


@dataclass(frozen=True)
class Placed:
    """One tensor of a file: its format, its shape, and the bytes of the file that it lies in."""

    form: str
    shape: tuple[int, ...]
    start: int
    size: int


@dataclass(frozen=True)
class Header:
    """What a file says of itself, and its tensors by name."""

    metadata: dict[str, str]
    tensors: dict[str, Placed]


def packed(
    tensors: Mapping[str, tuple[str, tuple[int, ...]]], metadata: Mapping[str, str], least: int = 0
) -> bytes:
    """The first bytes of a file of tensors with these formats and shapes, in this order.

    They are at least as many as `least`, filled up with spaces, and end where the first tensor
    begins, at a multiple of 8. Raises ValueError where the header would be longer than readers
    take.
    """
    whole: dict[str, Any] = {METADATA: dict(metadata)}
    place = 0
    for name, (form, shape) in tensors.items():
        end = place + math.prod(shape) * FORMS[form].itemsize
        whole[name] = {"dtype": form, "shape": list(shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * max(-len(text) % 8, least - 8 - len(text))
    if len(text) > LONGEST:
        raise ValueError(
            f"the names and numbers of this file take {len(text):,} bytes, and safetensors allows "
            f"{LONGEST:,}; put large arrays into extra= as arrays."
        )
    return len(text).to_bytes(8, "little") + text


def read(file: BinaryIO, size: int) -> Header:
    """The header of a file of `size` bytes; ValueError says what is wrong with it."""
    first = file.read(8)
    if len(first) < 8:
        raise ValueError(f"it has {size} bytes, and a safetensors file has at least 8")
    length = int.from_bytes(first, "little")
    if length > LONGEST:
        raise ValueError(f"it is no safetensors file{THEIRS * first.startswith(OTHERS)}")
    if length > size - 8:
        raise ValueError(f"its header would have {length:,} bytes, and the file has {size:,}")
    text = file.read(length)
    if len(text) < length or not text.startswith(b"{"):
        raise ValueError("it does not begin as a safetensors file does")
    whole = strict_json(text, "its header")
    metadata = whole.pop(METADATA, {})
    if not (isinstance(metadata, dict) and all(isinstance(one, str) for one in metadata.values())):
        raise ValueError("its metadata are not texts")
    tensors = {name: _placed(name, entry, 8 + length) for name, entry in whole.items()}
    _gapless(tensors, 8 + length, size)
    return Header(metadata, tensors)


def strict_json(text: bytes | str, what: str) -> dict[str, Any]:
    """A JSON object in which no name stands twice; ValueError for anything else."""
    try:
        text = text.decode() if isinstance(text, bytes) else text
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError(f"{what} is nested too deep") from None
    except UnicodeError:
        raise ValueError(f"{what} is not UTF-8") from None
    except ValueError as error:
        raise ValueError(f"{what} is no JSON that is used here: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{what} is no JSON object")
    return found


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        text = name + value if isinstance(value, str) else name
        if not text.isascii():
            # Half of a pair of surrogates is no text.
            text.encode()
        if name in found:
            raise ValueError(f"{name[:60]!r} stands there twice")
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _placed(name: str, entry: Any, begin: int) -> Placed:
    """A tensor as its entry has it, at its place in the file; ValueError for what is none."""
    what = f"tensor {name[:60]!r}"
    if not isinstance(entry, dict) or not entry.keys() >= {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{what} has not a dtype, a shape and data_offsets")
    form, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not (isinstance(form, str) and form in FORMS):
        raise ValueError(
            f"{what} has dtype {str(form)[:30]!r}, and adamas reads {', '.join(FORMS)}"
        )
    if not is_shape(shape):
        raise ValueError(f"the shape of {what} is no list of at most {AXES} whole numbers")
    if not (_counts(offsets) and len(offsets) == 2):
        raise ValueError(f"data_offsets of {what} are not two whole numbers")
    start, end = offsets
    # NumPy refuses a shape without elements, too, whose other axes are too long.
    room = math.prod(one for one in shape if one) * FORMS[form].itemsize
    if room >= 1 << 63 or end - start != (0 if 0 in shape else room):
        raise ValueError(f"{what} lies in other than the bytes that its dtype and shape take")
    return Placed(form, tuple(shape), begin + start, end - start)


def is_shape(given: Any) -> bool:
    """Whether it is a list of whole numbers, no more than there are axes."""
    return _counts(given) and len(given) <= AXES


def _counts(given: Any) -> bool:
    return isinstance(given, list) and all(type(n) is int and 0 <= n < 1 << 63 for n in given)


def _gapless(tensors: Mapping[str, Placed], begin: int, size: int) -> None:
    """Raise ValueError unless the tensors fill the file from `begin` on, each byte once."""
    place = begin
    for name, one in sorted(tensors.items(), key=lambda pair: (pair[1].start, pair[1].size)):
        if one.start != place:
            raise ValueError(f"tensor {name[:60]!r} does not begin where the one before it ends")
        place += one.size
    if place != size:
        raise ValueError(f"its tensors end at byte {place:,}, and the file has {size:,}")
