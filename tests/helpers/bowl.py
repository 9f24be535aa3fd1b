"""A quadratic whose minimum and gradient everybody knows, and the file of strangers' optimizers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from adamas.lab.problems import Array, Params, Problem

HERE = Path(__file__).parent / "foreign_optimizers.py"
CURVATURE = np.array([1.0, 3.0, 10.0, 30.0])


class Quadratic:
    """Half of sum c (w - 1)^2, plus 1; the minimum is 1, at w = 1. It counts its gradients."""

    made = 0

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def start(self) -> Params:
        """Return the first parameters."""
        return {"w": np.zeros(2), "v": np.zeros((1, 2))}

    def batches(self) -> Iterator[Any]:
        """Yield nothing of interest."""
        while True:
            yield None

    def gradient(self, params: Params, batch: Any, grads: Params) -> float:
        """Write the gradient and return the loss."""
        type(self).made += 1
        off = self._off(params)
        grads["w"][:], grads["v"][:] = np.split(CURVATURE * off, 2)
        return self.evaluate(params)

    def evaluate(self, params: Params) -> float:
        """Return the loss."""
        return float(1 + 0.5 * (CURVATURE * self._off(params) ** 2).sum())

    def extras(self, params: Params) -> dict[str, float]:
        """Return the parameters."""
        return {f"x{i}": float(value + 1) for i, value in enumerate(self._off(params))}

    def _off(self, params: Params) -> Array:
        found: Array = np.concatenate([params["w"], params["v"].ravel()]) - 1
        return found


BOWL = Problem("bowl", 30, 10, 1, Quadratic)
