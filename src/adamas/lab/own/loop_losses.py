"""The losses that a user's own loop yields: what they may be, and the record of a run from them."""

from collections.abc import Mapping
from math import inf, isfinite, nan
from numbers import Real
from typing import Any

from adamas.lab.course import Further
from adamas.lab.needs import LabError
from adamas.lab.own.maker import EndedError
from adamas.lab.problems import Problem
from adamas.lab.trial import Record, lost

# So many losses in a row without an update between them, and a loop makes none.
STILL = 10_000
# The share of a run that may lie behind its last loss, where that is longer than `every`.
UNJUDGED = 0.1


class Seen:
    """What a loop told so far."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.train: list[float] = []
        self.extras: dict[str, float] = {}
        self.error = ""
        self._still = 0

    def heard(self, told: Any, updates: int) -> bool:
        """Take in what was yielded after so many updates; return whether the run goes on.

        Of two losses after the same update the later one counts.
        """
        said = dict(told) if isinstance(told, Mapping) else {"loss": told}
        loss, train = numeral(said.pop("loss", None)), numeral(said.pop("train", nan))
        still = bool(self.steps) and self.steps[-1] == updates
        self._still = still * (self._still + 1)
        if still:
            del self.steps[-1], self.losses[-1], self.train[-1]
        if self._still == STILL:
            raise EndedError
        self.steps.append(updates)
        self.losses.append(loss)
        self.train.append(train)
        self.extras = {str(name): numeral(value) for name, value in said.items()}
        return isfinite(loss)

    def refuse_negative(self, name: str) -> None:
        """Raise `LabError` for a last loss below 0; the first one is looked at by `record`."""
        loss, updates = self.losses[-1], self.steps[-1]
        if updates and -inf < loss < 0:
            raise LabError("error.loop_negative", name=name, loss=loss, updates=updates)

    def failed(self, updates: int, error: str = "") -> None:
        """Take in that the loop went out of bounds, or what its optimizer said when it failed."""
        self.heard(nan, updates)
        self.error = error

    def record(self, problem: Problem, trial: tuple[str, float, int], further: Further) -> Record:
        """Return the record; `LabError` where there is no loss to judge, or the run is too short.

        A run that is cut off at its own will sees less than the others, and is no comparison.
        """
        if self.steps and not self.steps[0] and not 0 < self.losses[0] < inf:
            raise LabError("error.start_judged", text=problem.name, judged=self.losses[0])
        if not self.steps or not self.steps[-1]:
            raise LabError("error.loop_silent", name=problem.name, steps=problem.steps)
        known = [value for value in self.train if isfinite(value)]
        trained = (known[0], self.train[-1]) if known else (self.losses[0], self.losses[-1])
        diverged = bool(self.error) or lost((self.losses[0], self.losses[-1]), trained)
        last, steps = self.steps[-1], problem.steps
        if not diverged and steps - last > max(problem.every, UNJUDGED * steps):
            told = dict(zip(("optimizer", "lr", "seed"), trial, strict=True))
            raise LabError("error.loop_short", name=problem.name, last=last, steps=steps, **told)
        final = inf if diverged else self.losses[-1]
        curve, train = (tuple(self.steps), tuple(self.losses)), tuple(self.train)
        return Record(*trial, *curve, final, diverged, self.extras, train, further, self.error)


def numeral(value: Any) -> float:
    """Return a loss as a number, of an array or a tensor of one element too."""
    if hasattr(value, "requires_grad"):
        value = value.detach()
    kind = str(getattr(value, "dtype", ""))
    none = isinstance(value, bool) or "bool" in kind or "complex" in kind
    if not none and (isinstance(value, Real) or hasattr(value, "__array__")):
        try:
            return float(value)
        except (TypeError, ValueError, RuntimeError):
            pass
    raise LabError("error.loop_loss", kind=type(value).__name__)
