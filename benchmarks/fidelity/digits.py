"""The digits of scikit-learn: a small network of three layers, gradients by hand."""

import dataclasses
import functools
import itertools

import numpy as np
from numpy.typing import NDArray

from benchmarks.fidelity.formats import Floats
from benchmarks.fidelity.training import Training, constant, linear_down

WIDTHS = (64, 128, 128, 10)
BATCH = 64


def cross_entropy(logits: Floats, labels: NDArray[np.int64]) -> tuple[float, Floats]:
    """Mean loss of rows of logits, and its gradient with respect to them."""
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    loss = float(np.mean(np.log(total[:, 0]) - shifted[rows, labels]))
    slope = e / total
    slope[rows, labels] -= 1
    return loss, slope / np.float32(len(labels))


@functools.cache
def _data() -> tuple[Floats, NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int64)


class Digits:
    """A network 64-128-128-10 with ReLU, and the batches of one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.x, self.y = _data()
        self.params: dict[str, Floats] = {}
        for i, (n, k) in enumerate(itertools.pairwise(WIDTHS)):
            weight = self.rng.normal(0, np.sqrt(2 / n), (n, k))
            self.params[f"w{i}"] = weight.astype(np.float32)
            self.params[f"b{i}"] = np.zeros(k, np.float32)

    def _forward(self, x: Floats) -> list[Floats]:
        layers = [x]
        for i in range(3):
            z = layers[-1] @ self.params[f"w{i}"] + self.params[f"b{i}"]
            layers.append(np.maximum(z, 0) if i < 2 else z)
        return layers

    def gradient(self, step: int) -> tuple[float, dict[str, Floats]]:
        """Loss and gradients of a fresh random batch."""
        chosen = self.rng.integers(0, len(self.y), BATCH)
        layers = self._forward(self.x[chosen])
        loss, slope = cross_entropy(layers[3], self.y[chosen])
        grads: dict[str, Floats] = {}
        for i in (2, 1, 0):
            grads[f"w{i}"], grads[f"b{i}"] = layers[i].T @ slope, slope.sum(axis=0)
            slope = (slope @ self.params[f"w{i}"].T) * (layers[i] > 0)
        return loss, grads

    def final(self, losses: list[float]) -> float:
        """Loss over all digits."""
        return cross_entropy(self._forward(self.x)[3], self.y)[0]


def digits(quick: bool) -> Training:
    """The training at a constant lr, shorter if `quick`."""
    title = "network 64-128-128-10 on digits"
    return Training("digits", title, Digits, 400 if quick else 1500, 1e-3, constant)


def digits_decay(quick: bool) -> Training:
    """The same with lr going down to zero, which leaves less to chance in the final loss."""
    return dataclasses.replace(
        digits(quick), name="digits-decay", title="the same, lr decaying to zero", rate=linear_down
    )
