"""One training run: an optimizer, a learning rate, a seed and a problem give a record.

The only place of the lab that steps an optimizer on a `Problem`. One thread per run: these problems
are so small that a second thread costs more than it saves.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from math import inf, isfinite, nan
from typing import Any

import numpy as np

import adamas
from adamas.lab.entrants import entrant
from adamas.lab.problems import Params, Problem, Task

# The optimizers of the demo. Everything but lr stays at the rule's default: one tuned number each.
RULES = ("sgd", "momentum", "adagrad", "rmsprop", "adam")


class Watch:
    """Somebody who looks on during a run; subclasses override what they want to see."""

    def begin(self, params: Params, opt: adamas.Optimizer) -> None:
        """Be told of the start."""

    def gradient(self, step: int, loss: float, grads: Params) -> None:
        """Be told of a batch's loss and gradient, before update number `step` (1 is the first)."""

    def updated(self, step: int, params: Params, opt: adamas.Optimizer) -> None:
        """Be told that update number `step` was made."""


class Updates(Watch):
    """Calls a function with the step and the optimizer after each update."""

    def __init__(self, seen: Callable[[int, adamas.Optimizer], None]) -> None:
        self._seen = seen

    def updated(self, step: int, params: Params, opt: adamas.Optimizer) -> None:
        """Pass it on."""
        self._seen(step, opt)


@dataclass(frozen=True)
class Record:
    """What one run left behind.

    `steps` and `losses` are the evaluations, the start included; `train` holds the mean training
    loss between each evaluation and the one before it (NaN first). A run has diverged when its last
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
    train: tuple[float, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON: `at` are the steps, None stands for what is not finite."""
        tree = asdict(self)
        for name in ("losses", "train"):
            tree[name] = [finite(value) for value in tree[name]]
        extras = {key: finite(value) for key, value in self.extras.items()}
        tree |= {"at": list(tree.pop("steps")), "final": finite(self.final), "extras": extras}
        return tree


def from_json(tree: dict[str, Any]) -> Record:
    """Return the record that `as_json` described."""
    values = {name: tree[name] for name in ("optimizer", "lr", "seed", "diverged")}
    return Record(
        **values,
        steps=tuple(tree["at"]),
        losses=tuple(nan if value is None else value for value in tree["losses"]),
        final=inf if tree["final"] is None else tree["final"],
        extras={key: nan if v is None else v for key, v in tree["extras"].items()},
        train=tuple(nan if value is None else value for value in tree["train"]),
    )


def finite(value: float) -> float | None:
    """Return a number that JSON can hold, or None."""
    return float(value) if isfinite(value) else None


def start(task: Task, optimizer: str, lr: float) -> tuple[Params, Params, adamas.Optimizer]:
    """Return fresh parameters of `task`, arrays for their gradients, and an optimizer on them."""
    params = task.start()
    grads = {name: np.empty_like(param) for name, param in params.items()}
    who = entrant(optimizer)
    opt = adamas.Optimizer(
        who.formula, params, lr=lr, threads=1, on_nonfinite="allow", **who.hypers
    )
    return params, grads, opt


def run(
    problem: Problem, optimizer: str, lr: float, seed: int, watch: Watch | None = None
) -> Record:
    """Train `problem` once and return its record.

    `optimizer` is a text for `entrant`; `watch` looks on. A run stops early when its loss is no
    longer finite.
    """
    task = problem.task(seed)
    params, grads, opt = start(task, optimizer, lr)
    watch = watch or Watch()
    watch.begin(params, opt)
    steps, losses, train, since = [0], [task.evaluate(params)], [nan], []
    with np.errstate(all="ignore"):
        for step, batch in enumerate(islice(task.batches(), problem.steps), start=1):
            since.append(task.gradient(params, batch, grads))
            watch.gradient(step, since[-1], grads)
            opt.step(grads)
            watch.updated(step, params, opt)
            if step % problem.every == 0 or step == problem.steps:
                steps.append(step)
                losses.append(task.evaluate(params))
                train.append(sum(since) / len(since))
                since.clear()
                if not isfinite(losses[-1]):
                    break
        extras = task.extras(params)
    diverged = not losses[-1] <= losses[0]
    final = inf if diverged else losses[-1]
    curves = tuple(steps), tuple(losses), final, diverged, extras, tuple(train)
    return Record(optimizer, lr, seed, *curves)
