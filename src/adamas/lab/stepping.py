"""An optimizer on the arrays of one run, whoever wrote it: what a trial asks of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

import numpy as np

import adamas
from adamas import rules
from adamas.classes import hypers
from adamas.kernel.formula import Formula
from adamas.lab.layers import hidden, turned
from adamas.lab.needs import LabError
from adamas.lab.problems import Params

# Writes the gradient of the present batch at the present parameters, and returns its loss.
Again = Callable[[], float]


class StepError(Exception):
    """Somebody else's optimizer failed, made or in a step; as text, what it said."""


@contextmanager
def theirs() -> Iterator[None]:
    """Run somebody else's code: what it raises becomes a `StepError`.

    NumPy's error state, which it may change, is put back for whoever computes next.
    """
    try:
        with np.errstate():
            yield
    except (MemoryError, LabError, StepError):
        raise
    except (Exception, SystemExit) as error:
        raise StepError(f"{type(error).__name__}: {' '.join(str(error).split())}") from error


class Stepping(Protocol):
    """An optimizer that steps the arrays of one run in place."""

    @property
    def own(self) -> adamas.Optimizer | None:
        """The optimizer of adamas behind it, for those who look inside; None if there is none."""

    def at(self, lr: float) -> None:
        """Step with this learning rate from now on; `StepError` where there is no way to."""

    def step(self, grads: Params, loss: float, again: Again) -> None:
        """Make one update.

        `grads` hold the gradient at the present parameters, where the batch has this loss. A line
        search may move the parameters, ask `again`, and find the new gradient in `grads`. Raises
        `StepError` when the optimizer fails.
        """

    def judged(self) -> AbstractContextManager[None]:
        """Let the parameters be, as long as it lasts, those that are to be judged.

        Some optimizers train at one point and mean another, such as an average. Raises `StepError`
        when the optimizer fails.
        """

    def state_bytes(self) -> int:
        """Return the bytes of its state, once it has stepped."""


class JudgedAsTheyAre:
    """An optimizer that trains at the point which it means."""

    def judged(self) -> AbstractContextManager[None]:
        """Judge the parameters as they are."""
        return nullcontext()


class FailedStepping(JudgedAsTheyAre):
    """What could not be made: it fails in its first step, and says why."""

    own = None

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def at(self, lr: float) -> None:
        """Do nothing."""

    def step(self, grads: Params, loss: float, again: Again) -> None:
        """Raise a `StepError` that says why."""
        raise StepError(self._reason)

    def state_bytes(self) -> int:
        """Return 0."""
        return 0


class FormulaStepping:
    """A rule of adamas on the arrays of one run."""

    def __init__(self, own: adamas.Optimizer) -> None:
        self.own = own

    def at(self, lr: float) -> None:
        """Step with this learning rate from now on."""
        for group in self.own.param_groups:
            group["lr"] = lr

    def step(self, grads: Params, loss: float, again: Again) -> None:
        """Make one update; it needs no further gradient."""
        self.own.step(grads)

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Judge at the average, for rules that train at another point."""
        try:
            self.own.eval()
        except ValueError as error:
            raise StepError(str(error)) from error
        try:
            yield
        finally:
            self.own.train()

    def state_bytes(self) -> int:
        """Return the bytes of its state, numbers at eight each."""
        return held(self.own)


def held(optimizer: adamas.Optimizer) -> int:
    """Return the bytes of an optimizer's state, numbers at eight each."""
    entries = optimizer.state.values()
    found = (value for states in entries for key, value in states.items() if key != "step")
    return sum(int(getattr(value, "nbytes", 8)) for value in found)


class LayersStepping(JudgedAsTheyAre):
    """A rule for matrices of hidden layers, and AdamW for all else, with one rate to search.

    AdamW's is as much larger or smaller than its default as the rule's is. Nobody looks inside: the
    arrays that it steps are not those of the problem. Raises `LabError` where there is no such
    matrix.
    """

    own = None

    def __init__(self, rule: Formula, params: Params, lr: float, chosen: Mapping[str, Any]) -> None:
        self._layers = hidden(params)
        if not self._layers:
            raise LabError("error.no_hidden", rule=rule.name, names=", ".join(params))
        self._share = hypers(rules.adamw)["lr"] / rule.hypers["lr"]
        mine, others = self._apart(params)
        groups: list[dict[str, Any]] = [
            {"params": mine, "rule": rule, "lr": lr, **chosen},
            {"params": others, "rule": "adamw", "lr": lr * self._share},
        ]
        self._both = adamas.Optimizer(rule, groups, threads=1, on_nonfinite="allow")

    def _apart(self, arrays: Params) -> list[Params]:
        mine = {name: turned(arrays[name], columns) for name, columns in self._layers.items()}
        return [mine, {name: x for name, x in arrays.items() if name not in mine}]

    def at(self, lr: float) -> None:
        """Step with this learning rate from now on."""
        for group, rate in zip(self._both.param_groups, (lr, lr * self._share), strict=True):
            group["lr"] = rate

    def step(self, grads: Params, loss: float, again: Again) -> None:
        """Make one update; it needs no further gradient."""
        self._both.step(self._apart(grads))

    def state_bytes(self) -> int:
        """Return the bytes of its state, numbers at eight each."""
        return held(self._both)
