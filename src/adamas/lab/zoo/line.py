"""The tutorial's problem: a line through the origin, fitted to 100 points by its one weight.

The data are those of `np.random.seed(42)`, drawn from a private generator so that importing the lab
never disturbs the caller's random numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from adamas.lab.problems import Batch, Params, Problem, generator, shuffled_batches
from adamas.lab.zoo.about import about

SLOPE = 2.5
POINTS = 100


@cache
def data() -> Batch:
    """Return the tutorial's x and y, float64, each of shape (100, 1)."""
    random = np.random.RandomState(42)
    x = random.rand(POINTS, 1) * 10
    y = SLOPE * x + random.randn(POINTS, 1)
    x.flags.writeable = y.flags.writeable = False
    return x, y


def loss_at(w: float) -> float:
    """Return the mean squared error of the line y = w x on the tutorial's data."""
    x, y = data()
    return float(np.mean((x * w - y) ** 2))


@cache
def least_squares() -> tuple[float, float]:
    """Return the best weight and its loss, from `numpy.linalg.lstsq`: no optimizer involved.

    >>> weight, loss = least_squares()
    >>> f"{weight:.8f} {loss:.4f}"
    '2.48678556 0.8197'
    """
    x, y = data()
    weight = float(np.linalg.lstsq(x, y, rcond=None)[0].item())
    return weight, loss_at(weight)


@dataclass(frozen=True)
class LineTask:
    """The line under one seed, with `size` samples in a gradient."""

    seed: int
    size: int

    def start(self) -> Params:
        """Return the weight 0, float64, shape (1, 1)."""
        return {"w": np.zeros((1, 1))}

    def batches(self) -> Iterator[Batch]:
        """Yield the whole data, or shuffled samples when a batch is smaller than that."""
        x, y = data()
        if self.size < len(x):
            yield from shuffled_batches(x, y, self.size, generator(self.seed, 2))
        while True:
            yield x, y

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write 2/n x^T (x w - y) into `grads` and return mean((x w - y)^2)."""
        x, y = batch
        error = x @ params["w"] - y
        np.multiply(2 / len(x), x.T @ error, out=grads["w"])
        return float(np.mean(error**2))

    def evaluate(self, params: Params) -> float:
        """Return the mean squared error on all 100 points."""
        return loss_at(params["w"].item())

    def extras(self, params: Params) -> dict[str, float]:
        """Return the weight reached."""
        return {"w": params["w"].item()}


# 2,000 updates: the slowest tuned optimizer (SGD) needs about a quarter of them.
FULL = Problem("line", 2000, 1, POINTS, lambda seed: LineTask(seed, POINTS), random=False)
SINGLE = Problem("line", 2000, 1, 1, lambda seed: LineTask(seed, 1))
LINE = replace(FULL, every=50, about=about("line", "convex", ("loss", 0.8279), label="synthetic"))
