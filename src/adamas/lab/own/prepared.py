"""Scale a table by its training rows alone, so that the judge stays unseen."""

from dataclasses import dataclass

import numpy as np

from adamas.lab.own.features import Features
from adamas.lab.problems import Array, Batch

# Beyond this many standard deviations a single outlier would decide whether a network learns.
CLIP = 10.0


# A judge so far from all training rows would make every loss infinite.
TARGET_CLIP = 1e6


@dataclass(frozen=True)
class Prepared:
    """One split of a table, training and validation, float32 inputs.

    Classes have the shape (n,) and are int64. Numbers have the shape (n, 1) and are standardised,
    float32: `unit` is what 1 of them is in the file, and `guess` the validation loss of always
    predicting the training mean; both are 1 for classes.
    """

    data: tuple[Batch, Batch]
    unit: float = 1.0
    guess: float = 1.0


def prepared(
    features: Features, values: Array, classes: bool, split: tuple[Array, Array]
) -> Prepared:
    """Scale by the rows that train; `split` are the places of those and of the rows that judge."""
    train, held = split
    x = scaled(features, train)
    if classes:
        return Prepared(((x[train], values[train]), (x[held], values[held])))
    y, unit = _standardised(values[:, None], train, TARGET_CLIP)
    guess = float(np.square(y[held], dtype=np.float64).mean()) or 1.0
    return Prepared(((x[train], y[train]), (x[held], y[held])), float(unit[0]), guess)


def scaled(features: Features, train: Array) -> Array:
    """Return all inputs as float32: numbers filled, standardised and clipped, then the flags."""
    numbers = features.numbers
    missing = np.isnan(numbers)
    if missing.any():
        known = numbers[train]
        known[:, missing[train].all(axis=0)] = 0
        numbers = np.where(missing, np.nanmedian(known, axis=0), numbers)
    return np.concatenate([_standardised(numbers, train, CLIP)[0], features.flags], axis=1)


def _standardised(values: Array, train: Array, clip: float) -> tuple[Array, Array]:
    """Return columns with mean 0 and variance 1 over the training rows, float32, and their unit."""
    known = values[train]
    # Divided by the largest first: squares of numbers near 1e-200 would be 0.
    largest = np.maximum(np.abs(known).max(axis=0), np.finfo(np.float64).tiny)
    known /= largest
    unit = known.std(axis=0)
    unit[unit == 0] = 1
    unit *= largest
    with np.errstate(over="ignore"):
        values = values - known.mean(axis=0) * largest
        values /= unit
    return np.clip(values, -clip, clip, out=values).astype(np.float32), unit
