"""Regression on real tables: patients (linear) and diamonds (a small network)."""

from adamas.lab.data import tables
from adamas.lab.problems import Batch, Problem
from adamas.lab.zoo.about import about
from adamas.lab.zoo.dense import VALUES, DenseTask, split, standardised

PATIENTS_HELD, PATIENTS_BATCH = 89, 32
DIAMONDS_HELD, DIAMONDS_BATCH = 10_752, 128


def _tables(data: Batch, held: int, seed: int) -> tuple[Batch, Batch]:
    """Split a table and standardise both its columns and its target."""
    (x, y), (x_held, y_held) = split(*data, held, seed)
    x, x_held = standardised(x, x_held)
    y, y_held = standardised(y, y_held)
    return (x, y), (x_held, y_held)


def diabetes(seed: int) -> DenseTask:
    """Return linear regression on 353 patients, judged on 89 others."""
    data = _tables(tables.diabetes(), PATIENTS_HELD, seed)
    return DenseTask(seed, data, (10, 1), PATIENTS_BATCH, VALUES)


def diamonds(seed: int) -> DenseTask:
    """Return a network of 32 hidden units on 43,020 diamonds, judged on 10,752 others."""
    data = _tables(tables.diamonds(), DIAMONDS_HELD, seed)
    return DenseTask(seed, data, (9, 32, 1), DIAMONDS_BATCH, VALUES)


DIABETES = Problem(
    "diabetes",
    660,
    22,
    PATIENTS_BATCH,
    diabetes,
    about=about(
        "diabetes", "regression", ("loss", 0.52), sources=(tables.DIABETES,), higher=("r2",)
    ),
)
DIAMONDS = Problem(
    "diamonds",
    1680,
    56,
    DIAMONDS_BATCH,
    diamonds,
    about=about(
        "diamonds", "regression", ("loss", 0.017), sources=(tables.DIAMONDS,), higher=("r2",)
    ),
)
