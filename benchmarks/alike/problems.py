"""Three problems of a few milliseconds a run.

`digits` is a small network on the handwritten digits with every fifth label wrong, `tumours` a
logistic regression on a real table, `teacher` a small network on the noisy outputs of a random one.
A seed draws everything: the split or the rows, the start, and the order of the batches.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np

from adamas.lab.problems import Array, Batch, Params, Problem, generator, shuffled_batches

# Comparison number k has seeds of its own, so that comparisons are independent of each other.
APART = 10_000


class Small(ABC):
    """What the three have in common: rows in small batches."""

    batch, rows = 4, 200

    @abstractmethod
    def start(self) -> Params:
        """Return the first weights."""

    @abstractmethod
    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of the mean loss over a batch, and return that loss."""

    @abstractmethod
    def evaluate(self, params: Params) -> float:
        """Return the loss on rows that were not trained on."""

    def __init__(self, seed: int, train: Batch, judge: Batch) -> None:
        self.seed, self.train, self.judge = seed, train, judge

    def batches(self) -> Iterator[Batch]:
        """Yield a few rows at a time."""
        return shuffled_batches(*self.train, self.batch, generator(self.seed, 2))

    def extras(self, params: Params) -> dict[str, float]:
        """Return nothing more."""
        return {}


def hidden_layer(seed: int, inputs: int, width: int, outputs: int) -> Params:
    """Return the weights of a network with one hidden layer."""
    rng = generator(seed, 1)
    return {
        "W": rng.normal(size=(inputs, width)) / np.sqrt(inputs),
        "b": np.zeros(width),
        "V": rng.normal(size=(width, outputs)) / np.sqrt(width),
        "c": np.zeros(outputs),
    }


def outputs(params: Params, x: Array) -> tuple[Array, Array]:
    """Return what the hidden and the last layer give."""
    hidden = np.tanh(x @ params["W"] + params["b"])
    return hidden, hidden @ params["V"] + params["c"]


def backwards(params: Params, x: Array, hidden: Array, delta: Array, grads: Params) -> None:
    """Write the gradient, given the derivative of the loss by the outputs."""
    inner = (delta @ params["V"].T) * (1 - hidden**2)
    np.matmul(x.T, inner, out=grads["W"])
    np.sum(inner, axis=0, out=grads["b"])
    np.matmul(hidden.T, delta, out=grads["V"])
    np.sum(delta, axis=0, out=grads["c"])


@cache
def digits() -> tuple[Array, Array]:
    """Return the first 16 principal components of the digits, and their labels."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = x - x.mean(axis=0)
    z = x @ np.linalg.svd(x, full_matrices=False)[2][:16].T
    return z / z[:, 0].std(), y


class Digits(Small):
    """Cross entropy of a network with 16 hidden units; one label in five is drawn by chance."""

    def __init__(self, seed: int) -> None:
        x, y = digits()
        order, rng = generator(seed, 0).permutation(len(y)), generator(seed, 5)
        train, judge = order[: self.rows], order[self.rows : 600]
        labels = y[train].copy()
        wrong = rng.random(self.rows) < 0.2
        labels[wrong] = rng.integers(0, 10, wrong.sum())
        super().__init__(seed, (x[train], labels), (x[judge], y[judge]))

    def start(self) -> Params:
        """Return the first weights."""
        return hidden_layer(self.seed, 16, 16, 10)

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of the cross entropy."""
        x, y = batch
        hidden, logits = outputs(params, x)
        logits = logits - logits.max(axis=1, keepdims=True)
        chances = np.exp(logits)
        total = chances.sum(axis=1, keepdims=True)
        chances /= total
        place = np.arange(len(y)), y
        loss = float((np.log(total[:, 0]) - logits[place]).mean())
        chances[place] -= 1
        backwards(params, x, hidden, chances / len(y), grads)
        return loss

    def evaluate(self, params: Params) -> float:
        """Return the cross entropy on 400 other images."""
        x, y = self.judge
        logits = outputs(params, x)[1]
        logits = logits - logits.max(axis=1, keepdims=True)
        return float((np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y]).mean())


@cache
def tumours() -> tuple[Array, Array]:
    """Return the standardised measurements of 569 tumours, and whether each is benign."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return (x - x.mean(axis=0)) / x.std(axis=0), y.astype(float)


class Tumours(Small):
    """Logistic regression on 100 rows."""

    rows = 100

    def __init__(self, seed: int) -> None:
        x, y = tumours()
        order = generator(seed, 0).permutation(len(y))
        train, judge = order[: self.rows], order[self.rows :]
        super().__init__(seed, (x[train], y[train]), (x[judge], y[judge]))

    def start(self) -> Params:
        """Return small weights."""
        return {"w": 0.1 * generator(self.seed, 1).normal(size=30), "b": np.zeros(1)}

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of the cross entropy."""
        x, y = batch
        z = x @ params["w"] + params["b"]
        slope = (0.5 * (1 + np.tanh(z / 2)) - y) / len(y)
        np.dot(slope, x, out=grads["w"])
        grads["b"][0] = slope.sum()
        return float((np.logaddexp(0, z) - y * z).mean())

    def evaluate(self, params: Params) -> float:
        """Return the cross entropy on the other rows."""
        x, y = self.judge
        z = x @ params["w"] + params["b"]
        return float((np.logaddexp(0, z) - y * z).mean())


class Teacher(Small):
    """Squared error of a network with 16 hidden units on what another with 6 gives, plus noise."""

    batch, inputs, outs, noise = 2, 8, 8, 1.0

    def __init__(self, seed: int) -> None:
        rng = generator(seed, 0)
        x = rng.normal(size=(self.rows + 300, self.inputs))
        taught = np.tanh(x @ rng.normal(size=(self.inputs, 6)) / np.sqrt(self.inputs))
        y = taught @ rng.normal(size=(6, self.outs)) / np.sqrt(2)
        told = y[: self.rows] + self.noise * rng.normal(size=(self.rows, self.outs))
        super().__init__(seed, (x[: self.rows], told), (x[self.rows :], y[self.rows :]))

    def start(self) -> Params:
        """Return the first weights."""
        return hidden_layer(self.seed, self.inputs, 16, self.outs)

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of half the squared error, a mean over the outputs."""
        x, y = batch
        hidden, given = outputs(params, x)
        error = given - y
        backwards(params, x, hidden, error / error.size, grads)
        return float((error**2).mean())

    def evaluate(self, params: Params) -> float:
        """Return the mean squared error on 300 rows without noise."""
        x, y = self.judge
        return float(((outputs(params, x)[1] - y) ** 2).mean())


TASKS: dict[str, tuple[Callable[[int], Small], int]] = {
    "digits": (Digits, 60),
    "tumours": (Tumours, 80),
    "teacher": (Teacher, 60),
}


def problem(name: str, number: int) -> Problem:
    """Return a problem whose seeds are those of comparison `number` alone."""
    task, steps = TASKS[name]
    return Problem(name, steps, 40, task(0).batch, partial(apart, task, number))


def apart(task: Callable[[int], Small], number: int, seed: int) -> Small:
    """Return the task of one comparison under one of the plan's seeds."""
    return task(APART * number + seed)
