"""Split a table and scale it by its training rows alone, so that the judge stays unseen."""

from dataclasses import dataclass

import numpy as np

from adamas.lab.own.features import Features
from adamas.lab.problems import Array, Batch, generator

HELD = 5  # one row in five judges
# A validation loss of 4,000 rows differs little from that of all, and 30 of them cost 0.1 s.
MOST_JUDGES = 4000
# Beyond this many standard deviations a single outlier would decide whether a network learns.
CLIP = 10.0


@dataclass(frozen=True)
class Prepared:
    """One split of a table, float32 inputs; a numeric target is standardised.

    `unit` is what 1 of the standardised target is in the file, and `guess` the validation loss of
    always predicting the training mean.
    """

    training: Batch
    validation: Batch
    unit: float = 1.0
    guess: float = 1.0


def prepared(features: Features, values: Array, classes: bool, seed: int) -> Prepared:
    """Split by the seed and scale; classes have the same shares on both sides."""
    rng = generator(seed, 0)
    train, held = _by_class(values, rng) if classes else _anyhow(len(values), rng)
    inputs = scaled(features, train)
    if classes:
        return Prepared((inputs[train], values[train]), (inputs[held], values[held]))
    y, unit = _standardised(values[:, None], train)
    flat = y[:, 0].astype(np.float32)
    guess = float(np.square(flat[held], dtype=np.float64).mean()) or 1.0
    return Prepared((inputs[train], flat[train]), (inputs[held], flat[held]), float(unit[0]), guess)


def scaled(features: Features, train: Array) -> Array:
    """Return all inputs as float32: numbers filled, standardised and clipped, then the flags."""
    numbers = features.numbers.copy()
    missing = np.isnan(numbers)
    if missing.any():
        known = numbers[train]
        known[:, missing[train].all(axis=0)] = 0
        numbers = np.where(missing, np.nanmedian(known, axis=0), numbers)
    numbers = np.clip(_standardised(numbers, train)[0], -CLIP, CLIP)
    return np.concatenate([numbers.astype(np.float32), features.flags], axis=1)


def _standardised(values: Array, train: Array) -> tuple[Array, Array]:
    """Return columns with mean 0 and variance 1 over the training rows, and their unit."""
    # Halved and divided by the largest first: squares of numbers near 1e300 would overflow.
    largest = np.maximum(np.abs(values).max(axis=0), np.finfo(np.float64).tiny)
    values = values / largest
    values = values - values[train].mean(axis=0)
    deviation = values[train].std(axis=0)
    deviation[deviation == 0] = 1
    return values / deviation, deviation * largest


def _anyhow(count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    order = rng.permutation(count)
    held = count // HELD
    return order[held:], order[: min(held, MOST_JUDGES)]


def _by_class(classes: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Hold a fifth of each class, at least one row of it, and train on at least one."""
    train, held = [], []
    for kind in range(int(classes.max()) + 1):
        rows = rng.permutation(np.flatnonzero(classes == kind))
        count = max(1, round(len(rows) / HELD))
        held.append(rows[:count])
        train.append(rows[count:])
    judges = rng.permutation(np.concatenate(held))
    return rng.permutation(np.concatenate(train)), judges[:MOST_JUDGES]
