"""Dense networks in NumPy float32: the model of every built-in problem that needs no framework.

These nets are so small that a framework's overhead would be most of what is timed. Linear and
softmax regression are the chain of one layer.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from adamas.lab.problems import Array, Batch, Params, generator, shuffled_batches


@dataclass(frozen=True)
class Goal:
    """What a network's outputs are for: a loss with its slope, and measures for people.

    `loss(outputs, y)` returns the mean loss and its derivative by the outputs.
    """

    loss: Callable[[Array, Array], tuple[float, Array]]
    measures: Callable[[Array, Array], dict[str, float]]


class DenseTask:
    """A chain of dense layers with ReLU between them, under one seed."""

    def __init__(
        self, seed: int, data: tuple[Batch, Batch], widths: Sequence[int], batch: int, goal: Goal
    ) -> None:
        self.seed, self.widths, self.batch, self.goal = seed, widths, batch, goal
        self.training, self.validation = data

    def start(self) -> Params:
        """Return He-normal weights and biases of 0, float32 (He et al. 2015, section 2.2)."""
        rng = generator(self.seed, 1)
        params: Params = {}
        for i, (fan_in, fan_out) in enumerate(zip(self.widths, self.widths[1:], strict=False)):
            scale = np.sqrt(2 / fan_in)
            params[f"W{i}"] = (scale * rng.standard_normal((fan_in, fan_out))).astype(np.float32)
            params[f"b{i}"] = np.zeros(fan_out, np.float32)
        return params

    def batches(self) -> Iterator[Batch]:
        """Yield `batch` training samples at a time, shuffled anew each epoch."""
        x, y = self.training
        return shuffled_batches(x, y, self.batch, generator(self.seed, 2))

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of the mean loss and return that loss."""
        x, y = batch
        outputs = forward(params, x)
        loss, delta = self.goal.loss(outputs[-1], y)
        for i in reversed(range(len(params) // 2)):
            np.matmul(outputs[i].T, delta, out=grads[f"W{i}"])
            np.sum(delta, axis=0, out=grads[f"b{i}"])
            if i:
                delta = (delta @ params[f"W{i}"].T) * (outputs[i] > 0)
        return loss

    def evaluate(self, params: Params) -> float:
        """Return the mean loss on the validation samples."""
        x, y = self.validation
        return self.goal.loss(forward(params, x)[-1], y)[0]

    def extras(self, params: Params) -> dict[str, float]:
        """Return the goal's measures on the validation samples."""
        x, y = self.validation
        return self.goal.measures(forward(params, x)[-1], y)


def forward(params: Params, x: Array) -> list[Array]:
    """Return the input, the output of every hidden layer, and the last layer's output."""
    layers = len(params) // 2
    outputs = [x]
    for i in range(layers):
        z = outputs[-1] @ params[f"W{i}"] + params[f"b{i}"]
        outputs.append(np.maximum(z, 0) if i < layers - 1 else z)
    return outputs


def log_softmax(logits: Array) -> Array:
    """Return log-probabilities, row by row, without overflow."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def cross_entropy(logits: Array, y: Array) -> tuple[float, Array]:
    """Return the mean cross-entropy in nats of classes `y` under `logits`, and its slope."""
    rows = np.arange(len(y))
    log_p = log_softmax(logits)
    delta = np.exp(log_p)
    delta[rows, y] -= 1
    delta /= len(y)
    return float(-log_p[rows, y].mean(dtype=np.float64)), delta


def accuracy(logits: Array, y: Array) -> dict[str, float]:
    """Return the share of samples whose largest logit is that of their class."""
    return {"accuracy": float((logits.argmax(1) == y).mean())}


def squared_error(outputs: Array, y: Array) -> tuple[float, Array]:
    """Return the mean squared error of `outputs`, shape (n, 1) like `y`, and its slope."""
    error = outputs - y
    return float(np.mean(error**2, dtype=np.float64)), error * np.float32(2 / len(y))


def explained(outputs: Array, y: Array) -> dict[str, float]:
    """Return R^2, the share of the targets' variance that the outputs explain."""
    return {"r2": float(1 - np.mean((outputs - y) ** 2, dtype=np.float64) / y.var())}


CLASSES = Goal(cross_entropy, accuracy)
VALUES = Goal(squared_error, explained)


def split(x: Array, y: Array, held: int, seed: int) -> tuple[Batch, Batch]:
    """Return training and validation samples; the seed draws which `held` samples are held out."""
    order = generator(seed, 0).permutation(len(x))
    return (x[order[held:]], y[order[held:]]), (x[order[:held]], y[order[:held]])


def standardised(training: Array, validation: Array) -> tuple[Array, Array]:
    """Return both as float32, scaled by the mean and standard deviation of `training` alone."""
    mean, scale = training.mean(axis=0), training.std(axis=0)
    first, second = ((part - mean) / scale for part in (training, validation))
    return first.astype(np.float32), second.astype(np.float32)
