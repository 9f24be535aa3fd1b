"""A problem of a millisecond, with noise in its gradients."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from adamas.lab.problems import Params, Problem, generator


class Bowl:
    """A noisy quadratic bowl in three dimensions."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def start(self) -> Params:
        """Return a point on the slope."""
        return {"w": generator(self.seed, 1).normal(size=3) + 2}

    def batches(self) -> Iterator[Any]:
        """Yield noise."""
        rng = generator(self.seed, 2)
        while True:
            yield rng.normal(size=3)

    def gradient(self, params: Params, batch: Any, grads: Params) -> float:
        """Write the gradient of half the squared distance, with noise."""
        np.copyto(grads["w"], params["w"] + 0.3 * batch)
        return float((params["w"] ** 2).mean())

    def evaluate(self, params: Params) -> float:
        """Return the mean square."""
        return float((params["w"] ** 2).mean())

    def extras(self, params: Params) -> dict[str, float]:
        """Return nothing more."""
        return {}


BOWL = Problem("bowl", 16, 4, 1, Bowl)
