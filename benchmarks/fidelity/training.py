"""One training: a problem with its gradients by hand, an optimizer, and what is watched."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from benchmarks.fidelity.formats import Floats
from benchmarks.fidelity.side import Hypers, Make, Params


class Problem(Protocol):
    """A model with its data: one seed's parameters, batches and final figure."""

    params: dict[str, Floats]

    def gradient(self, step: int) -> tuple[float, Params]:
        """The loss of this step's batch and the gradient of every parameter."""

    def final(self, losses: list[float]) -> float:
        """The figure that sides are compared by."""


@dataclass(frozen=True)
class Training:
    """A problem and how long and how fast to train it; `rate(fraction)` shapes the lr."""

    name: str
    title: str
    start: Callable[[int], Problem]
    steps: int
    lr: float
    rate: Callable[[float], float]
    hypers: Hypers = field(default_factory=Hypers)
    # Parameters in few bits move by steps of their own: then an update says nothing of the state.
    watched: bool = True


@dataclass(frozen=True)
class Run:
    """What came out of one training with one seed.

    `final` is NaN if it diverged; `largest_update` is the largest change of a parameter in units of
    lr, at most float32's largest number, and NaN where it was not watched.
    """

    final: float
    largest_update: float


def constant(fraction: float) -> float:
    """The same lr throughout."""
    return 1.0


def warm_cosine(fraction: float) -> float:
    """A linear warm-up over a tenth of the training, then half a cosine down to a tenth."""
    if fraction < 0.1:
        return fraction / 0.1
    return 0.55 + 0.45 * math.cos(math.pi * (fraction - 0.1) / 0.9)


def linear_down(fraction: float) -> float:
    """A straight line from one to zero."""
    return 1.0 - fraction


# Below this share of the peak lr the rounding of the parameter drowns the update.
MEASURABLE = 0.01
LARGEST = float(np.finfo(np.float32).max)


def train(training: Training, make: Make, seed: int) -> Run:
    """Train once; stop early when the loss is no number."""
    problem = training.start(seed)
    optimizer = make(problem.params, training.hypers, seed)
    losses: list[float] = []
    largest = 0.0
    for i in range(training.steps):
        loss, grads = problem.gradient(i)
        losses.append(loss)
        if not math.isfinite(loss):
            return Run(math.nan, largest)
        rate = training.rate((i + 1) / training.steps)
        before = {k: p.copy() for k, p in problem.params.items()} if training.watched else {}
        with np.errstate(all="ignore"):
            optimizer.step(grads, training.lr * rate)
        if rate >= MEASURABLE:
            change = max((_change(problem.params[k], was) for k, was in before.items()), default=0)
            largest = max(largest, change / (training.lr * rate))
    with np.errstate(all="ignore"):
        final = problem.final(losses)
    diverged = not math.isfinite(final) or final > losses[0]
    return Run(math.nan if diverged else final, largest if training.watched else math.nan)


def _change(now: Floats, was: Floats) -> float:
    return min(float(np.abs(now - was).max()), LARGEST)
