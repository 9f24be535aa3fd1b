"""Tell numbers that name or number the rows from measurements; what cannot be told is said.

A network that is shown a row's number learns which rows are neighbours, and a random split puts a
neighbour of nearly every row that judges among those that train.
"""

from math import expm1, log, log1p

import numpy as np

from adamas.lab.problems import Array

# Of numbers that differ in every row, up to this share may still occur twice: rows get copied.
COPIES = 0.05
# The chance of so few repetitions among measurements is below exp(-7), one in a thousand.
SURE = 7.0
# Whole numbers up to here are exact in float64.
EXACT = 2.0**53


def role(values: Array, days: bool = False) -> str | None:
    """Return "counter", "ordered", "unique" or None for what a whole column says of its rows.

    - "counter": whole numbers, hardly one of them twice, and so dense (in units of their greatest
      common step) that measurements would have met more often: 1, 2, 3, ... in any order, from any
      beginning, with gaps. `days`, which are dates, are never taken for one.
    - "ordered": numbers or dates that rise, or fall, from every row to the next.
    - "unique": other whole numbers that differ in every row.

    Missing values (NaN) are passed over. All rows of a file must be given, also those without a
    target: a gap in a counter is no reason to learn from it.

    >>> role(np.array([7.0, 5, 9, 6, 8] * 4) + np.repeat([0, 5, 10, 15], 5))
    'counter'
    >>> role(np.linspace(0, 1, 50)), role(np.arange(50.0) ** 4 % 9973), role(np.ones(50))
    ('ordered', 'unique', None)
    """
    present = values[~np.isnan(values)]
    if len(present) < 2:
        return None
    distinct = np.unique(present)
    whole = not days and bool(np.all(distinct == np.floor(distinct)))
    if whole and len(present) - len(distinct) <= COPIES * len(present):
        if dense(distinct, len(present)):
            return "counter"
        if len(distinct) == len(present) and not one_way(present):
            return "unique"
    return "ordered" if one_way(present) else None


def one_way(values: Array) -> bool:
    """Return whether values rise, or fall, from every one to the next."""
    steps = np.diff(values)
    return bool(np.all(steps > 0) or np.all(steps < 0))


def dense(distinct: Array, count: int) -> bool:
    """Return whether `count` numbers meet too rarely to have been drawn from where they lie.

    Drawn evenly from m whole numbers, about count - m (1 - (1 - 1/m)^count) are repetitions; the
    chance of as few as there are is bounded by Chernoff's inequality for a Poisson number.
    Measurements are not even and meet more often.
    """
    if np.abs(distinct).max() > EXACT:
        return False
    places = np.diff(distinct).astype(np.int64)
    if not len(places):
        return False
    room = float(places.sum() // np.gcd.reduce(places)) + 1
    met = count - len(distinct)
    expected = count + room * expm1(count * log1p(-1 / room))
    if met >= expected:
        return False
    return expected - met + (met * log(met / expected) if met else 0.0) > SURE
