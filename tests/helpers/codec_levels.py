"""The levels of the scaled codecs, written as sums of powers of two, and calls of their functions.

Nothing here is taken from the codecs but the functions under test.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from adamas import codecs
from adamas.codecs import Codec

Array = NDArray[Any]
INF, NAN = 0x7F800000, 0x7F800001
LARGEST = 0x7F7FFFFF
# Octaves from the lowest on and their bits of mantissa; the other mean8 codes are signs.
SEGMENTS = {"mean8": [(16, 3)], "square8": [(24, 2), (5, 5)], "square4": [(8, 1)]}
# mean4 in halves of the lowest octave's first number.
HALVES = [0, 1, 2, 4, 6, 10, 14, 22]
# Octaves from the lowest to that of the largest level.
OCTAVES = {"mean8": 16, "square8": 29, "mean4": 4, "square4": 8}
# Which bits of a random word are the fraction: how many, above which place.
FRACTIONS = {"mean8": (20, 12), "square8": (18, 14), "mean4": (22, 10), "square4": (22, 10)}
# The largest byte of a block that is rounded at random: means reach 2**100 above it, and the
# octave of infinity begins above it in blocks of squares.
RANDOM = {"mean8": 211, "mean4": 223, "square8": 226, "square4": 247}
SCALED: dict[str, Codec] = {
    codec.name: codec for codec in (codecs.MEAN8, codecs.SQUARE8, codecs.MEAN4, codecs.SQUARE4)
}
MEANS, SQUARES = ["mean8", "mean4"], ["square8", "square4"]
# Random words that round down, up, and anyhow, whichever of their bits a codec takes.
WORDS = [0, -1, 1, -(1 << 31), (1 << 31) - 1, 0x12345678, -0x12345678, 0xFFFFF, 0x3FFFFF]
# mean4 adds floats: infinity is meant where NumPy would warn.
QUIET = np.errstate(over="ignore", invalid="ignore")

every_scaled = pytest.mark.parametrize("name", SCALED)


def int32(values: Any) -> Array:
    """An array of 32-bit integers, whatever comes."""
    return np.asarray(values, np.int64).astype(np.int32)


def floats(bits: Any) -> Array:
    """The float32 numbers with these bits."""
    return int32(bits).view(np.float32)


def bits_of(values: Any) -> Array:
    """The bits of float32 numbers."""
    return np.ascontiguousarray(values, np.float32).view(np.int32)


SPECIAL = int32([0, -(1 << 31), 1, 0x7FFFFF, 0x800000, 0x3F800000, LARGEST, INF, INF - (1 << 31)])


def lows(name: str) -> Array:
    """Every byte that may be kept with a block, as int32: its highest octave holds infinity."""
    return np.arange(1, 257 - OCTAVES[name], dtype=np.int32)


def first(low: Any) -> Any:
    """The first number of the lowest octave, in float64."""
    return 2.0 ** (np.asarray(low, np.float64) - 127)


def levels(name: str, low: int = 127) -> Array:
    """The numbers that the codes 0, 1, 2, ... of a positive sign stand for, in float64."""
    if name == "mean4":
        return np.asarray(np.array(HALVES) / 2 * first(low))
    found, start = [], low - 127
    for count, mantissa in SEGMENTS[name]:
        size = 1 << mantissa
        found += [(1 + k / size) * 2.0 ** (start + e) for e in range(count) for k in range(size)]
        start += count
    return np.array([0.0, *found[1:]] if name in MEANS else found)


def held(name: str, low: Any, values: Array) -> Array:
    """These levels as float32 must hold them: the octave of infinity is infinite.

    A mean4 is moved down after it was put together, so 7 * 2**125 is infinite already.
    """
    moved = first(low) if name == "mean4" else 0.0
    return np.where(values + moved < 2.0**128, values, np.inf)


def bracket(name: str, low: Any, values: Any) -> tuple[Array, Array]:
    """The levels next to positive numbers, below and above; twice the level where one is met."""
    units, unit = levels(name), first(low)
    ratio = np.asarray(values, np.float64) / unit
    below = np.clip(np.searchsorted(units, ratio, side="right") - 1, 0, None)
    above = np.where(units[below] >= ratio, below, np.minimum(below + 1, len(units) - 1))
    return units[below] * unit, units[above] * unit


@QUIET
def coded(name: str, bits: Any, low: Any, word: Any) -> Array:
    """The codes as they are read back from memory."""
    codec = SCALED[name]
    assert codec.encode
    bits, low, word = np.broadcast_arrays(int32(bits), int32(low), int32(word))
    found = np.asarray(codec.encode(bits, low, word))
    if codec.bits == 4:
        assert ((found >= 0) & (found < 16)).all()
        return found
    info = np.iinfo(codec.dtype)
    # Only a sign may be cut off by the byte.
    assert ((found >= info.min) & (found < 256)).all()
    return found.astype(codec.dtype).astype(np.int32)


@QUIET
def decoded(name: str, codes: Any, low: Any) -> Array:
    """The float32 numbers of codes."""
    codec = SCALED[name]
    assert codec.decode
    codes, low = np.broadcast_arrays(int32(codes), int32(low))
    return floats(codec.decode(codes, low))


def lowest(name: str, most: Any) -> Array:
    """The byte of a block whose largest element has the bits `most`."""
    codec = SCALED[name]
    assert codec.low
    return np.asarray(codec.low(int32(np.atleast_1d(most))))


def stored_codes(name: str) -> Array:
    """Every code of a codec, as it is read from memory."""
    if SCALED[name].bits == 4:
        return np.arange(16)
    return np.arange(256).astype(SCALED[name].dtype).astype(np.int32)


def fractions(name: str) -> Array:
    """Words that go through every fraction once, with noise in the other bits."""
    width, place = FRACTIONS[name]
    every = np.arange(1 << width, dtype=np.int64) << place
    rest = np.random.default_rng(1).integers(0, 1 << 32, every.size)
    return int32(every | rest & ~(((1 << width) - 1) << place))


def mean_of(name: str, bits: int, low: int, words: Array) -> float:
    """The mean of what a number is stored as, over all these words, exactly rounded once."""
    codes = coded(name, np.full(words.shape, bits), low, words)
    start = int(codes.min())
    count = np.bincount(codes - start)
    found = start + np.flatnonzero(count)
    count = count[found - start]
    values = decoded(name, found, low).astype(np.float64)
    assert len(found) <= 2
    return float(values @ count) / words.size
