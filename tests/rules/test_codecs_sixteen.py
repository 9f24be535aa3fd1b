"""The codecs of sixteen bits: bfloat16 to nearest and at random, and splits with a correction."""

import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from adamas import codecs
from adamas.codecs import Codec
from codec_levels import (
    INF,
    LARGEST,
    NAN,
    SPECIAL,
    WORDS,
    bits_of,
    floats,
    int32,
)

ml_dtypes: Any = importlib.import_module("ml_dtypes")

Array = NDArray[Any]
NEIGHBOURS = [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF]
EVERY = np.add.outer(np.arange(1 << 16) << 16, NEIGHBOURS).ravel().astype(np.uint32).view(np.int32)


def halves(codec: Codec, bits: Array, word: Any) -> Array:
    """Sixteen-bit codes as they are stored."""
    assert codec.encode
    return np.asarray(codec.encode(bits, 0, int32(word))).astype(np.uint16)


def test_bfloat16_nearest_is_the_cast() -> None:
    """Nearest equals ml_dtypes' cast around every bfloat16; NaN stays NaN, with its sign."""
    found = halves(codecs.BFLOAT16, EVERY, 0).view(ml_dtypes.bfloat16)
    with np.errstate(all="ignore"):
        expected = EVERY.view(np.float32).astype(ml_dtypes.bfloat16)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    real = ~np.isnan(expected)
    assert np.array_equal(found[real].view(np.uint16), expected[real].view(np.uint16))
    assert np.array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize("word", WORDS)
def test_bfloat16_random_brackets(word: int) -> None:
    """Random rounding gives one of the two neighbours, the number itself where it is one."""
    found = halves(codecs.BFLOAT16_RANDOM, EVERY, np.full(EVERY.shape, word))
    down = (EVERY.view(np.uint32) >> 16).astype(np.uint16)
    exact = (EVERY & 0xFFFF) == 0
    lost = np.isnan(EVERY.view(np.float32))
    assert np.array_equal(found[exact & ~lost], down[exact & ~lost])
    away = found.astype(np.int32) - down
    assert np.isin(away[~lost], [0, 1]).all()
    assert np.isnan(found[lost].view(ml_dtypes.bfloat16)).all()
    assert np.array_equal(found[lost] >> 15, down[lost] >> 15)


def test_bfloat16_random_is_unbiased() -> None:
    """Over all 2**16 fractions the mean is the number itself, of either sign."""
    every = np.arange(1 << 16)
    for value in (1.0, 1.00001, -3.14159, 1e-30, -1e-40, 6.5e20):
        codes = halves(codecs.BFLOAT16_RANDOM, np.full(every.shape, bits_of([value])[0]), every)
        wide = codes.view(ml_dtypes.bfloat16).astype(np.float64)
        # Two levels only, so the sum is exact but for one rounding.
        low, high = wide.min(), wide.max()
        mean = low + (high - low) * np.mean(wide == high)
        assert mean == pytest.approx(float(np.float32(value)), rel=1e-15)


def joined(codec: Codec, bits: Array, word: Any) -> tuple[Array, Array]:
    """The code and the float32 bits that come back from it and its correction."""
    assert codec.rest
    assert codec.decode
    word = np.broadcast_to(int32(word), bits.shape)
    code, rest = halves(codec, bits, word), np.asarray(codec.rest(bits, word))
    kept = rest.astype(codec.beside)
    assert np.array_equal(kept, rest)
    return code, np.asarray(codec.decode(code.astype(np.int32), kept.astype(np.int32)))


@given(st.lists(st.integers(-(1 << 31), (1 << 31) - 1), min_size=1, max_size=200))
def test_split16_is_float32(numbers: list[int]) -> None:
    """A bfloat16 with 16 bits of correction gives back every float32 bit for bit; NaN stays NaN."""
    bits = np.concatenate([int32(numbers), SPECIAL, EVERY[::97]])
    code, back = joined(codecs.SPLIT16, bits, 0x7ABC)
    lost = np.isnan(bits.view(np.float32))
    assert np.array_equal(back[~lost], bits[~lost])
    assert np.isnan(back[lost].view(np.float32)).all()
    # The code alone is a nearest bfloat16.
    near = np.abs((code.astype(np.int64) << 16) - bits.view(np.uint32).astype(np.int64))
    assert np.all(near[~lost] <= 1 << 15)


def test_split8_is_unbiased() -> None:
    """Over its 256 fractions the mean of a split number is itself, and never 2**8 units away."""
    words = np.arange(256)
    rng = np.random.default_rng(3)
    for start in [*SPECIAL.tolist()[:6], *rng.integers(-(1 << 31), 1 << 31, 200).tolist()]:
        if np.isfinite(floats(start)) and (start & LARGEST) < LARGEST - 0x100:
            _, back = joined(codecs.SPLIT8, np.full(256, start, np.int32), words)
            away = back.astype(np.int64) - start
            assert away.sum() == 0
            assert np.abs(away).max() < 256


@pytest.mark.parametrize("codec", [codecs.SPLIT8, codecs.SPLIT16], ids=lambda c: c.name)
@pytest.mark.parametrize("word", WORDS)
def test_split_specials(codec: Codec, word: int) -> None:
    """Zeros of both signs, infinities and NaN pass through both splits, whatever is rounded."""
    bits = int32([0, -(1 << 31), INF, INF - (1 << 31)])
    assert np.array_equal(joined(codec, bits, word)[1], bits)
    lost = int32([NAN, 0x7FC00000, 0x7FFFFFFF, -1, -(1 << 22)])
    code, back = joined(codec, lost, word)
    assert np.isnan(back.view(np.float32)).all()
    assert np.isnan(code.view(ml_dtypes.bfloat16)).all()
