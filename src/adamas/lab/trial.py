"""One training run: an optimizer, a learning rate, a seed and a problem give a record.

The only place of the lab that steps an optimizer on a `Problem`. One thread per run: these problems
are so small that a second thread costs more than it saves.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import inf, isfinite, nan
from typing import Any

import numpy as np

import adamas
from adamas.lab.course import Further, further_of
from adamas.lab.entrants import entrant
from adamas.lab.gradients import Gradients, SpentError
from adamas.lab.problems import Params, Problem, Task
from adamas.lab.regrouped import in_units, with_batch
from adamas.lab.stepping import FailedStepping, StepError, Stepping

# The optimizers of the demo. Everything but lr stays at the rule's default: one tuned number each.
RULES = ("sgd", "momentum", "adagrad", "rmsprop", "adam")
# A run has blown up when both of its losses ended this many times above where they began. A loss
# that leaves grows with every step, so it matters little where the line is drawn: of 82,800 runs of
# five regressions at eighteen rates, 3 % ended between twice and a hundred times above their start,
# and 33 % beyond a million times.
BLOWN_UP = 10.0
# A validation loss that ends this many times above its lowest has turned.
OVERFIT = 1.1


class Watch:
    """Somebody who looks on during a run; subclasses override what they want to see.

    The optimizer is None where it is not one of adamas, so that nobody can look inside.
    """

    def begin(self, params: Params, opt: adamas.Optimizer | None) -> None:
        """Be told of the start."""

    def gradient(self, step: int, loss: float, grads: Params) -> None:
        """Be told of a batch's loss and gradient, before update number `step` (1 is the first)."""

    def updated(self, step: int, params: Params, opt: adamas.Optimizer | None) -> None:
        """Be told that update number `step` was made."""


class Updates(Watch):
    """Calls a function with the step and the optimizer after each update of one of adamas."""

    def __init__(self, seen: Callable[[int, adamas.Optimizer], None]) -> None:
        self._seen = seen

    def updated(self, step: int, params: Params, opt: adamas.Optimizer | None) -> None:
        """Pass it on."""
        if opt is not None:
            self._seen(step, opt)


@dataclass(frozen=True)
class Record:
    """What one run left behind.

    `steps` and `losses` are the evaluations, the start included; `train` holds the mean training
    loss between each evaluation and the one before it (NaN first). A run has diverged when it left
    no result (see `lost`); its `final` is then infinite. A run that ends above the loss it started
    from is worse than no training, and a number all the same. `further` are hyper-parameters that a
    search chose besides lr. `error` is what somebody else's optimizer said when it failed in a
    step, after which there is no result either.
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
    further: Further = ()
    error: str = ""

    @property
    def overfitted_from(self) -> int | None:
        """Return the step of the lowest loss if the run went on to learn its rows by heart.

        That is when the loss ended more than `OVERFIT` times its lowest, although the training loss
        went on falling; None otherwise, and for a run that diverged.
        """
        return overfitted_from(self.steps, self.losses, self.train) if not self.diverged else None

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON: `at` are the steps, None stands for what is not finite."""
        tree = asdict(self)
        for name in ("losses", "train"):
            tree[name] = [finite(value) for value in tree[name]]
        extras = {key: finite(value) for key, value in self.extras.items()}
        tree |= {"at": list(tree.pop("steps")), "final": finite(self.final), "extras": extras}
        tree["further"] = dict(self.further)
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
        further=further_of(tree["further"]),
        error=tree.get("error", ""),
    )


def finite(value: float) -> float | None:
    """Return a number that JSON can hold, or None."""
    return float(value) if isfinite(value) else None


def start(
    task: Task, optimizer: str, lr: float, further: Further = ()
) -> tuple[Params, Params, Stepping]:
    """Return fresh parameters of `task`, arrays for their gradients, and an optimizer on them.

    Raises `StepError` where the optimizer cannot be made.
    """
    params, grads = arrays(task)
    return params, grads, entrant(optimizer).begin(params, grads, lr, further)


def arrays(task: Task) -> tuple[Params, Params]:
    """Return fresh parameters of `task`, and arrays for their gradients."""
    params = task.start()
    return params, {name: np.empty_like(param) for name, param in params.items()}


def run(
    problem: Problem,
    optimizer: str,
    lr: float,
    seed: int,
    watch: Watch | None = None,
    further: Further = (),
) -> Record:
    """Train `problem` once and return its record.

    `optimizer` is a text for `entrant`, and `further` are hyper-parameters besides; `watch` looks
    on. A run ends when it has computed `problem.steps` gradients, or as many samples' worth of
    another batch, or when its loss is no longer
    finite, or when somebody else's optimizer fails.
    """
    who = entrant(optimizer)
    course = who.course.changed(further)
    made = with_batch(problem, course.batch)
    task = made.task(seed)
    watch = watch or Watch()
    with who.apart(seed):
        params, grads = arrays(task)
        judge = partial(Gradients, task, params, grads, made, asks=who.asks)
        try:
            opt = who.begin(params, grads, lr, further)
            seen = judge(opt=opt)
        except StepError as failure:  # which other rates may not be
            opt = FailedStepping(str(failure))
            seen = judge(opt=opt)
        watch.begin(params, opt.own)
        factor = course.factor(made.steps)
        error = ""
        with np.errstate(all="ignore"):
            try:
                for step, batch in enumerate(task.batches(), start=1):
                    loss = seen.begin(batch)
                    watch.gradient(step, loss, grads)
                    if factor is not None:
                        opt.at(lr * factor(seen.spent))
                    opt.step(grads, loss, seen.again)
                    watch.updated(step, params, opt.own)
                    if seen.end() or not isfinite(seen.losses[-1]):
                        break
            except SpentError:
                pass
            except StepError as failure:
                error = str(failure)
            extras, unjudged = extras_of(task, params, opt)
    error = error or unjudged
    diverged = bool(error) or lost((seen.losses[0], seen.losses[-1]), (seen.first, seen.train[-1]))
    final = inf if diverged else seen.losses[-1]
    steps = in_units(seen.steps, made, problem)
    curves = steps, tuple(seen.losses), final, diverged, extras
    return Record(optimizer, lr, seed, *curves, tuple(seen.train), further, error)


def extras_of(task: Task, params: Params, opt: Stepping) -> tuple[dict[str, float], str]:
    """Return further numbers at the end of a run, and what the optimizer said if it failed."""
    try:
        with opt.judged():
            return task.extras(params), ""
    except StepError as failure:
        return task.extras(params), str(failure)


def lost(judged: tuple[float, float], trained: tuple[float, float]) -> bool:
    """Return whether a run left no result, from the first and last loss of each kind.

    It left none when the last judged loss is not finite, or when both losses ended more than
    `BLOWN_UP` times above their first. One alone is not enough: a network that has learned its rows
    by heart may be judged ten times worse than at the start, and a first batch may be an easy one.

    >>> lost((0.8, 1.02), (0.8, 0.12)), lost((0.8, 80.0), (0.8, 75.0)), lost((0.8, inf), (0.8, 0.1))
    (False, True, True)
    """
    return not isfinite(judged[1]) or (rose(*judged) and rose(*trained))


def rose(first: float, last: float) -> bool:
    """Return whether a loss ended `BLOWN_UP` times above its first value, or is not a number."""
    return not last - first <= (BLOWN_UP - 1) * abs(first)


def overfitted_from(
    steps: Sequence[int], losses: Sequence[float], train: Sequence[float]
) -> int | None:
    """Return the step of the lowest loss if it then rose while the training loss fell, else None.

    >>> overfitted_from((0, 10, 20, 30), (0.8, 0.24, 0.6, 1.02), (nan, 0.5, 0.2, 0.12))
    10
    """
    lowest = losses.index(min(losses))
    before = train[max(lowest, 1)] if len(train) > 1 else nan
    turned = losses[-1] > losses[lowest] + (OVERFIT - 1) * abs(losses[lowest])
    return steps[lowest] if turned and train[-1] < before else None
