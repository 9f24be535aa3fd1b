"""One training run: an optimizer, a learning rate, a seed and a problem give a record.

The only place of the lab that steps an optimizer on a `Problem`. One thread per run: these problems
are so small that a second thread costs more than it saves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from math import inf
from typing import Any

import numpy as np

import adamas
from adamas import rules
from adamas.lab.problems import Problem

# Everything but lr stays at the rule's default: one tuned number for each optimizer.
RULES: dict[str, Callable[..., Any]] = {
    "sgd": rules.sgd,
    "momentum": rules.momentum,
    "adagrad": rules.adagrad,
    "rmsprop": rules.rmsprop,
    "adam": rules.adam,
}

Watch = Callable[[int, adamas.Optimizer], None]


@dataclass(frozen=True)
class Record:
    """What one run left behind.

    `steps` and `losses` are the evaluations, the start included. A run has diverged when its last
    loss is not finite or above the loss it started from; its `final` is then infinite.
    """

    optimizer: str
    lr: float
    seed: int
    steps: tuple[int, ...]
    losses: tuple[float, ...]
    final: float
    diverged: bool
    extras: dict[str, float]


def run(
    problem: Problem, optimizer: str, lr: float, seed: int, watch: Watch | None = None
) -> Record:
    """Train `problem` once and return its record.

    `optimizer` is a key of `RULES`; `watch(step, optimizer)` is called after each update. A run
    stops early when its loss is no longer finite.
    """
    task = problem.task(seed)
    params = task.start()
    grads = {name: np.empty_like(param) for name, param in params.items()}
    opt = adamas.Optimizer(RULES[optimizer], params, lr=lr, threads=1, on_nonfinite="allow")
    steps, losses = [0], [task.evaluate(params)]
    with np.errstate(all="ignore"):
        for step, batch in enumerate(islice(task.batches(), problem.steps), start=1):
            task.gradient(params, batch, grads)
            opt.step(grads)
            if watch is not None:
                watch(step, opt)
            if step % problem.every == 0 or step == problem.steps:
                steps.append(step)
                losses.append(task.evaluate(params))
                if not np.isfinite(losses[-1]):
                    break
        extras = task.extras(params)
    diverged = not losses[-1] <= losses[0]
    final = inf if diverged else losses[-1]
    return Record(optimizer, lr, seed, tuple(steps), tuple(losses), final, diverged, extras)
