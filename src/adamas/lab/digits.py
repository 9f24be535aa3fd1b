"""Real data: the 1,797 handwritten digits that ship in scikit-learn, and two small models for them.

Both models are a chain of dense layers: softmax regression is the chain of one layer.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np

from adamas.lab import chain
from adamas.lab.chain import forward, log_softmax
from adamas.lab.problems import Batch, Params, Problem, generator, shuffled_batches

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
        return chain.start(self.widths, generator(self.seed, 1))

    def batches(self) -> Iterator[Batch]:
        """Yield 32 training images at a time, shuffled anew each epoch."""
        x, y = self.training
        return shuffled_batches(x, y, BATCH, generator(self.seed, 2))

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of the mean cross-entropy and return that loss."""
        return chain.back_propagate(params, batch, grads, chain.cross_entropy)

    def evaluate(self, params: Params) -> float:
        """Return the mean cross-entropy on the validation images, in nats."""
        x, y = self.validation
        log_p = log_softmax(forward(params, x)[-1])
        return float(-log_p[np.arange(len(y)), y].mean(dtype=np.float64))

    def extras(self, params: Params) -> dict[str, float]:
        """Return the share of validation images that are classified correctly."""
        x, y = self.validation
        return {"accuracy": float((forward(params, x)[-1].argmax(1) == y).mean())}


def _problem(name: str, widths: tuple[int, ...]) -> Problem:
    steps = EPOCHS * STEPS_PER_EPOCH
    return Problem(name, steps, STEPS_PER_EPOCH, BATCH, lambda seed: DigitsTask(seed, widths))


SOFTMAX = _problem("softmax", (64, 10))
MLP = _problem("mlp", (64, HIDDEN, 10))
