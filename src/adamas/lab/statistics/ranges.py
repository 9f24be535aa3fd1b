"""Between which values losses and metrics lie, so that no interval says what cannot be."""

from collections.abc import Sequence
from math import inf

from adamas.lab.statistics.intervals import Interval, bounded_interval, interval

RANGES = {
    "accuracy": (0.0, 1.0),
    "ap50": (0.0, 1.0),
    "precision": (0.0, 1.0),
    "recall": (0.0, 1.0),
    "f1": (0.0, 1.0),
    "auc": (0.0, 1.0),
    "r2": (-inf, 1.0),
    "rmse": (0.0, inf),
    "mae": (0.0, inf),
    "bits_per_character": (0.0, inf),
    "distance": (0.0, inf),
    "return_spread": (0.0, inf),
}
# A metric of the user's with such a name is a share.
SHARES = ("accuracy", "_rate", "f1", "auc")


def metric_interval(name: str, values: Sequence[float]) -> Interval:
    """Return the mean of a metric with an interval inside the range that its name tells."""
    share = (0.0, 1.0) if name.lower().endswith(SHARES) else None
    ends = RANGES.get(name.lower(), share)
    return bounded_interval(values, *ends) if ends else interval(values)


def loss_interval(values: Sequence[float]) -> Interval:
    """Return the mean of losses with its interval, below zero only where a loss is."""
    return bounded_interval(values) if values else interval(values)
