"""The network that learns a table, judged against what a blind answer would get."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import numpy as np

from adamas.lab.own.features import Features
from adamas.lab.own.prepared import Prepared, prepared
from adamas.lab.own.sides import Sides
from adamas.lab.own.target import Target
from adamas.lab.problems import Array, Params, generator
from adamas.lab.zoo.dense import CLASSES, DenseTask, Goal, squared_error

# A loss of 0 has no place on a log axis.
SMALLEST = 1e-12


class TabularTask(DenseTask):
    """A dense network on one split of a table.

    Classes are judged by cross-entropy in nats. For numbers the validation loss is the mean squared
    error over that of always predicting the training mean.
    """

    def __init__(
        self, seed: int, split: Prepared, classes: bool, widths: Sequence[int], batch: int
    ) -> None:
        self.split = split
        # No method of its own: a task in a circle would keep its table until Python looks for them.
        goal = CLASSES if classes else Goal(squared_error, partial(errors, split.unit))
        super().__init__(seed, split.data, widths, batch, goal)

    def evaluate(self, params: Params) -> float:
        """Return the validation loss; for numbers 1 is a blind answer."""
        return max(super().evaluate(params) / self.split.guess, SMALLEST)

    def measured(self, outputs: Array) -> dict[str, float]:
        """Return the "loss" and the measures of somebody else's outputs for the validation rows."""
        y = self.validation[1]
        loss = max(self.goal.loss(outputs, y)[0] / self.split.guess, SMALLEST)
        return {"loss": float(loss), **self.goal.measures(outputs, y)}


def errors(unit: float, outputs: Array, y: Array) -> dict[str, float]:
    """Return the root mean squared and the mean absolute error, where 1 of a target is `unit`."""
    off = np.asarray(outputs - y, np.float64)
    rms, mean = np.sqrt(np.square(off).mean()), np.abs(off).mean()
    return {"rmse": float(rms) * unit, "mae": float(mean) * unit}


@dataclass(frozen=True, eq=False)
class TableRuns:
    """The task of each seed on one table. `apart`: it was read in pieces, which takes long.

    It can be pickled, so that worker processes need not read the table again.
    """

    features: Features
    target: Target
    sides: Sides
    widths: tuple[int, ...]
    batch: int
    apart: bool = False
    _split: Callable[[int], Prepared] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep two splits: runs of one seed follow each other, and to split takes 0.1 s."""
        drawn = partial(_drawn, self.features, self.target, self.sides)
        object.__setattr__(self, "_split", lru_cache(maxsize=2)(drawn))

    def __call__(self, seed: int) -> TabularTask:
        """Return the task of a seed."""
        return TabularTask(
            seed, self._split(seed), bool(self.target.classes), self.widths, self.batch
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the splits out; every process draws its own."""
        given = self.features, self.target, self.sides, self.widths, self.batch, self.apart
        return TableRuns, given


def _drawn(features: Features, target: Target, sides: Sides, seed: int) -> Prepared:
    split = sides.split(target, generator(seed, 0))
    return prepared(features, target.values, bool(target.classes), split)
