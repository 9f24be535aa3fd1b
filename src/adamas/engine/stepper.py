"""A step that is more than one call of one kernel: what comes before, between and behind its parts.

Gradients are read first where that is asked for, rows are brought up to date, the sweep is run, and
what it left out is told.
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from threading import get_ident
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from adamas.engine import beside, finite, phases
from adamas.engine.agree import Before, agreed, omitted
from adamas.engine.batch import Batch
from adamas.engine.bind import Bound
from adamas.engine.gradients import erasing
from adamas.engine.parts import Parts
from adamas.engine.peers import Bad
from adamas.engine.settings import divisor, limit
from adamas.engine.tensors import Array, address, as_array
from adamas.engine.threads import Action, assigning, straight
from adamas.engine.turn import alone, reading
from adamas.kernel.runtime import job as j


class Stepper(Parts):
    """The steps of one optimizer over its parts: what every face stands on.

    One call at a time, see `turn`: calls that meet raise RuntimeError.
    """

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
            bound = self._binding.bind(values)
            if (self._reads_second or second is not None) and not self._beside(bound, second):
                return False
            self.settings.refresh(self._steps[-1] + 1)
            clip = self._clip if clip_norm is None else limit(clip_norm)
            scale = self._sign / divisor(loss_scale)
            checks = self._begins(bound) if self._checks is None else self._checks
            factor = phases.Factor(scale, clip, checks, self._look)
            size = self._work(bound) if bound.rows else self.size
            threads = self.threads if size >= phases.PARALLEL else 1
            simple = len(bound.dense) == 1 and not (bound.rows or bound.copies or self._packed)
            plain = simple and not (self._tally or self.sparse.histories or self.peers)
            if plain and threads == 1 and not bound.dense[0].apart:
                batch = bound.dense[0]
                batch.arm(scale, clip, 0 if factor.reads_first else self._look)
                status = batch.run(batch.at, phases.ALL if factor.reads_first else phases.UPDATE)
                if status != j.NOT_FINITE:
                    turn.grad_norm = batch.norm if factor.reads_first else math.nan
                    if status == j.SOME_LEFT:
                        self._report([batch], values, bound, scale)
                    return True
            return self._long_step(values, bound, factor, threads)
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
        self.numbers.steps[-1] = before.numbers.steps[-1]
        self.turn.skipped, self.turn.grad_norm = before.turn.skipped, before.turn.grad_norm

    def _beside(self, bound: Bound, given: Sequence[Any] | None) -> bool:
        """Point at the arrays beside the gradients; False if the step is skipped for one of them.

        Raises what `beside.read` raises, and NonFiniteError.
        """
        self._seconds, bad = beside.read(self.formula, self.tensors, bound, given, self._computes())
        if bad and self._on_nonfinite == "skip":
            self._note(actions := list[Action](), math.nan, skipped=1)
            straight(actions)
            return False
        if bad and self._on_nonfinite != "allow":
            raise finite.unchanged(self.keys[bad[0]], bad[1], "the second array")
        for batch in bound.dense:
            batch.beside([address(self._seconds[k]) for k in batch.members])
        return True

    def _begins(self, bound: Bound) -> bool:
        """Whether this step may set something up, for which gradients are read first."""
        coming = self.store.first.coming([*bound.members, *(index for index, _ in bound.rows)])
        # What is read first is summed up with all processes, so that all must know.
        return self.peers.largest(float(coming)) > 0 if self.peers else coming

    def _long_step(
        self, values: Sequence[Any], bound: Bound, factor: phases.Factor, threads: int
    ) -> bool:
        row_batches = [self.sparse.batch(*entry) for entry in bound.rows]
        scale, norm, look = factor.scale, math.nan, factor.look
        given, refused = bound, list[finite.Seen]()
        if look and self.sparse.exact and not factor.reads_first:
            bound, row_batches, refused = self._sound(bound, row_batches, factor)
        batches = [*bound.dense, *row_batches]
        # Others may have something to step, and wait for this process behind their sweep.
        if refused and not (self.peers or any(batch.active[:-1].any() for batch in batches)):
            self._report(batches, values, given, scale, refused)
        if factor.reads_first:
            look = 0
            norm, scale = phases.survey(batches, factor, threads, self.peers)
            if not (norm < math.inf and min(norm, factor.clip) <= j.SURE >= abs(scale)):
                gradients = finite.seen(values, bound.rows)
                bad, norm, scale = self._looked(gradients, factor, norm, scale)
                if bad and self._on_nonfinite == "skip":
                    erase = erasing(values if self._zero_grads else ())
                    self._note(erase, norm, skipped=1)
                    straight(erase)
                    return False
                if bad and self._on_nonfinite != "allow":
                    self._turn.grad_norm = norm
                    raise finite.unchanged(self.keys[bad[0]], bad[1])
        self.missed.before(bound)
        after = self._around(bound, row_batches, values, threads)
        self._note(after, norm)
        if self.formula.shared:
            after.append(
                partial(self.store.share, np.max([b.active[:-1] for b in batches], axis=0))
            )
        before = Before.of(self.numbers) if self.peers and look else None
        phases.sweep(batches, scale, threads, after, look=look, peers=self.peers)
        if self._tally and not factor.reads_first:
            self._turn.grad_norm = phases.tallied(batches, scale, self.peers)
        told, some = None, bool(refused) or any(batch.left for batch in batches)
        if before and self.peers:
            told = agreed(self.numbers, batches, refused, self.peers, before)
            some = told[0] > 0
        if some:
            self._report(batches, values, given, scale, refused, told)
        return True

    def _sound(
        self, bound: Bound, row_batches: list[Batch], factor: phases.Factor
    ) -> tuple[Bound, list[Batch], list[finite.Seen]]:
        """The step without Rows that are not finite, and those Rows.

        Exact rows remember which steps they have taken: of one tensor all take it, or none.
        """
        kept, batches, refused = [], [], list[finite.Seen]()
        for entry, batch in zip(bound.rows, row_batches, strict=True):
            norm, _ = phases.survey([batch], factor, 1)
            sure = norm <= j.SURE >= abs(factor.scale)
            doubtful = [] if sure else finite.seen((), [entry])
            if finite.find_nonfinite(doubtful, factor.scale, self._computes()):
                refused += doubtful
            else:
                kept.append(entry)
                batches.append(batch)
        return Bound(bound.dense, kept, bound.copies), batches, refused

    def _report(
        self,
        batches: Sequence[Batch],
        values: Sequence[Any],
        bound: Bound,
        scale: float,
        refused: Sequence[finite.Seen] = (),
        told: tuple[int, int] | None = None,
    ) -> NoReturn:
        """Raise the error of a step that left elements out, and Rows before it began.

        `told` is how many elements of how many tensors, where processes have agreed on that.
        """
        # A gradient that was copied may lie in memory that the step has written.
        read = list(values)
        for k, copy in bound.copies.items():
            read[k] = self.tensors[k].lay.turned(copy)
        gradients = finite.seen(read, bound.rows)
        bad = finite.find_nonfinite(gradients, scale, self._computes())
        bad = self.peers.agree(bad) if self.peers else bad
        assert bad
        found = np.array([finite.moved(batches).any(), bool(refused)], np.float64)
        moved, partly = self.peers.most(found) if self.peers else found
        if partly:
            # Of gradients that were not stepped nothing was summed up.
            self._turn.grad_norm = math.nan
        here = omitted(batches, refused)
        out, tensors = told or (int(here.sum()), int(np.count_nonzero(here)))
        whole = bool(self.store.formulas[bad[0]].over)
        raise finite.left_out(self.keys[bad[0]], bad[1], out, tensors, moved > 0, whole=whole)

    def _computes(self) -> list[str]:
        return list(map(self.store.compute, range(len(self.tensors))))

    def _around(
        self, bound: Bound, row_batches: Sequence[Batch], values: Sequence[Any], threads: int
    ) -> list[Action]:
        """Make ready what a sweep needs besides its batches; the actions that belong behind it."""
        after: list[Action] = []
        for (index, each), batch in zip(bound.rows, row_batches, strict=True):
            self.missed.of(index, each.rows, threads)
            if not self._steps[index]:
                # Rows that are not named read as what they will begin from.
                self.store.show(index)
            self.sparse.begin(index, batch, each.rows)
            after += self.sparse.marking(index, each.rows)
        for tensor in self._packed:
            np.copyto(tensor.work, tensor.given)
            after.append(assigning(tensor.given, tensor.work))
        if self._zero_grads:
            after += [
                assigning(as_array(values[k], "a gradient"), self.tensors[k].lay.turned(copy))
                for k, copy in bound.copies.items()
            ]
        return after

    def _looked(
        self, gradients: Sequence[finite.Seen], factor: phases.Factor, norm: float, scale: float
    ) -> tuple[Bad | None, float, float]:
        """The first gradient that is not finite as it is computed with; the norm and the factor."""
        bad = finite.find_nonfinite(gradients, 1.0, ["float64"] * len(self.tensors))
        bad = self.peers.agree(bad) if self.peers else bad
        if bad:
            return bad, norm, scale
        if not math.isfinite(norm):
            norm = phases.big_norm(gradients, factor.scale, len(self.tensors), self.peers)
            norm, scale = phases.clipped(norm, factor)
        bad = finite.find_nonfinite(gradients, scale, self._computes())
        return self.peers.agree(bad) if self.peers else bad, norm, scale

    def _note(self, after: list[Action], norm: float, skipped: int = 0) -> None:
        """Let `grad_norm` and `skipped` follow with whatever else a step does at its end."""
        turn = self._turn
        after.append(partial(setattr, turn, "grad_norm", norm))
        after.append(partial(setattr, turn, "skipped", turn.skipped + skipped))

    def _work(self, bound: Bound) -> int:
        """About how many elements a step reads: of sparse tensors, the rows that are named."""
        if self.sparse.histories:
            return self.size
        touched = sum(len(each.rows) * each.values[:1].size for _, each in bound.rows)
        return touched + sum(self.tensors[k].given.size for k in bound.members)
