"""Real data: the 1,797 handwritten digits that ship in scikit-learn, and two small models for them.

Both models are one text: a chain of dense layers with ReLU between them, so that softmax regression
is the chain of one layer. NumPy float32, no framework: the lab compares optimizers, and these nets
are small enough that a framework's overhead would be most of what is timed.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np

from adamas.lab.problems import Array, Batch, Params, Problem, generator, shuffled_batches

IMAGES = 1797
HIDDEN = 32
BATCH = 32
EPOCHS = 20
VALIDATION = 360
STEPS_PER_EPOCH = (IMAGES - VALIDATION) // BATCH


@cache
def data() -> Batch:
    """Return images as float32 in 0..1, shape (1797, 64), and labels 0..9, shape (1797,)."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y.astype(np.int64)


class DigitsTask:
    """A network with the given layer widths; the seed draws split, start and batch order."""

    def __init__(self, seed: int, widths: tuple[int, ...]) -> None:
        x, y = data()
        order = generator(seed, 0).permutation(len(x))
        held, train = order[:VALIDATION], order[VALIDATION:]
        self.seed, self.widths = seed, widths
        self.training: Batch = (x[train], y[train])
        self.validation: Batch = (x[held], y[held])

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
        """Yield 32 training images at a time, shuffled anew each epoch."""
        x, y = self.training
        return shuffled_batches(x, y, BATCH, generator(self.seed, 2))

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of the mean cross-entropy and return that loss."""
        return back_propagate(params, batch, grads)

    def evaluate(self, params: Params) -> float:
        """Return the mean cross-entropy on the validation images, in nats."""
        x, y = self.validation
        log_p = log_softmax(forward(params, x)[-1])
        return float(-log_p[np.arange(len(y)), y].mean(dtype=np.float64))

    def extras(self, params: Params) -> dict[str, float]:
        """Return the share of validation images that are classified correctly."""
        x, y = self.validation
        return {"accuracy": float((forward(params, x)[-1].argmax(1) == y).mean())}


def forward(params: Params, x: Array) -> list[Array]:
    """Return the input, the output of every hidden layer, and the logits."""
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


def back_propagate(params: Params, batch: Batch, grads: Params) -> float:
    """Write the gradient of a batch's mean cross-entropy into `grads` and return the loss."""
    x, y = batch
    outputs = forward(params, x)
    rows = np.arange(len(y))
    log_p = log_softmax(outputs[-1])
    delta = np.exp(log_p)
    delta[rows, y] -= 1
    delta /= len(y)
    for i in reversed(range(len(params) // 2)):
        np.matmul(outputs[i].T, delta, out=grads[f"W{i}"])
        np.sum(delta, axis=0, out=grads[f"b{i}"])
        if i:
            delta = (delta @ params[f"W{i}"].T) * (outputs[i] > 0)
    return float(-log_p[rows, y].mean())


def _problem(name: str, widths: tuple[int, ...]) -> Problem:
    steps = EPOCHS * STEPS_PER_EPOCH
    return Problem(name, steps, STEPS_PER_EPOCH, BATCH, lambda seed: DigitsTask(seed, widths))


SOFTMAX = _problem("softmax", (64, 10))
MLP = _problem("mlp", (64, HIDDEN, 10))
