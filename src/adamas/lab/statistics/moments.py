"""Means and spreads of losses of any size: of numbers made smaller where their squares overflow.

A power of two changes no digit, so that ordinary losses have the bits that they have without it.
"""

from collections.abc import Iterable, Sequence
from math import frexp, isfinite, ldexp
from statistics import fmean, stdev


def average(values: Iterable[float]) -> float:
    """Return the mean, infinite or NaN where a value is; raises StatisticsError without values.

    >>> average([1.5e308, 1.7e308])
    1.6e+308
    """
    small, power = shrunk(list(values))
    return grown(fmean(small), power)


def spread(values: Sequence[float], centre: float) -> float:
    """Return the standard deviation of at least two finite values.

    `centre` is their mean.

    >>> spread([2e300, 4e300], 3e300) == 2.0**0.5 * 1e300
    True
    """
    small, power = shrunk(values)
    return grown(stdev(small, ldexp(centre, -power)), power)


def shrunk(values: Sequence[float]) -> tuple[list[float], int]:
    """Return values over the power of two that no finite one reaches, and its exponent, from 0."""
    power = max(0, frexp(max(map(abs, filter(isfinite, values)), default=0.0))[1])
    return [ldexp(value, -power) for value in values], power


def grown(value: float, power: int) -> float:
    """Return a value times 2**`power`, infinite where that is too large."""
    return ldexp(value, power // 2) * 2.0 ** (power - power // 2)
