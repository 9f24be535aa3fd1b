"""What the lab trains: a problem is data, so that tuning, trials and pictures never know which one.

A `Problem` says how long to train; its `task(seed)` fixes everything that is random (the split, the
start and the order of the batches), so that two optimizers given the same seed meet exactly the
same training. The problems themselves are `line`, `sparse` and `digits`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Params = dict[str, Array]
Batch = tuple[Array, Array]


class Task(Protocol):
    """One problem under one seed: training batches, a loss with its gradient, and a judge."""

    def start(self) -> Params:
        """Return fresh parameters, the same ones at every call."""

    def batches(self) -> Iterator[Batch]:
        """Yield (inputs, targets) without end, in the order that the seed fixes."""

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of a batch into `grads`, arrays like `params`; return the mean loss.

        The same arrays serve every step, so that the optimizer meets addresses it knows.
        """

    def evaluate(self, params: Params) -> float:
        """Return the loss that optimizers are judged by, lower is better."""

    def extras(self, params: Params) -> dict[str, float]:
        """Return further numbers worth showing at the end of a run."""


@dataclass(frozen=True)
class Problem:
    """A training problem and how long to train on it.

    `steps` counts updates, `every` is the number of updates between two evaluations, `batch` is the
    number of samples in one gradient, and `random` says whether the seed changes anything.
    """

    name: str
    steps: int
    every: int
    batch: int
    task: Callable[[int], Task]
    random: bool = True


def generator(seed: int, purpose: int) -> np.random.Generator:
    """Return an independent random stream for one purpose (0 data, 1 start, 2 order) of one seed.

    >>> bool(generator(3, 0).random() == generator(3, 1).random())
    False
    """
    return np.random.default_rng([seed, purpose])


def shuffled_batches(x: Array, y: Array, size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Yield batches of `size` samples without end, in a new order each pass over the data.

    The last samples of a pass that do not fill a batch are left out of that pass.
    """
    while True:
        order = rng.permutation(len(x))
        for begin in range(0, len(x) - size + 1, size):
            chosen = order[begin : begin + size]
            yield x[chosen], y[chosen]
