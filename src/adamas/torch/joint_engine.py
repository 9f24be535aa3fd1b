"""Parameters of several rules on the CPU: a kernel engine for each, which step together."""

from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from operator import call
from typing import Any

import torch

from adamas.engine.cpus import Threads
from adamas.engine.finite import NonFiniteError
from adamas.engine.observed import Record
from adamas.engine.threads import Action
from adamas.engine.together import Together
from adamas.torch.engines import Live
from adamas.torch.kernel_engine import KernelEngine


class JointEngine:
    """Steps `live`, whose k-th is parameter i of `parts[n]` where `places[n][i]` is k.

    `groups` says of a group which part has it, and as which of its own.
    """

    def __init__(
        self,
        parts: Sequence[KernelEngine],
        places: Sequence[Sequence[int]],
        live: Sequence[Live],
        groups: Mapping[int, tuple[KernelEngine, int]],
    ) -> None:
        self.parts, self.live = parts, live
        self._places, self._groups = places, groups
        self._together = Together([part.stepper for part in parts], places)
        pairs = zip(parts, places, strict=True)
        self._at = {k: (part, i) for part, own in pairs for i, k in enumerate(own)}
        self.published: Action = dict

    def out_of_a_file(self, entries: Mapping[Any, Mapping[str, Any]]) -> list[Action] | None:
        """What puts entries of a file into the state of all parts; None unless all fit."""
        actions = list[Action]()
        for part in self.parts:
            if (own := part.out_of_a_file(entries)) is None:
                return None
            actions += own
        return actions

    @property
    def threads(self) -> Threads:
        """How many threads a long step takes."""
        return self._together.threads

    @property
    def rounds(self) -> bool:
        """Whether anything is rounded at random."""
        return any(part.rounds for part in self.parts)

    @property
    def grad_norm(self) -> float:
        """Norm of all gradients before clipping, or NaN."""
        return self._together.turn.grad_norm

    @property
    def skipped(self) -> int:
        """How many steps were left out."""
        return self._together.turn.skipped

    @property
    def steps(self) -> int:
        """The largest of the parameters' step counts."""
        return max(part.steps for part in self.parts)

    @property
    def behind(self) -> bool:
        """Whether there may be rows that have missed steps."""
        return self._together.behind

    def sync(self) -> None:
        """Do the steps that rows have missed."""
        self._together.sync()

    def entry(self, k: int) -> dict[str, Any]:
        """The live state of parameter k under torch's names, `step` first."""
        return self._at[k][0].entry(self._at[k][1])

    def saved(self, k: int) -> dict[str, Any]:
        """The same as a file holds it, whatever the number of ranks."""
        return self._at[k][0].saved(self._at[k][1])

    def decoded(self, k: int) -> dict[str, Any]:
        """The same as numbers, copied."""
        return self._at[k][0].decoded(self._at[k][1])

    def record(self, k: int, rule: str) -> Record:
        """What is known of the last step of parameter k, by the rule of this name."""
        part, i = self._at[k]
        return part.record(i, rule)

    def news(self) -> dict[torch.Tensor, torch.Tensor | None]:
        """Which rows were stepped, of parameters where that began or ended with a step."""
        found: dict[torch.Tensor, torch.Tensor | None] = {}
        for part in self.parts:
            found |= part.news()
        self.published = partial(deque, map(call, [part.published for part in self.parts]), 0)
        return found

    def inherit(self, old: Any) -> None:
        """Go on where `old` stood: rows that wait for their missed steps, and counters."""
        for part in self.parts:
            part.inherit(old)

    def set(self, group: int, numbers: Mapping[str, float]) -> None:
        """Change hyper-parameters of one group; of one without state there is nothing to change."""
        if group in self._groups:
            part, own = self._groups[group]
            part.set(own, numbers)

    def step(
        self, tensors: list[torch.Tensor | None], clip: float | None, loss_scale: float
    ) -> bool:
        """One step with these gradients, in the order of `live`; False if it was skipped.

        Raises what `KernelEngine.step` raises, for all rules together.
        """
        pairs = [
            (part, [tensors[k] for k in own])
            for part, own in zip(self.parts, self._places, strict=True)
        ]
        given, done = [part.given(own) for part, own in pairs], False
        try:
            done = self._together.step(given, clip, loss_scale)
        except NonFiniteError as error:
            done = error.left > 0
            raise
        finally:
            for part, own in pairs:
                part.release()
                if done:
                    part.written(own)
        return done
