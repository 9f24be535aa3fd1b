"""An optimizer on the arrays of one run, whoever wrote it: what a trial asks of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import adamas
from adamas.lab.problems import Params

# Writes the gradient of the present batch at the present parameters, and returns its loss.
Again = Callable[[], float]


class StepError(Exception):
    """Somebody else's optimizer failed in a step; as text, what it said."""


class Stepping(Protocol):
    """An optimizer that steps the arrays of one run in place."""

    @property
    def own(self) -> adamas.Optimizer | None:
        """The optimizer of adamas behind it, for those who look inside; None if there is none."""

    def at(self, lr: float) -> None:
        """Step with this learning rate from now on."""

    def step(self, grads: Params, loss: float, again: Again) -> None:
        """Make one update.

        `grads` hold the gradient at the present parameters, where the batch has this loss. A line
        search may move the parameters, ask `again`, and find the new gradient in `grads`. Raises
        `StepError` when the optimizer fails.
        """

    def judged(self) -> AbstractContextManager[None]:
        """Let the parameters be, as long as it lasts, those that are to be judged.

        Some optimizers train at one point and mean another, such as an average.
        """

    def state_bytes(self) -> int:
        """Return the bytes of its state, once it has stepped."""


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

    def judged(self) -> AbstractContextManager[None]:
        """Judge the parameters as they are."""
        return nullcontext()

    def state_bytes(self) -> int:
        """Return the bytes of its state, numbers at eight each."""
        held = (v for states in self.own.state.values() for k, v in states.items() if k != "step")
        return sum(int(getattr(value, "nbytes", 8)) for value in held)
