"""The scaled codecs, over all their codes and scales: levels, rounding, and odd numbers."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codec_levels import (
    FRACTIONS,
    INF,
    LARGEST,
    MEANS,
    NAN,
    RANDOM,
    SQUARES,
    WORDS,
    bits_of,
    bracket,
    coded,
    decoded,
    every_scaled,
    first,
    floats,
    fractions,
    held,
    levels,
    lowest,
    lows,
    mean_of,
    stored_codes,
)

Array = NDArray[Any]


@every_scaled
def test_levels(name: str) -> None:
    """Every code of every scale stands for the level that the format says."""
    positive = len(levels(name))
    for low in lows(name).tolist():
        expected = held(name, low, levels(name, low))
        found = decoded(name, np.arange(positive), low)
        finite = np.isfinite(expected)
        assert np.array_equal(found[finite], expected[finite])
        # Of the infinite levels only the first is ever stored.
        count = int(finite.sum())
        assert np.all(found[count : count + 1] == np.inf)
        if name in MEANS:
            negative = decoded(name, stored_codes(name)[positive:], low)
            assert np.array_equal(negative[finite], -expected[finite])


@every_scaled
@pytest.mark.parametrize("word", WORDS)
def test_levels_stay(name: str, word: int) -> None:
    """A number that is a level keeps its code, however it is rounded."""
    codes, low = np.meshgrid(stored_codes(name), lows(name))
    values = decoded(name, codes, low)
    whole = ~np.isnan(values)
    found = coded(name, values[whole].view(np.int32), low[whole], word)
    again = decoded(name, found, low[whole])
    assert np.array_equal(again, values[whole])
    # Zero of a negative sign is zero: it need not keep its code.
    signed = values[whole] != 0
    assert np.array_equal(found[signed], codes[whole][signed])


@every_scaled
def test_codes_are_ordered(name: str) -> None:
    """A larger number never has a smaller code, with the same random word."""
    rng = np.random.default_rng(0)
    for low in (1, 2, 100, int(lows(name)[-1])):
        bits = np.sort(rng.integers(0, INF, 20_000))
        bits = bits[floats(bits) <= levels(name, low)[-1]]
        for word in rng.integers(-(1 << 31), 1 << 31, 8):
            values = decoded(name, coded(name, bits, low, word), low)
            assert np.all(values[1:] >= values[:-1])


def unbiased_from(name: str, low: int) -> float:
    """The smallest number whose mean is itself."""
    least, second = levels(name, low)[:2]
    return float({"mean8": second, "mean4": second / 2}.get(name, least))


def bias(name: str, low: int, bits: int) -> float:
    """How far the mean may be off: what the fraction has no bit for, or a sum cannot hold."""
    value = float(floats(bits))
    below, above = bracket(name, low, value)
    unit = float(np.spacing(floats(bits)))
    found = max(0.0, float(above - below) * 2.0 ** -FRACTIONS[name][0] - unit)
    if name == "mean4":
        found += float(np.spacing(np.float32(value + first(low)))) / 2
    return found


@every_scaled
def test_unbiased(name: str) -> None:
    """The mean over all random fractions is the number itself, from the first level on.

    A mean4 is unbiased from half its first level on, but for the rounding of one float32 sum.
    """
    rng = np.random.default_rng(2)
    words = fractions(name)
    for low in (1, RANDOM[name]):
        ends = bits_of([unbiased_from(name, low), levels(name, low)[-1]])
        start, last = ends.tolist()
        sampled = [start, start + 1, last - 1, last, *rng.integers(start, last, 4).tolist()]
        for bits in sampled:
            value, bound = float(floats(bits)), bias(name, low, bits)
            assert abs(mean_of(name, bits, low, words) - value) <= bound
            if name in MEANS:
                assert abs(mean_of(name, bits - (1 << 31), low, words) + value) <= bound


def test_small_means_of_eight_bits_become_zero() -> None:
    """Below the lowest octave a mean is zero; from there to the first level it is never enlarged.

    With first level a and lowest octave's start b, a number x between them is a with probability
    (x - b) / (a - b): the mean is at most x, and 0 at b.
    """
    words = fractions("mean8")
    for low in (1, 2, 100, RANDOM["mean8"]):
        start, gap = low << 23, 1 << 20
        below = np.array([0, 1, 1 << 22, start - gap, start - 1, start])
        for word in WORDS:
            assert not decoded("mean8", coded("mean8", below, low, word), low).any()
            assert not decoded("mean8", coded("mean8", below - (1 << 31), low, word), low).any()
        for part in (0.25, 0.5, 0.75):
            bits, level = start + int(part * gap), 1.125 * float(first(low))
            found = mean_of("mean8", bits, low, words)
            assert found == pytest.approx(part * level, rel=1e-12)
            assert part * level <= float(floats(bits))


def test_small_means_of_four_bits_become_zero() -> None:
    """Below half the first level a mean4 is zero whatever the word; from there it may be either."""
    for low in (1, 2, 100, RANDOM["mean4"]):
        half = float(levels("mean4", low)[1]) / 2
        # Just below half, the float32 sum rounds up to it.
        below = bits_of([0.0, 2.0**-149, half / 8, half / 2, half * (1 - 2.0**-20)])
        for word in WORDS:
            assert not decoded("mean4", coded("mean4", below, low, word), low).any()
            signed = below.astype(np.int64) - (1 << 31)
            assert not decoded("mean4", coded("mean4", signed, low, word), low).any()
        found = decoded("mean4", coded("mean4", bits_of([half, half]), low, [0, -1]), low)
        assert found.tolist() == [0.0, 2 * half]


@pytest.mark.parametrize("name", SQUARES)
def test_squares_are_never_zero(name: str) -> None:
    """Zero, a subnormal and whatever is below the range become the lowest level, not zero."""
    for low in lows(name).tolist():
        small = np.array([0, 1, 1 << 20, 1 << 22, (low << 23) - 1, low << 23])
        for word in WORDS:
            found = decoded(name, coded(name, small, low, word), low)
            assert np.all(found == 2.0 ** (low - 127))
    assert not np.any(decoded(name, stored_codes(name)[:, None], lows(name)) <= 0)


@every_scaled
def test_the_largest_of_a_block_fits(name: str) -> None:
    """The largest element, of any size, is one of the levels next to it; no octave is wasted."""
    step = 1 << 18
    # Every exponent with every mantissa around a level.
    around = np.add.outer(np.arange(0, INF, step), [0, 1, step // 2, step - 1]).ravel()
    most = np.append(around, INF)
    low, values = lowest(name, most), floats(most).astype(np.float64)
    assert low.min() == 1
    assert low.max() == lows(name)[-1]
    below, above = (held(name, low, level) for level in bracket(name, low, values))
    for word in WORDS:
        found = decoded(name, coded(name, most, low, word), low)
        assert np.all((found == below) | (found == above))
    # One octave less, and the largest would be beyond the last level.
    assert np.all((values > levels(name)[-1] * first(low - 1))[low > 1])


@every_scaled
def test_finite_blocks(name: str) -> None:
    """Up to the last level below infinity a number stays finite; only NaN gives the byte 0."""
    last = int(bits_of(levels(name, int(lows(name)[-1]) - 1)[-1:])[0])
    low = lowest(name, [last, LARGEST, INF, NAN, 0x7FC00000, 0x7FFFFFFF])
    assert low[:3].min() > 0
    assert not low[3:].any()
    for word in WORDS:
        assert np.isfinite(decoded(name, coded(name, last, low[0], word), low[0]))
        assert decoded(name, coded(name, INF, low[2], word), low[2]) == np.inf


@every_scaled
def test_what_is_finite_stays_finite(name: str) -> None:
    """No finite number becomes infinite, NaN or of another sign; huge means never grow."""
    rng = np.random.default_rng(4)
    most = np.append(rng.integers(RANDOM[name] << 23, INF, 500), [LARGEST, LARGEST - 1])
    low = lowest(name, most)
    for share in (1.0, 0.999, 0.9, 0.5, 2.0**-9):
        bits = bits_of(floats(most) * np.float32(share))
        for word in WORDS:
            found = decoded(name, coded(name, bits, low, word), low)
            assert np.isfinite(found).all() and np.all(found >= 0)
            if name in MEANS:
                huge = low > RANDOM[name]
                assert np.all(found[huge] <= floats(bits)[huge])
                negative = bits.astype(np.int64) - (1 << 31)
                assert np.array_equal(-decoded(name, coded(name, negative, low, word), low), found)


@every_scaled
def test_a_block_of_zeros(name: str) -> None:
    """A block of zeros is zero for a mean, and 2**-126, the least normal number, for a square."""
    low = lowest(name, 0)
    assert low == 1
    for word in WORDS:
        for zero in (0, -(1 << 31)) if name in MEANS else (0,):
            found = decoded(name, coded(name, zero, low, word), low)
            assert found == (0.0 if name in MEANS else 2.0**-126)
