"""What steps the parameters that have had a gradient, wherever they are.

An engine is made at the first step, and made again whenever something that it was laid out for is
another: a parameter's memory (`p.data = ...`), a state, the groups. State is handed over, never
lost, and every number of it lies in the tensors of `optimizer.state`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from adamas.engine.observed import Record
from adamas.engine.threads import Action


@dataclass(frozen=True)
class Live:
    """A parameter that has state: its name in messages, its group and what its rounding hangs on.

    `rounding` is the key of its random numbers, unless its state has one.
    """

    parameter: torch.Tensor
    key: str
    group: int
    rounding: int


class Engine(Protocol):
    """Steps the parameters of `live`; k is a place there."""

    live: Sequence[Live]
    # To be done once `optimizer.state` holds the last `news`.
    published: Action

    @property
    def rounds(self) -> bool:
        """Whether anything is rounded at random."""

    @property
    def grad_norm(self) -> float:
        """Norm of all gradients before clipping at the last step, or NaN."""

    @property
    def skipped(self) -> int:
        """How many steps were left out."""

    @property
    def steps(self) -> int:
        """How many steps were done: those of the parameter that was stepped most often."""

    @property
    def behind(self) -> bool:
        """Whether there may be rows that have missed steps."""

    def entry(self, k: int, /) -> dict[str, Any]:
        """The live state of parameter k under torch's names, `step` first."""

    def saved(self, k: int, /) -> dict[str, Any]:
        """The same as a file holds it, whatever the number of ranks."""

    def decoded(self, k: int, /) -> dict[str, Any]:
        """The same as numbers, copied."""

    def record(self, k: int, rule: str, /) -> Record:
        """What is known of the last step of parameter k, by the rule of this name."""

    def news(self) -> dict[torch.Tensor, torch.Tensor | None]:
        """Which rows were stepped, of parameters where that began or ended with a step.

        None where all have been.
        """

    def inherit(self, old: Any, /) -> None:
        """Go on where an engine of the same class stood: rows that wait for steps, counters."""

    def set(self, group: int, numbers: Mapping[str, float], /) -> None:
        """Change hyper-parameters of one group; they have been checked."""

    def step(
        self, tensors: list[torch.Tensor | None], clip: float | None, loss_scale: float, /
    ) -> bool:
        """One step with these gradients, in the order of `live`; False if it was skipped.

        Raises `NonFiniteError`, with the step done unless its `left` is 0.
        """

    def sync(self) -> None:
        """Do the steps that rows have missed."""
