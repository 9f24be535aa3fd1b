"""Few-bit number formats in NumPy: what a state becomes when it is written down and read again.

They emulate formats, bit patterns included, so that a design can be tried before a kernel exists
and so that other projects' formats can stand beside ours. Every format is one function
`(x, words) -> x'` on float32 blocks of shape (blocks, block size); `words` are random uint32 of the
same shape.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Words = NDArray[np.uint32]
Format = Callable[[Floats, Words], Floats]

MANTISSA = 23
LARGEST_EXPONENT = 254


@dataclass(frozen=True)
class Tapered:
    """An 8-bit float whose precision falls with distance from the largest value of its block.

    `segments` lists (octaves, log2 of the levels in one octave) from the top octave downwards. The
    block scale is a power of two, the biased exponent of the block's largest bit pattern. With
    `zero` the lowest code is zero and one bit of the byte is the sign; without it the lowest code
    is the smallest positive level. Rounding is stochastic and linear in the bit pattern.
    """

    segments: tuple[tuple[int, int], ...]
    zero: bool

    def __call__(self, x: Floats, words: Words) -> Floats:
        """The values that remain of `x`, float32 of the same shape."""
        bits = x.view(np.int32)
        size = bits & 0x7FFFFFFF
        step = 1 << (MANTISSA - self.segments[0][1])
        octaves = sum(count for count, _ in self.segments)
        # The bump keeps a maximum that rounds past the top code from being cut at every step.
        top = (size.max(axis=1, keepdims=True) + (step - 1)) >> MANTISSA
        top = np.clip(top, octaves + 1, LARGEST_EXPONENT)
        kept = self._round(size, words, top)
        kept = np.minimum(kept, ((top + 1) << MANTISSA) - step)
        if self.zero:
            kept[kept <= ((top - octaves + 1) << MANTISSA)] = 0
            kept |= bits & np.int32(-0x80000000)
        rounded: Floats = kept.view(np.float32)
        return rounded

    def _round(
        self, size: NDArray[np.int32], words: Words, top: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        kept: NDArray[np.int32] | None = None
        above = lowest = top + 1
        for count, levels in self.segments:
            lowest = lowest - count
            shift = MANTISSA - levels
            start = lowest << MANTISSA
            dither = (words >> np.uint32(32 - shift)).view(np.int32)
            here = start + np.maximum((size - start + dither) >> shift << shift, 0)
            kept = here if kept is None else np.where(size >= above, kept, here)
            above = start
        assert kept is not None
        return kept


def exact(x: Floats, words: Words) -> Floats:
    """Float32 itself."""
    return x


def bfloat16_nearest(x: Floats, words: Words) -> Floats:
    """The upper half of float32, rounded to nearest, ties to even."""
    bits = x.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32)


def bfloat16_stochastic(x: Floats, words: Words) -> Floats:
    """The upper half of float32, rounded up with the probability of the cut-off part."""
    return ((x.view(np.uint32) + (words >> 16)) & np.uint32(0xFFFF0000)).view(np.float32)


def _group_scale(x: Floats) -> Floats:
    """The largest magnitude of each block in float16, as FlashOptim keeps it; never zero."""
    with np.errstate(over="ignore"):
        scale: Floats = np.abs(x).max(axis=1, keepdims=True).astype(np.float16).astype(np.float32)
    scale[scale == 0] = 1
    return scale


def softsign_int8(x: Floats, words: Words) -> Floats:
    """FlashOptim's first moment: 2x / (1 + |x|) of the scaled value in int8, to nearest."""
    scale = _group_scale(x)
    scaled = x / scale
    code = np.clip(np.rint(127 * (2 * scaled / (1 + np.abs(scaled)))), -127, 127)
    z: Floats = code.astype(np.float32) / np.float32(127)
    kept: Floats = z / (2 - np.abs(z)) * scale
    return kept


def root_uint8(x: Floats, words: Words) -> Floats:
    """FlashOptim's second moment: its square root scaled to uint8, to nearest."""
    root = np.sqrt(x)
    scale = _group_scale(root)
    code = np.clip(np.rint(255 * (root / scale)), 0, 255).astype(np.float32)
    root = code * scale / np.float32(255)
    return root * root


M_E4M3 = Tapered(((16, 3),), zero=True)
M_TWO_TOP = Tapered(((2, 5), (8, 3)), zero=True)
M_ONE_TOP = Tapered(((1, 5), (12, 3)), zero=True)
M_T7E = Tapered(((2, 5), (2, 4), (3, 3), (8, 0)), zero=True)
V_E5M3 = Tapered(((32, 3),), zero=False)
V_T8 = Tapered(((6, 5), (8, 2), (16, 1)), zero=False)
V_T8Q = Tapered(((5, 5), (24, 2)), zero=False)
