"""The same samples in gradients of another size: batch size as a factor of a comparison.

Whatever draws a problem's batches goes on doing so; here they are joined and cut. A run sees as
many samples as one of the problem's own batches, so that a larger batch makes fewer updates, and
what is told of it counts in the problem's own batches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.problems import Params, Problem, Task


class Regrouped:
    """A task whose gradients are of `size` samples; its batches must be tuples of rows."""

    def __init__(self, task: Task, size: int, name: str) -> None:
        self._task, self._size, self._name = task, size, name
        self.start, self.evaluate, self.extras = task.start, task.evaluate, task.extras

    def batches(self) -> Iterator[Any]:
        """Yield batches of another size, without end, of the same samples in the same order.

        Raises `LabError` where a batch has no rows to be joined.
        """
        held, count = list[tuple[Any, ...]](), 0
        for part in self._task.batches():
            count += self._rows(part)
            held.append(tuple(part))
            while count >= self._size:
                whole = tuple(map(joined, zip(*held, strict=True)))
                yield tuple(column[: self._size] for column in whole)
                held = [tuple(column[self._size :] for column in whole)]
                count -= self._size

    def gradient(self, params: Params, batch: Any, grads: Params) -> float:
        """Write the gradient of a batch and return the mean loss, as the task does."""
        return self._task.gradient(params, batch, grads)

    def _rows(self, batch: Any) -> int:
        if isinstance(batch, tuple | list) and batch:
            counts = {len(part) if getattr(part, "ndim", 0) else 0 for part in batch}
            if len(counts) == 1 and min(counts):
                return int(counts.pop())
        raise LabError("error.batch_fixed", name=self._name, size=self._size)


def joined(parts: Sequence[Any]) -> Any:
    """Return arrays, or tensors, one after the other."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    import torch

    return torch.cat(list(parts))


def with_batch(problem: Problem, batch: int | None) -> Problem:
    """Return a problem with gradients of `batch` samples, as many samples in all as before."""
    if batch is None or batch == problem.batch:
        return problem
    share = problem.batch / batch
    return replace(
        problem,
        steps=max(1, round(problem.steps * share)),
        every=max(1, round(problem.every * share)),
        batch=batch,
        task=partial(_task, problem, batch),
    )


def refuse_more(problem: Problem, batch: int) -> None:
    """Raise `LabError` for a batch that is larger than all samples of a run."""
    steps, size = problem.steps, problem.batch
    if batch > steps * size:
        raise LabError("error.batch_large", batch=batch, most=steps * size, steps=steps, size=size)


def _task(problem: Problem, batch: int, seed: int) -> Regrouped:
    return Regrouped(problem.task(seed), batch, problem.name)


def in_units(steps: Sequence[int], made: Problem, problem: Problem) -> tuple[int, ...]:
    """Return updates of `made` as updates of `problem` that see as many samples; the last is last.

    >>> base = Problem("any", 100, 10, 32, lambda seed: None)
    >>> in_units((0, 5, 25, 50), with_batch(base, 64), base)
    (0, 10, 50, 100)
    """
    share = made.batch / problem.batch
    return tuple(
        problem.steps if step == made.steps else min(round(step * share), problem.steps)
        for step in steps
    )
