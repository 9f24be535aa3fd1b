"""Which rows of a table must be on one side of the split, and how that is said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.columns import Column, NumberColumn
from adamas.lab.own.features import Features
from adamas.lab.own.frame import FEWEST
from adamas.lab.own.options import TableOptions
from adamas.lab.own.splits import (
    cut,
    may_judge,
    split_classes,
    split_rows,
    split_times,
    split_units,
)
from adamas.lab.own.target import Target
from adamas.lab.problems import Array

# Inputs that more rows share than both are a common case, such as one cell of a table of counts,
# and no copies: whoever learns them has learned what there is to learn.
COMMON_ROWS, COMMON_SHARE = 10, 1 / 40
# What groups leave of the smallest table at least.
FEWEST_TRAIN = FEWEST // 2


@dataclass(frozen=True)
class Sides:
    """How the used rows of a table are split.

    `way` is "rows" (at random), "group" or "time"; `units` number the rows that stay together, or
    are the times; None where every row is for itself. `repeated` rows have the inputs of an earlier
    one, and `common` rows of these are split at random all the same.
    """

    way: Literal["rows", "group", "time"]
    units: Array | None
    repeated: int
    common: int

    def training(self) -> int | None:
        """Return how many rows train, where that is not what a fifth leaves of them."""
        if self.way != "time" or self.units is None:
            return None
        return int((self.units < cut(self.units)).sum())

    def split(self, target: Target, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return the places of the rows that train, and of those that judge."""
        classes = target.values if target.classes else None
        if self.units is None:
            rows = len(target.values)
            return split_rows(rows, rng) if classes is None else split_classes(classes, rng)
        if self.way == "time":
            return split_times(self.units, rng)
        if self.way == "group" or classes is None:
            return split_units(self.units, None, classes, rng)
        return split_units(self.units, first_of(self.units, classes), classes, rng)


def sides(
    features: Features, target: Target, columns: Mapping[str, Column], options: TableOptions
) -> Sides:
    """Return how a table is split; `LabError` if its groups or times cannot be on two sides."""
    copies = alike(features)
    repeated = len(copies) - len(np.unique(copies))
    if options.group is not None:
        units = _numbered(columns[options.group], target.rows)
        check_groups(units, target, options.group)
        return Sides("group", units, repeated, 0)
    if options.time is not None:
        times = _times(columns[options.time], target.rows)
        check_times(times, options.time)
        return Sides("time", times, repeated, 0)
    if not repeated:
        return Sides("rows", None, 0, 0)
    units = without_common(copies, target)
    alone = len(units) - len(np.unique(units))
    return Sides("rows", units if alone else None, repeated, repeated - alone)


def alike(features: Features) -> Array:
    """Return a number for each row, the same for rows with the same inputs.

    A sum over the columns of 64 mixed bits: two of a million rows that differ get one number with a
    chance below 1e-7. `numpy.unique` over rows takes six times as long.
    """
    count = len(features.numbers)
    total = np.zeros(count, np.uint64)
    columns = [*features.numbers.T, *features.flags.T]
    for place, column in enumerate(columns, start=1):
        values = np.where(np.isnan(column), np.nan, column + 0.0).astype(
            np.float64
        )  # one 0, one NaN
        total += mixed(values.view(np.uint64) ^ mixed(np.full(1, place, np.uint64)))
    return np.unique(total, return_inverse=True)[1]


def mixed(bits: Array) -> Array:
    """Return 64-bit numbers with every bit changed by every other (SplitMix64, Steele 2014)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def without_common(units: Array, target: Target) -> Array:
    """Return the units with rows of their own for common cases, and for a class of one unit."""
    sizes = np.bincount(units)
    single = (sizes > max(COMMON_ROWS, COMMON_SHARE * len(units)))[units]
    if target.classes:
        pairs = np.unique(np.stack([units, target.values]), axis=1)
        single |= (np.bincount(pairs[1]) < 2)[target.values]
    own = units.max() + 1 + np.arange(len(units))
    return np.unique(np.where(single, own, units), return_inverse=True)[1]


def first_of(units: Array, values: Array) -> Array:
    """Return the value of each unit's first row."""
    return np.asarray(values[np.unique(units, return_index=True)[1]])


def check_groups(units: Array, target: Target, name: str) -> None:
    """Refuse groups none of which could judge what others learned."""
    if units.max() == 0:
        raise LabError("error.one_group", column=name)
    if may_judge(units, target.values if target.classes else None).any():
        return
    held, rows = int(np.bincount(units).max()), len(units)
    if 2 * held > rows:
        raise LabError("error.group_half", column=name, held=held, rows=rows)
    raise LabError("error.group_classes", column=name)


def check_times(times: Array, name: str) -> None:
    """Refuse times of which too few rows are early enough to train."""
    train = int((times < cut(times)).sum())
    if train < FEWEST_TRAIN:
        raise LabError(
            "error.time_few", column=name, train=train, rows=len(times), least=FEWEST_TRAIN
        )


def _numbered(column: Column, rows: Array) -> Array:
    """Return numbers from 0 for the values of a column."""
    values = column.values if isinstance(column, NumberColumn) else column.codes
    return np.unique(values[rows], return_inverse=True)[1]


def _times(column: Column, rows: Array) -> Array:
    name = column.reading.name
    if not isinstance(column, NumberColumn):
        raise LabError("error.time_texts", column=name, value=column.words[0][:40])
    times = column.values[rows]
    if times.min() == times.max():
        raise LabError("error.one_time", column=name)
    return times
