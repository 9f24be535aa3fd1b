"""What few-bit kernels must store, in NumPy: hash, blocks and packing written a second time.

Only the codecs' formulas are adamas' own here; `test_codecs` judges those.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from adamas.codecs import BLOCK, Codec
from adamas.kernel.formula import Formula
from hoisted import Interpreter

Array = NDArray[Any]
GOLDEN = 0x9E3779B1
QUIET = np.errstate(over="ignore", invalid="ignore")


def mix(key: Any, number: Any, purpose: int) -> Array:
    """Wellons' lowbias32 of a key, a number and a purpose, in uint64 cut to 32 bits."""
    low = np.uint64(0xFFFFFFFF)
    number, key = np.asarray(number, np.uint64), np.asarray(key, np.uint64)
    x = (key ^ (number * np.uint64(GOLDEN) & low)) + np.uint64(purpose * 668265263 & 0xFFFFFFFF)
    x = ((x & low) ^ ((x & low) >> np.uint64(16))) * np.uint64(0x7FEB352D) & low
    x = (x ^ (x >> np.uint64(15))) * np.uint64(0x846CA68B) & low
    return np.asarray(x ^ (x >> np.uint64(16)))


@dataclass(frozen=True)
class Cut:
    """Element counts of a tensor's blocks, in order, from its shape by the rule of issue 3."""

    shape: tuple[int, ...]

    @property
    def lengths(self) -> list[int]:
        """Every row anew where rows are half a block or longer, else straight on."""
        size = int(np.prod(self.shape))
        row = size // self.shape[0] if len(self.shape) > 1 and size else size
        rows = [row] * self.shape[0] if 2 * row >= BLOCK and len(self.shape) > 1 else [size]
        return [
            n for row in rows for n in [BLOCK] * (row // BLOCK) + [row % BLOCK] * (row % BLOCK > 0)
        ]

    def blocks(self, flat: Array) -> list[Array]:
        """The blocks of a flat array."""
        return np.split(flat, np.cumsum(self.lengths)[:-1])

    def numbers(self) -> tuple[Array, Array]:
        """Each element's block, and its place in it."""
        lengths = self.lengths
        block = np.repeat(np.arange(len(lengths)), lengths)
        return block, np.concatenate([np.arange(n) for n in lengths])

    def words(self, seed: int, own: int, step: int, purpose: int) -> Array:
        """The random word of every element, as int32."""
        key = mix(mix(seed, own, 0), step, 1)
        block, place = self.numbers()
        word = mix(key, block, purpose) + place.astype(np.uint64) * np.uint64(GOLDEN)
        return (word & np.uint64(0xFFFFFFFF)).astype(np.uint32).view(np.int32)

    def packed(self, codes: Array) -> Array:
        """Codes of four bits, two to a byte: a block's first half low, its second half high."""
        found = []
        for block in self.blocks(codes):
            half = (len(block) + 1) // 2
            high = np.zeros(half, np.uint8)
            high[: len(block) - half] = block[half:]
            found.append(block[:half] | high << 4)
        return np.concatenate(found)


@QUIET
def stored(codec: Codec, name: str, fresh: Array, cut: Cut, words: Array) -> dict[str, Array]:
    """The arrays in which float32 numbers are kept, flat, by name."""
    bits = np.ascontiguousarray(fresh.ravel(), np.float32).view(np.int32)
    assert codec.encode
    if codec.rest:
        rest = codec.rest(bits, words).astype(codec.beside)
        return {name: codec.encode(bits, 0, words).astype(np.uint16), f"{name}.rest": rest}
    if not codec.low:
        return {name: codec.encode(bits, 0, words).astype(np.uint16)}
    most = np.array([block.max() for block in cut.blocks(bits & 0x7FFFFFFF)], np.int32)
    lows = codec.low(most)
    codes = codec.encode(bits, np.repeat(lows, cut.lengths), words).astype(codec.dtype)
    flat = cut.packed(codes) if codec.bits == 4 else codes
    return {name: flat, f"{name}.scale": lows.astype(np.uint8)}


@QUIET
def loaded(codec: Codec, fresh: Array, cut: Cut, words: Array) -> Array:
    """The float32 numbers that those arrays mean."""
    bits = np.ascontiguousarray(fresh.ravel(), np.float32).view(np.int32)
    assert codec.encode
    assert codec.decode
    beside: Any = 0
    if codec.low:
        most = np.array([block.max() for block in cut.blocks(bits & 0x7FFFFFFF)], np.int32)
        beside = np.repeat(codec.low(most), cut.lengths)
    codes = codec.encode(bits, beside, words)
    codes = codes & 15 if codec.bits == 4 else codes.astype(codec.dtype).astype(np.int32)
    second = codec.rest(bits, words) if codec.rest else beside
    found = np.asarray(codec.decode(codes, second), np.int32)
    return found.view(np.float32).reshape(fresh.shape).copy()


def purposes(states: Sequence[str], codecs: Mapping[str, Codec]) -> dict[str, int]:
    """The number of each array's random word: its place among those that are rounded."""
    return {name: k for k, name in enumerate(name for name in ("p", *states) if name in codecs)}


class FewBits(Interpreter):
    """The NumPy run of a rule whose numbers are kept in codes; `kept_as` holds them after a step.

    `codecs` names the codec of p and of each state that is not plain; `own` is the tensor's number.
    """

    def __init__(
        self,
        formula: Formula,
        p: Array,
        codecs: Mapping[str, Codec],
        seed: int,
        own: int,
        **hypers: float,
    ) -> None:
        super().__init__(formula, p, "float32", None, **hypers)
        self.codecs = {name: codec for name, codec in codecs.items() if codec.encode}
        self.cut = Cut(p.shape)
        self.seed, self.own = seed, own
        self.purposes = purposes(self.formula.states, self.codecs)
        self.kept_as: dict[str, Array] = {}
        # Before the first step a state is what its initial value, 0 here, is stored as.
        half = np.zeros(p.size, np.int32)
        for name, codec in self.codecs.items():
            if name != "p":
                self.state[name] = loaded(codec, self.state[name], self.cut, half)

    def kept(self, name: str, value: Any) -> Any:
        """Encode with this step's words, and decode."""
        value = super().kept(name, value)
        if name not in self.codecs:
            self.kept_as[name] = value.ravel()
            return value
        words = self.cut.words(self.seed, self.own, self.t, self.purposes[name])
        self.kept_as |= stored(self.codecs[name], name, value, self.cut, words)
        return loaded(self.codecs[name], value, self.cut, words)


def everywhere(name: str) -> Callable[[Any, Any], str]:
    """A `state=` that uses one format for every tensor, however small."""
    return lambda key, array: name


def coarse(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers of 8 bits of mantissa, over 8 decades."""
    found = rng.normal(size=shape) * 10.0 ** rng.uniform(-6, 2, size=shape)
    return found.astype(ml_dtypes.bfloat16).astype(np.float32)


def bfloat16(values: Sequence[float] | Array) -> Array:
    """Numbers as bfloat16 bits, which must hold them exactly."""
    wide = np.ascontiguousarray(values, np.float32)
    bits = (wide.view(np.uint32) >> 16).astype(np.uint16)
    assert np.array_equal(widened(bits), wide, equal_nan=True)
    return bits


def widened(bits: Array) -> Array:
    """What bfloat16 bits mean."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
