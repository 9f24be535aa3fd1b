"""The gradients of one run: counted, and the run judged at the same counts whoever asks for them.

A gradient is what a run costs, so a step that asks for several, such as a line search, is charged
for all of them and a run ends when they are used up.
"""

from math import nan
from typing import Any

import numpy as np

from adamas.lab.problems import Params, Problem, Task
from adamas.lab.stepping import Stepping


class SpentError(Exception):
    """The gradients of a run were used up in the middle of a step."""


class Gradients:
    """Computes the gradients of a run, and judges it every `problem.every` of them.

    In the middle of a step the point is judged at which the step has seen the lowest loss of its
    batch so far, its start included; the run ends there when the last gradient is used up. So no
    run takes more gradients than another, and a trial point of a line search is not taken for its
    result.
    """

    def __init__(
        self, task: Task, params: Params, grads: Params, problem: Problem, opt: Stepping, asks: bool
    ) -> None:
        self._task, self._params, self._grads = task, params, grads
        self._every, self._most = problem.every, problem.steps
        self._opt, self._asks = opt, asks
        self.spent = 0
        self.first = nan
        self._batch: Any = None
        self._lowest, self._best = nan, Params()
        self._since: list[float] = []
        with opt.judged():
            start = task.evaluate(params)
        self.steps, self.losses, self.train = [0], [start], [nan]

    def begin(self, batch: Any) -> float:
        """Compute the gradient of a new batch where the parameters are; return its loss."""
        self._batch = batch
        self._lowest = loss = self._compute()
        self._since.append(loss)
        if self.spent == 1:
            self.first = loss
        if self._asks:
            self._best = copied(self._params)
        return loss

    def again(self) -> float:
        """Compute the gradient of the same batch again; raises `SpentError` if none is left."""
        if self._due:
            moved = copied(self._params)
            paste(self._best, self._params)
            self._judge()
            if self.spent == self._most:
                raise SpentError
            paste(moved, self._params)
        loss = self._compute()
        if not loss >= self._lowest and loss == loss:
            self._lowest, self._best = loss, copied(self._params)
        self._since.append(self._lowest)
        return loss

    def end(self) -> bool:
        """Judge the run, if it is time, after a step; return whether it is over."""
        if self._due:
            self._judge()
        return self.spent >= self._most

    def _compute(self) -> float:
        loss = self._task.gradient(self._params, self._batch, self._grads)
        self.spent += 1
        return loss

    @property
    def _due(self) -> bool:
        due = self.spent % self._every == 0 or self.spent == self._most
        return due and self.steps[-1] != self.spent

    def _judge(self) -> None:
        with self._opt.judged():
            loss = self._task.evaluate(self._params)
        self.steps.append(self.spent)
        self.losses.append(loss)
        self.train.append(sum(self._since) / len(self._since))
        self._since.clear()


def copied(params: Params) -> Params:
    """Return a copy of all arrays."""
    return {name: array.copy() for name, array in params.items()}


def paste(source: Params, target: Params) -> None:
    """Write arrays over others."""
    for name, array in source.items():
        np.copyto(target[name], array)
