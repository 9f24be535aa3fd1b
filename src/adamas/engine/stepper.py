"""The steps of one rule: the short way where a step is one call of a kernel, else the long one."""

import math
from collections.abc import Mapping, Sequence
from threading import get_ident
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.engine import beside, finite, phases
from adamas.engine.bind import Bound
from adamas.engine.joint import Share, long_step, noting, told
from adamas.engine.observed import Record, record
from adamas.engine.parts import Parts
from adamas.engine.settings import divisor, limit
from adamas.engine.tensors import Array, Tensor, address
from adamas.engine.threads import straight
from adamas.engine.turn import alone, reading
from adamas.kernel.formula import Formula
from adamas.kernel.runtime import job as j


class Stepper(Parts):
    """The steps of one optimizer over its parts: what every face stands on.

    One call at a time, see `turn`: calls that meet raise RuntimeError.
    """

    @property
    def parts(self) -> Sequence["Stepper"]:
        """This one alone: what several rules have one of each."""
        return (self,)

    @property
    def places(self) -> Sequence[Sequence[int]]:
        """Where the tensors of each part stand among all of them."""
        return (range(len(self.tensors)),)

    @property
    def members(self) -> list[list[Tensor]]:
        """The tensors of each group."""
        count = range(len(self.settings.groups))
        return [[tensor for tensor in self.tensors if tensor.group == k] for k in count]

    def formula_of(self, group: int) -> Formula:
        """The rule of a group."""
        return self.formula

    @property
    def rules(self) -> list[Any]:
        """No group has a rule of its own."""
        return []

    @property
    def steps(self) -> int:
        """How many steps were done."""
        return int(self._steps[-1])

    def at(self, place: int) -> tuple["Stepper", int]:
        """The stepper of a tensor, and the tensor's index there."""
        return self, place

    def catch_up(self) -> None:
        """Do the steps that any row has missed, inside a call of whoever has the turn."""
        self.missed.all()

    def shown(self) -> str:
        """The settings of the first group, as `repr` has them."""
        return ", ".join(f"{name}={value:g}" for name, value in self.settings.now(0).items())

    @property
    def behind(self) -> bool:
        """Whether rows may have missed steps."""
        return bool(self.sparse.histories)

    _waiting = behind

    def step(
        self,
        values: Any,
        clip_norm: float | None = None,
        loss_scale: float = 1.0,
        second: Sequence[Any] | None = None,
    ) -> bool:
        """Update every tensor that has a gradient; False if the step was skipped.

        `values` are the gradients in the order of `tensors`, as the binding takes them, and each
        an array, `Rows` or None where it is looked at; `second` are the arrays beside them, of a
        rule that asks for them. Raises what `Optimizer.step` raises.
        """
        turn, me = self._turn, get_ident()
        while turn.owner:
            turn.meet()
        try:
            turn.owner = me
            bound = self.binding.bind(values)
            if (self.reads_second or second is not None) and not self.beside(bound, second):
                return False
            self.settings.refresh(self._steps[-1] + 1)
            clip = self.clip if clip_norm is None else limit(clip_norm)
            scale = self.sign / divisor(loss_scale)
            checks = self.begins(bound) if self.checks is None else self.checks
            factor = phases.Factor(scale, clip, checks, self.look)
            size = self.work(bound) if bound.rows else self.size
            threads = self.threads if size >= phases.PARALLEL else 1
            simple = len(bound.dense) == 1 and not (bound.rows or bound.copies or self.packed)
            plain = simple and not (self.long or self.sparse.histories)
            if plain and threads == 1 and not bound.dense[0].apart:
                batch = bound.dense[0]
                batch.arm(scale, clip, self.late if factor.reads_first else self.look)
                status = batch.run(batch.at, phases.ALL if factor.reads_first else phases.UPDATE)
                if status != j.NOT_FINITE:
                    turn.grad_norm = batch.norm if factor.reads_first else math.nan
                    if status == j.SOME_LEFT:
                        raise told([Share(self, values, bound)], scale)
                    return True
            return long_step([Share(self, values, bound)], factor, threads)
        finally:
            turn.owner = 0

    @alone
    def sync(self, rows: Mapping[int, NDArray[np.int64]] | None = None) -> None:
        """Do the steps that rows have missed: all rows, or `rows[k]` of each tensor k."""
        if rows is None:
            self.missed.all()
        else:
            for index, some in rows.items():
                self.missed.of(index, some)

    def record(self, index: int, shape: Sequence[int], rule: str) -> Record:
        """What is known of the last step of a tensor of this shape; of a part, its own codes."""
        tensor = self.tensors[index]
        lr = self.settings.now(tensor.group).get("lr", math.nan)
        known = tensor.key, shape, rule, int(self.numbers.steps[index]), lr
        return record(*known, self.noted(index), self.store.at_floor(index))

    def noted(self, index: int) -> dict[str, float]:
        """What was noted of a tensor's last step, see `observing.NOTED`; empty where nothing is."""
        scalars = self.numbers.scalars[index]
        return {what: float(scalars[k]) for what, k in self.store.noted(index).items()}

    def note(self, index: int, numbers: Mapping[str, float]) -> None:
        """Take over what another stepper has noted of a tensor."""
        for what, place in self.store.noted(index).items():
            self.numbers.scalars[index, place] = numbers.get(what, math.nan)

    @reading
    def values(self, index: int) -> dict[str, Array]:
        """The states of a tensor as numbers: copies, decoded where they are codes."""
        return {state: self.store.values(index, state) for state in self.store.states(index)}

    def inherit(self, before: "Stepper", places: Mapping[int, int]) -> None:
        """Go on where `before` stood, with rows that wait for missed steps and with counters.

        `places[k]` is where its tensor k is here, if it still is. ValueError if rows wait that
        have no place in this layout.
        """
        for index, history in before.sparse.histories.items():
            if index in places:
                self.sparse.adopt(places[index], history)
        for index, here in places.items():
            self.note(here, before.noted(index))
        self.numbers.steps[-1] = before.numbers.steps[-1]
        self.turn.skipped, self.turn.grad_norm = before.turn.skipped, before.turn.grad_norm

    def beside(self, bound: Bound, given: Sequence[Any] | None) -> bool:
        """Point at the arrays beside the gradients; False if the step is skipped for one of them.

        Raises what `beside.read` raises, and NonFiniteError.
        """
        self._seconds, bad = beside.read(self, bound, given)
        if bad and self.on_nonfinite == "skip":
            straight(noting(self.turn, math.nan, skipped=1))
            return False
        if bad and self.on_nonfinite != "allow":
            raise finite.unchanged(self.keys[bad[0]], bad[1], "the second array")
        for batch in bound.dense:
            batch.beside([address(self._seconds[k]) for k in batch.members])
        return True

    def begins(self, bound: Bound) -> bool:
        """Whether this step may set something up, for which gradients are read first."""
        coming = self.store.first.coming([*bound.members, *(index for index, _ in bound.rows)])
        # What is read first is summed up with all processes, so that all must know.
        return self.peers.largest(float(coming)) > 0 if self.peers else coming

    def work(self, bound: Bound) -> int:
        """About how many elements a step reads: of sparse tensors, the rows that are named."""
        if self.sparse.histories:
            return self.size
        touched = sum(len(each.rows) * each.values[:1].size for _, each in bound.rows)
        return touched + sum(self.tensors[k].given.size for k in bound.members)
