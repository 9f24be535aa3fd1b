"""What stands beside a network on a table: a blind answer, a linear model and trees.

The models are scikit-learn's, with its defaults, on the rows and inputs that the network gets.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from adamas.lab.own.tabular_task import TabularTask
from adamas.lab.problems import Array, Batch

# More rows than these, or cells, are sampled: a fit then takes a few seconds.
MOST_ROWS, MOST_CELLS, FEWEST_ROWS = 20_000, 2_000_000, 200
# Trees for each class are boosted in this many rounds divided by the classes, at most 100.
ROUNDS, FEWEST_ROUNDS = 300, 20
NAMES = ("blind", "linear", "trees")
# Probabilities below are as good as none, and have a logarithm.
SMALLEST = 1e-300


def baselines(task: TabularTask, seed: int) -> dict[str, dict[str, float]]:
    """Return the loss and the measures of each baseline on one split, as the network's are."""
    classes = task.widths[-1] if task.widths[-1] > 1 else 0
    training = sampled(task)
    return {name: FITS[name](task, training, classes, seed) for name in NAMES}


def sampled(task: TabularTask) -> Batch:
    """Return the first rows, which the split drew in random order, as many as are fitted."""
    x, y = task.training
    rows = fitted_rows(len(x), x.shape[1] * max(task.widths[-1] // 10, 1))
    return x[:rows], y[:rows]


def fitted_rows(rows: int, cells: int) -> int:
    """Return how many of so many rows are fitted, when each has so many cells to be looked at.

    >>> fitted_rows(500_000, 20), fitted_rows(500_000, 1000), fitted_rows(300, 20)
    (20000, 2000, 300)
    """
    return min(rows, MOST_ROWS, max(MOST_CELLS // cells, FEWEST_ROWS))


def _blind(task: TabularTask, _: Batch, classes: int, seed: int) -> dict[str, float]:
    """Always answer with the shares of the classes, or the mean, of all training rows."""
    y = task.training[1]
    held = len(task.validation[1])
    if not classes:
        return task.measured(np.zeros((held, 1)))
    counts = np.bincount(y, minlength=classes)
    return task.measured(np.tile(np.log(np.maximum(counts, 1) / len(y)), (held, 1)))


def _linear(task: TabularTask, training: Batch, classes: int, seed: int) -> dict[str, float]:
    from sklearn.linear_model import LogisticRegression, Ridge

    model = LogisticRegression(max_iter=200, random_state=seed) if classes else Ridge()
    return _fitted(task, model, training, classes)


def _trees(task: TabularTask, training: Batch, classes: int, seed: int) -> dict[str, float]:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    rounds = min(max(ROUNDS // max(classes, 1), FEWEST_ROUNDS), 100)
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return _fitted(task, kind(max_iter=rounds, random_state=seed), training, classes)


def _fitted(task: TabularTask, model: Any, training: Batch, classes: int) -> dict[str, float]:
    x, y = training
    held = task.validation[0]
    if classes and len(np.unique(y)) < 2:
        return _blind(task, training, classes, 0)
    with warnings.catch_warnings():
        # That a fit is not at its end says nothing against a baseline.
        warnings.simplefilter("ignore")
        model.fit(x, y if classes else y[:, 0])
        if not classes:
            return task.measured(model.predict(held)[:, None])
        shares = model.predict_proba(held)
    return task.measured(_logarithms(shares, model.classes_, classes, len(y)))


def _logarithms(shares: Array, known: Array, classes: int, rows: int) -> Array:
    """Return log-probabilities of all classes; one that was not trained gets that of one row."""
    found = np.full((len(shares), classes), -np.log(rows))
    found[:, known] = np.log(np.maximum(shares.astype(np.float64), SMALLEST))
    return found


FITS: dict[str, Callable[[TabularTask, Batch, int, int], dict[str, float]]] = {
    "blind": _blind,
    "linear": _linear,
    "trees": _trees,
}
