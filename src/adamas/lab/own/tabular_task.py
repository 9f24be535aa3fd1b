"""The network that learns a table: one hidden layer, trained on a split that the seed draws."""

from collections.abc import Callable, Iterator

import numpy as np

from adamas.lab import chain
from adamas.lab.own.prepared import Prepared
from adamas.lab.problems import Array, Batch, Params, generator, shuffled_batches

# A loss of 0 has no place on a log axis.
SMALLEST = 1e-12


class TabularTask:
    """A table under one seed; subclasses say what the loss is."""

    head: Callable[..., tuple[float, Array]]

    def __init__(self, seed: int, data: Prepared, widths: tuple[int, ...], batch: int) -> None:
        self.seed, self.data, self.widths, self.batch = seed, data, widths, batch

    def start(self) -> Params:
        """Return He-normal weights and biases of 0, float32."""
        return chain.start(self.widths, generator(self.seed, 1))

    def batches(self) -> Iterator[Batch]:
        """Yield batches of training rows, shuffled anew each pass."""
        return shuffled_batches(*self.data.training, self.batch, generator(self.seed, 2))

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of the mean loss of a batch and return that loss."""
        return chain.back_propagate(params, batch, grads, type(self).head)

    def outputs(self, params: Params) -> Array:
        """Return what the network says about the validation rows."""
        return chain.forward(params, self.data.validation[0])[-1]


class ClassesTask(TabularTask):
    """Predict a class; the loss is the cross-entropy in nats."""

    head = staticmethod(chain.cross_entropy)

    def evaluate(self, params: Params) -> float:
        """Return the mean cross-entropy of the validation rows, in nats."""
        y = self.data.validation[1]
        log_p = chain.log_softmax(self.outputs(params))
        return max(float(-log_p[np.arange(len(y)), y].mean(dtype=np.float64)), SMALLEST)

    def extras(self, params: Params) -> dict[str, float]:
        """Return the share of validation rows whose class is predicted."""
        found = self.outputs(params).argmax(axis=1)
        return {"accuracy": float((found == self.data.validation[1]).mean())}


class NumbersTask(TabularTask):
    """Predict a number; a validation loss of 1 is that of the training mean."""

    head = staticmethod(chain.squared_error)

    def evaluate(self, params: Params) -> float:
        """Return the mean squared error over that of always predicting the training mean."""
        return max(float(np.square(self._off(params)).mean()) / self.data.guess, SMALLEST)

    def extras(self, params: Params) -> dict[str, float]:
        """Return the root mean squared and the mean absolute error, in the target's unit."""
        off = self._off(params)
        rms, mean = np.sqrt(np.square(off).mean()), np.abs(off).mean()
        return {"rmse": float(rms) * self.data.unit, "mae": float(mean) * self.data.unit}

    def _off(self, params: Params) -> Array:
        off = self.outputs(params)[:, 0] - self.data.validation[1]
        return np.asarray(off, np.float64)
