"""A row gradient as it comes: rows in any order, some of them twice, becomes rows named once.

Copying the values of 4,096 rows takes as long as a third of the kernel that steps them, so they
stay where they lie; only the rows that came more than once are copied, and summed in their order.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adamas.engine.tensors import Array, address

# Fewer rows than this are added up one after the other; best of 8 to 128 measured.
ROUND = 32


@dataclass(frozen=True)
class Summed:
    """Distinct `rows` in ascending order; the gradient of row k is `values[places[k]]`.

    Where `places` is None it is `values[k]`. Of the rows `again`, which came more than once, it is
    in `sums` instead.
    """

    rows: NDArray[np.int64]
    values: Array
    places: NDArray[np.int64] | None
    again: NDArray[np.int64]
    sums: Array

    def addresses(self) -> NDArray[np.int64]:
        """Where the gradient of each row lies; never 0, which means none."""
        width = self.values[:1].nbytes
        places = np.arange(len(self.rows)) if self.places is None else self.places
        found = places * width + (address(self.values) or 1)
        found[self.again] = np.arange(len(self.again)) * width + address(self.sums)
        return found

    def gathered(self) -> Array:
        """The gradients in the order of the rows, copied where they are not."""
        if self.places is None:
            return self.values
        found = self.values[self.places]
        found[self.again] = self.sums
        return found


def row_numbers(indices: ArrayLike, count: int, what: str) -> NDArray[np.int64]:
    """`indices` into `count` rows, counted from the start; raises TypeError or ValueError."""
    given = np.asarray(indices)
    if given.size == 0:
        given = given.astype(np.int64)
    if given.dtype.kind not in "iu" or given.ndim != 1:
        raise TypeError(
            f"{what}: indices must be a 1-d integer array, not {given.ndim}-d {given.dtype}."
        )
    low, high = (int(given.min()), int(given.max())) if given.size else (0, -1)
    if not (-count <= low and high < count):
        wrong = low if low < -count else high
        raise ValueError(f"{what}: index {wrong} is outside the {count} rows.")
    # Before adding: int8 cannot hold a count of 1000.
    rows = given.astype(np.int64, copy=False)
    return np.where(rows < 0, rows + count, rows) if low < 0 else rows


def stable_order(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """What sorts `rows`, numbers below `count`; equal ones stay in the order they come.

    Sorting row and place as one number takes a tenth of a stable argsort.
    """
    bits = len(rows).bit_length()
    if bits + count.bit_length() > 62:
        return np.argsort(rows, kind="stable")
    both = (rows << bits) | np.arange(len(rows))
    both.sort()
    both &= (1 << bits) - 1
    return both


def summed(rows: NDArray[np.int64], count: int, values: Array) -> Summed:
    """Every one of `rows`, numbers below `count`, once; `values` is C-contiguous."""
    none = rows[:0]
    if np.all(rows[1:] > rows[:-1]):
        return Summed(rows, values, None, none, values[:0])
    order = stable_order(rows, count)
    ordered = rows[order]
    fresh = np.ones(len(rows), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    if fresh.all():
        return Summed(ordered, values, order, none, values[:0])
    starts = np.flatnonzero(fresh)
    counts = np.diff(starts, append=len(rows))
    again = np.flatnonzero(counts > 1)
    sums = _sums(values, order, starts[again], counts[again])
    return Summed(ordered[starts], values, order[starts], again, sums)


def _sums(
    values: Array, order: NDArray[np.int64], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> Array:
    """The sum of `counts[k]` values that begin at `order[starts[k]]`, each added in its turn.

    All rows' second values are added at once, then all third ones; `add.at` takes five times as
    long.
    """
    sums = np.take(values, order[starts], axis=0)
    # A sum beyond the dtype is infinite, and reported as such by the finite check.
    with np.errstate(over="ignore", invalid="ignore"):
        sums += np.take(values, order[starts + 1], axis=0)
        taken, left = 2, np.flatnonzero(counts > 2)
        while len(left) >= ROUND:
            sums[left] += np.take(values, order[starts[left] + taken], axis=0)
            taken += 1
            left = left[counts[left] > taken]
        for k in left:
            rest = order[starts[k] + taken : starts[k] + counts[k]]
            # Unlike `sum`, which may pair its terms, this adds one after the other.
            sums[k] = np.add.accumulate(np.concatenate([sums[k : k + 1], values[rest]]))[-1]
    return sums
