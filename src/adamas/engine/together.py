"""Several rules as one optimizer: a stepper for each, and one step of them all.

They share the turn, the count of steps, the norm, the look at what is not finite and the sweep;
what belongs to a parameter (state, settings, kernels) is its own rule's stepper's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.engine import phases
from adamas.engine.bind import Bound
from adamas.engine.gradients import refuse_shared
from adamas.engine.joint import Share, long_step
from adamas.engine.settings import divisor, limit
from adamas.engine.stepper import Stepper
from adamas.engine.tensors import Array, overlap
from adamas.engine.turn import alone


class Together:
    """Steps `parts` together; tensor i of part k stands at `places[k][i]` among all of them.

    Raises ValueError where parameters of two parts share memory.
    """

    def __init__(self, parts: Sequence[Stepper], places: Sequence[Sequence[int]]) -> None:
        self.parts, self.places = parts, places
        self.turn = self._turn = parts[0].turn
        self.every = [tensor for part in parts for tensor in part.tensors]
        if both := overlap([(tensor.key, tensor.given) for tensor in self.every]):
            raise ValueError(
                f"parameters {both[0]!r} and {both[1]!r} share memory; each element may be updated "
                "by one parameter only."
            )
        for part in parts:
            part.turn = part._turn = self.turn
            part.meet(self.every)
        self.size = sum(part.size for part in parts)
        self.threads = parts[0].threads
        self._where = {
            place: (part, i)
            for part, own in zip(parts, places, strict=True)
            for i, place in enumerate(own)
        }

    def at(self, place: int) -> tuple[Stepper, int]:
        """The stepper of a tensor, and the tensor's index there."""
        return self._where[place]

    @property
    def behind(self) -> bool:
        """Whether rows may have missed steps."""
        return any(part.behind for part in self.parts)

    _waiting = behind

    @alone
    def step(
        self,
        values: Sequence[Any],
        clip_norm: float | None = None,
        loss_scale: float = 1.0,
        second: Sequence[Sequence[Any]] | None = None,
    ) -> bool:
        """Update every tensor that has a gradient; False if the step was skipped.

        For each part what its `Stepper.step` takes. Raises what `Optimizer.step` raises.
        """
        parts, first = self.parts, self.parts[0]
        bounds = [part.binding.bind(own) for part, own in zip(parts, values, strict=True)]
        if first.zero_grads:
            refuse_shared(self.every, [value for own in values for value in own], self.every)
        if not self._beside(bounds, second):
            return False
        for part in parts:
            part.settings.refresh(part.steps + 1)
        clip = first.clip if clip_norm is None else limit(clip_norm)
        scale = first.sign / divisor(loss_scale)
        pairs = list(zip(parts, bounds, strict=True))
        # Each asks its peers, where it has any: all of them are asked.
        checks = [p.begins(bound) if p.checks is None else p.checks for p, bound in pairs]
        factor = phases.Factor(scale, clip, any(checks), first.look)
        shares = [
            Share(part, own, bound, places)
            for part, own, bound, places in zip(parts, values, bounds, self.places, strict=True)
        ]
        some = any(share.moves for share in shares)
        for share in shares:
            for batch in share.batches:
                # A part without a gradient makes no step, unless none has any.
                batch.counts(share.moves or not some)
        size = sum(part.work(bound) if bound.rows else part.size for part, bound in pairs)
        return long_step(shares, factor, self.threads if size >= phases.PARALLEL else 1)

    def _beside(self, bounds: Sequence[Bound], given: Sequence[Sequence[Any]] | None) -> bool:
        """Point at the arrays beside the gradients; False if the step is skipped for one of them.

        Those of parts that read none may be left out, as None.
        """
        nobody = given is not None and not any(part.reads_second for part in self.parts)
        nothing: list[Sequence[Any] | None] = [None] * len(self.parts)
        owned = nothing if given is None else given
        for part, bound, own in zip(self.parts, bounds, owned, strict=True):
            some = own is not None and any(one is not None for one in own)
            if (part.reads_second or some or nobody) and not part.beside(bound, own):
                return False
        return True

    @alone
    def sync(self, rows: Mapping[int, NDArray[np.int64]] | None = None) -> None:
        """Do the steps that rows have missed: all rows, or `rows[k]` of each tensor k."""
        if rows is None:
            self.catch_up()
        else:
            for place, some in rows.items():
                part, index = self.at(place)
                part.missed.of(index, some)

    def catch_up(self) -> None:
        """Do the steps that any row has missed, inside a call of whoever has the turn."""
        for part in self.parts:
            part.missed.all()

    def values(self, place: int) -> dict[str, Array]:
        """The states of a tensor as numbers: copies, decoded where they are codes."""
        part, index = self.at(place)
        return part.values(index)
