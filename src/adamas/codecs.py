# mypy: allow-untyped-defs, allow-untyped-calls
"""How one number of the parameter, the gradient or a state lies in memory.

Few-bit formats work on the bits of a float32, as integers: among positive floats a larger integer
is a larger number, an octave is 2**23 apart, and inside an octave integers and values are
proportional, so rounding the integers at random is unbiased as long as every octave begins with a
level. `decode` turns a code into bits, `encode` bits into a code, `low` says from the largest bits
of a block which octave its codes begin with. They are formulas on int32 that wraps around: the
same text runs inside the kernel and on NumPy arrays.

A second moment needs other formats than a first (docs/decisions/0008-few-bits.md): it has no code
for zero, because a divisor that becomes zero explodes, and it is always rounded at random, because
it moves by a thousandth a step and nearest rounding would stop it. A first moment that is far below
its block becomes zero, because over a small second moment even the smallest level is too large.

Rounding to codes of blocks never makes a finite number infinite: from some `low` on there is no
`noise`, and numbers are cut off. Means are so from 2**100 on and never grow: a mean of numbers that
float32 holds, divided by 1 - beta**t, stays one that it holds. Over the second moments of such
gradients, which are infinite, they count for nothing. Only a bfloat16 above 3.38e38 may round up to
infinity, as IEEE has it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from adamas import words
from adamas.words import maximum, minimum

__all__ = ["BLOCK", "CODECS", "FLOAT32", "FLOAT64", "FORMATS", "KINDS", "Codec", "find", "stored"]

# Of integers here, of which the word itself says nothing.
where: Any = words.where

BLOCK = 128
"""Elements that share a scale and one hash; measured against 32, 128 and 256."""


@dataclass(frozen=True)
class Codec:
    """One storage format: `dtype` is NumPy's name of it, `bits` the size of one element.

    `decode(code, low)` gives float32 bits, `encode(bits, low, random)` a code, and `low(most)` the
    byte that is kept with every block, from the largest bits without sign in it; it is 0 where they
    are those of a NaN. `rest(bits, random)` is what `encode` leaves over, kept in an array of dtype
    `beside`, and `decode(code, rest)` puts both together. What a format does not need is None.
    """

    name: str
    dtype: str
    bits: int
    decode: Callable[..., Any] | None = None
    encode: Callable[..., Any] | None = None
    low: Callable[..., Any] | None = None
    rest: Callable[..., Any] | None = None
    beside: str | None = None

    @property
    def size(self) -> int:
        """Bytes of one code; also 1 where a byte holds two."""
        return max(1, self.bits // 8)


def plus(x, y):
    """The bits of the sum of two floats that are given by their bits."""
    return (_float(x) + _float(y)).view(np.int32)


def minus(x, y):
    """The bits of the difference of two floats that are given by their bits."""
    return (_float(x) - _float(y)).view(np.int32)


def is_nan(bits):
    """Whether they are those of a NaN: one comparison of floats, three operations on integers."""
    return np.isnan(_float(bits))


def _float(bits):
    return np.asarray(bits, np.int32).view(np.float32)


def bfloat16_decode(code, low):
    """The upper half of a float32."""
    return code << 16


def bfloat16_nearest(bits, low, random):
    """To nearest, ties to even; NaN keeps its sign and becomes the quiet one."""
    nearest = bits + 0x7FFF + ((bits >> 16) & 1)
    return where(is_nan(bits), bits | 0x400000, nearest) >> 16


def bfloat16_random(bits, low, random):
    """Up or down at random, unbiased; NaN becomes the quiet one."""
    return where(is_nan(bits), bits | 0x400000, bits + (random & 0xFFFF)) >> 16


def split16_decode(code, rest):
    """A bfloat16 and 16 bits of correction are the whole float32."""
    return (code << 16) + rest


def split16_encode(bits, low, random):
    """The nearest bfloat16, ties away from zero."""
    return where(is_nan(bits), bits | 0x400000, bits + 0x8000) >> 16


def split16_rest(bits, random):
    """What the bfloat16 lacks, -2**15 to 2**15 - 1."""
    left = bits - (((bits + 0x8000) >> 16) << 16)
    return where(is_nan(bits), 0, left)


def split8_decode(code, rest):
    """A bfloat16 and 8 bits of correction are a float32 without its last 8 bits."""
    return (code << 16) + (rest << 8)


def split8_encode(bits, low, random):
    """The bfloat16 nearest to the number after rounding it, at random, to 24 bits."""
    kept = (bits + (random & 0xFF)) & -256
    return where(is_nan(bits), bits | 0x400000, kept + 0x8000) >> 16


def split8_rest(bits, random):
    """What that bfloat16 lacks. Rounded first, because a correction cut off at 127 is biased."""
    kept = (bits + (random & 0xFF)) & -256
    left = (kept - (((kept + 0x8000) >> 16) << 16)) >> 8
    return where(is_nan(bits), 0, left)


def mean8_decode(code, low):
    """Sign, 4 bits of exponent, 3 of mantissa: 16 octaves from the lowest, code 0 is zero."""
    placed = (code << 20) & -0x78100000
    return where((placed & 0x7FFFFFFF) == 0, 0, placed + (low << 23))


def mean8_encode(bits, low, random):
    """Unbiased from the smallest level on, which is 1.125 in the lowest octave; below it zero."""
    noise = ((low - 212) >> 31) & 0xFFFFF
    size = ((bits & 0x7FFFFFFF) - (low << 23) + ((random >> 12) & noise)) >> 20
    return maximum(size, 0) | ((bits >> 24) & 128)


def mean8_low(most):
    """The largest number must not round up beyond the last code."""
    return where(most > 0x7F800000, 0, maximum(((most + 0xFFFFF) >> 23) - 15, 1))


def square8_decode(code, low):
    """No zero: 24 octaves of 4 levels from the lowest, and above them 5 octaves of 32."""
    # `low` comes last: with the upper scales (code << 21) + (low << 23) would pass 2**31.
    return minimum(code << 21, (code << 18) + (21 << 23)) + (low << 23)


def square8_encode(bits, low, random):
    """Unbiased; what is below the lowest octave becomes its first level."""
    noise = ((low - 227) >> 31) & 0x3FFFF
    place = maximum(bits - ((low + 21) << 23), (bits - (low << 23)) >> 3)
    return maximum((place + ((random >> 14) & noise)) >> 18, 0)


def square8_low(most):
    """The largest number must not round up beyond the last code; the smallest must be normal."""
    return where(most > 0x7F800000, 0, maximum(((most + 0x3FFFF) >> 23) - 28, 1))


def mean4_decode(code, low):
    """Sign and 3 bits: 0, 1, 2, 4, 6, 10, 14, 22 halves of the lowest octave's first number.

    They are floats of one bit of mantissa, moved down by the first of them.
    """
    size = minus(((code & 7) << 22) + (low << 23), low << 23)
    return size | ((code & 8) << 28)


def mean4_encode(bits, low, random):
    """Unbiased from half the smallest level on; below that zero."""
    noise = ((low - 224) >> 31) & 0x3FFFFF
    size = plus(bits & 0x7FFFFFFF, low << 23) - (low << 23)
    rounded = minimum((size + ((random >> 10) & noise)) >> 22, 7)
    return where(size < 0x200000, 0, rounded) | ((bits >> 28) & 8)


def mean4_low(most):
    """The largest number must not round up beyond the last code, 11 times the first number."""
    # 251 is the largest that leaves the last code finite; infinity has a number of its own.
    top = where(most < 0x7F800000, 251, 252)
    return where(most > 0x7F800000, 0, maximum(minimum(((most + 0x4FFFFF) >> 23) - 3, top), 1))


def square4_decode(code, low):
    """3 bits of exponent, 1 of mantissa: 8 octaves from the lowest, no zero."""
    return (code << 22) + (low << 23)


def square4_encode(bits, low, random):
    """Unbiased; what is below the lowest octave becomes its first level."""
    noise = ((low - 248) >> 31) & 0x3FFFFF
    return maximum((bits - (low << 23) + ((random >> 10) & noise)) >> 22, 0)


def square4_low(most):
    """The largest number must not round up beyond the last code; the smallest must be normal."""
    return where(most > 0x7F800000, 0, maximum(((most + 0x3FFFFF) >> 23) - 7, 1))


FLOAT16 = Codec("float16", "float16", 16)
FLOAT32 = Codec("float32", "float32", 32)
FLOAT64 = Codec("float64", "float64", 64)
BFLOAT16 = Codec("bfloat16", "uint16", 16, bfloat16_decode, bfloat16_nearest)
BFLOAT16_RANDOM = Codec("bfloat16_random", "uint16", 16, bfloat16_decode, bfloat16_random)
SPLIT16 = Codec(
    "split16", "uint16", 16, split16_decode, split16_encode, rest=split16_rest, beside="int16"
)
SPLIT8 = Codec(
    "split8", "uint16", 16, split8_decode, split8_encode, rest=split8_rest, beside="int8"
)
MEAN8 = Codec("mean8", "int8", 8, mean8_decode, mean8_encode, mean8_low)
SQUARE8 = Codec("square8", "uint8", 8, square8_decode, square8_encode, square8_low)
MEAN4 = Codec("mean4", "uint8", 4, mean4_decode, mean4_encode, mean4_low)
SQUARE4 = Codec("square4", "uint8", 4, square4_decode, square4_encode, square4_low)

# Formats in which gradients may come; all but float16 may be parameters.
CODECS = {codec.name: codec for codec in (FLOAT32, FLOAT64, BFLOAT16, FLOAT16)}

KINDS = ("mean", "square", "exact")
"""What a state holds: a signed mean, a mean of squares, or something that must not be rounded."""

FORMATS: dict[str, dict[str, Codec]] = {
    "float32": dict.fromkeys(KINDS, FLOAT32),
    "float64": dict.fromkeys(KINDS, FLOAT64),
    "bfloat16": {"mean": BFLOAT16_RANDOM, "square": BFLOAT16_RANDOM, "exact": FLOAT32},
    "int8": {"mean": MEAN8, "square": SQUARE8, "exact": FLOAT32},
    "int4": {"mean": MEAN4, "square": SQUARE4, "exact": FLOAT32},
}
"""The formats a user may name, and the codec of each for every kind of state."""


def find(name: str) -> Codec:
    """The plain codec for a name; raises ValueError naming those there are."""
    if name not in CODECS:
        raise ValueError(
            f"no storage format {name!r}; adamas stores {', '.join(CODECS)}. "
            "Convert the array with .astype(np.float32)."
        )
    return CODECS[name]


def stored(name: str, kind: str) -> Codec:
    """The codec of a state of `kind` in the format `name`; raises ValueError naming the formats."""
    if name not in FORMATS:
        raise ValueError(f"no storage format {name!r}; adamas stores {', '.join(FORMATS)}.")
    return FORMATS[name][kind]
