"""An optimizer on the arrays of one run, whoever wrote it: what a trial asks of it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

import numpy as np

import adamas
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
        held = (v for states in self.own.state.values() for k, v in states.items() if k != "step")
        return sum(int(getattr(value, "nbytes", 8)) for value in held)
