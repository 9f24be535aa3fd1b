"""A `Task` around two functions of the user's: a loss with its gradient, and a loss."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.splits import split_rows
from adamas.lab.problems import Array, Batch, Params, generator, shuffled_batches
from adamas.lab.text import words

Loss = Callable[[Params, Array, Array], float]
LossAndGrad = Callable[[Params, Array, Array], tuple[float, Mapping[str, Array]]]
Metrics = Callable[[Params, Array, Array], Mapping[str, float]]


def judged(data: Batch, validation: Batch | None, seed: int) -> tuple[Batch, Batch]:
    """Return training and validation data; the seed draws a fifth to judge if none are given."""
    if validation is not None:
        return data, validation
    x, y = data
    train, held = split_rows(len(x), generator(seed, 0))
    return (x[train], y[train]), (x[held], y[held])


class FunctionTask:
    """Arrays and functions under one seed."""

    def __init__(
        self,
        seed: int,
        split: tuple[Batch, Batch],
        batch: int,
        start: Params,
        functions: tuple[Loss, LossAndGrad, Metrics | None],
    ) -> None:
        self.seed, self.batch, self._start = seed, batch, start
        self.training, self.validation = split
        self.loss, self.loss_and_grad, self.metrics = functions

    def start(self) -> Params:
        """Return a copy of the first parameters."""
        return {name: np.array(array) for name, array in self._start.items()}

    def batches(self) -> Iterator[Batch]:
        """Yield batches of training samples, shuffled anew each pass."""
        return shuffled_batches(*self.training, self.batch, generator(self.seed, 2))

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Copy the user's gradient into `grads` and return the loss."""
        loss, found = self.loss_and_grad(params, *batch)
        if set(found) != set(grads):
            raise LabError(
                "error.gradient_names",
                given=", ".join(found) or words("hint.nothing"),
                names=", ".join(grads),
            )
        for name, array in grads.items():
            if np.shape(found[name]) != array.shape:
                raise LabError(
                    "error.gradient_shape",
                    name=name,
                    found=np.shape(found[name]),
                    shape=array.shape,
                )
            array[...] = found[name]
        return float(loss)

    def evaluate(self, params: Params) -> float:
        """Return the user's loss on the validation data."""
        return float(self.loss(params, *self.validation))

    def extras(self, params: Params) -> dict[str, float]:
        """Return the user's metrics on the validation data."""
        found = self.metrics(params, *self.validation) if self.metrics else {}
        return {name: float(value) for name, value in found.items()}
