"""A step that is more than one call of one kernel: what comes before, between and behind its parts.

Gradients are read first where that is asked for, rows are brought up to date, the sweep is run, and
what it left out is told.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from adamas.engine import finite, run
from adamas.engine.agree import Before, agreed, left_out
from adamas.engine.batch import Batch, Numbers
from adamas.engine.bind import Bound
from adamas.engine.cpus import Threads
from adamas.engine.first import FirstSteps
from adamas.engine.gradients import erasing
from adamas.engine.options import OnNonFinite
from adamas.engine.peers import Peers
from adamas.engine.sparse import AT_ONCE, Sparse
from adamas.engine.state import Store
from adamas.engine.tensors import Key, Tensor, as_array
from adamas.engine.threads import Action, assigning, straight
from adamas.engine.turn import Turn
from adamas.kernel.runtime import job as j


class Stepper:
    """The steps of an optimizer, over gradients that have met their batches."""

    _first: FirstSteps
    _keys: list[Key]
    _numbers: Numbers
    _on_nonfinite: OnNonFinite
    _packed: list[Tensor]
    # A face whose tensors are shards says who holds the others.
    _peers: Peers | None
    _sign: float
    _size: int
    _sparse: Sparse
    _steps: "memoryview[int]"
    _store: Store
    _tally: bool
    _tensors: list[Tensor]
    _threads: Threads
    _turn: Turn
    _zero_grads: bool

    def _checks(self, bound: Bound) -> bool:
        """Whether this step must know before it begins that all gradients are finite."""
        if self._on_nonfinite != "guard":
            return bool(self._on_nonfinite != "allow")
        if not self._first.asked:
            return False
        coming = self._first.coming(
            [
                *(k for batch in bound.dense for k in batch.members if batch.active[k]),
                *(index for index, _ in bound.rows),
            ]
        )
        # What is read first is summed up with all processes, so that all must know.
        return self._peers.largest(float(coming)) > 0 if self._peers else coming

    def _long_step(
        self, values: Sequence[Any], bound: Bound, factor: run.Factor, threads: int
    ) -> bool:
        row_batches = [self._sparse.batch(*entry) for entry in bound.rows]
        scale, norm, look = factor.scale, math.nan, factor.look
        given, refused = bound, list[finite.Seen]()
        if look and self._sparse.exact and not factor.reads_first:
            bound, row_batches, refused = self._sound(bound, row_batches, factor)
        batches = [*bound.dense, *row_batches]
        # Others may have something to step, and wait for this process behind their sweep.
        if refused and not (self._peers or any(batch.active[:-1].any() for batch in batches)):
            self._report(batches, values, given, scale, refused)
        if factor.reads_first:
            look = 0
            norm, scale = run.survey(batches, factor, threads, self._peers)
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
                    raise finite.unchanged(self._keys[bad[0]], bad[1])
        self._make_room(bound)
        after = self._around(bound, row_batches, values, threads)
        self._note(after, norm)
        before = Before.of(self._numbers) if self._peers and look else None
        run.sweep(batches, scale, threads, after, look=look)
        if self._tally and not factor.reads_first:
            self._turn.grad_norm = run.tallied(batches, scale, self._peers)
        told, some = None, bool(refused) or any(batch.left for batch in batches)
        if before and self._peers:
            told = agreed(self._numbers, batches, refused, self._peers, before)
            some = told[0] > 0
        if some:
            self._report(batches, values, given, scale, refused, told)
        return True

    def _sound(
        self, bound: Bound, row_batches: list[Batch], factor: run.Factor
    ) -> tuple[Bound, list[Batch], list[finite.Seen]]:
        """The step without Rows that are not finite, and those Rows.

        Exact rows remember which steps they have taken: of one tensor all take it, or none.
        """
        kept, batches, refused = [], [], list[finite.Seen]()
        for entry, batch in zip(bound.rows, row_batches, strict=True):
            norm, _ = run.survey([batch], factor, 1)
            sure = norm <= j.SURE >= abs(factor.scale)
            doubtful = [] if sure else finite.seen((), [entry])
            if finite.find_bad(doubtful, factor.scale, self._computes()):
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
            read[k] = self._tensors[k].lay.turned(copy)
        gradients = finite.seen(read, bound.rows)
        bad = finite.find_bad(gradients, scale, self._computes())
        bad = self._peers.agree(bad) if self._peers else bad
        assert bad
        found = np.array([finite.moved(batches).any(), bool(refused)], np.float64)
        moved, partly = self._peers.most(found) if self._peers else found
        if partly:
            # Of gradients that were not stepped nothing was summed up.
            self._turn.grad_norm = math.nan
        here = left_out(batches, refused)
        out, tensors = told or (int(here.sum()), int(np.count_nonzero(here)))
        raise finite.left_out(self._keys[bad[0]], bad[1], out, tensors, moved > 0)

    def _computes(self) -> list[str]:
        return list(map(self._store.compute, range(len(self._tensors))))

    def _around(
        self, bound: Bound, row_batches: Sequence[Batch], values: Sequence[Any], threads: int
    ) -> list[Action]:
        """Make ready what a sweep needs besides its batches; the actions that belong behind it."""
        after: list[Action] = []
        for (index, each), batch in zip(bound.rows, row_batches, strict=True):
            self._catch_up(index, self._sparse.behind(index, each.rows), threads)
            if not self._steps[index]:
                # Rows that are not named read as what they will begin from.
                self._store.show(index)
            self._sparse.begin(index, batch, each.rows)
            after += self._sparse.marking(index, each.rows)
        for tensor in self._packed:
            np.copyto(tensor.work, tensor.given)
            after.append(assigning(tensor.given, tensor.work))
        if self._zero_grads:
            after += [
                assigning(as_array(values[k], "a gradient"), self._tensors[k].lay.turned(copy))
                for k, copy in bound.copies.items()
            ]
        return after

    def _looked(
        self, gradients: Sequence[finite.Seen], factor: run.Factor, norm: float, scale: float
    ) -> tuple[finite.Bad | None, float, float]:
        """The first gradient that is not finite as it is computed with; the norm and the factor."""
        bad = finite.find_bad(gradients, 1.0, ["float64"] * len(self._tensors))
        bad = self._peers.agree(bad) if self._peers else bad
        if bad:
            return bad, norm, scale
        if not math.isfinite(norm):
            norm = run.big_norm(gradients, factor.scale, len(self._tensors), self._peers)
            norm, scale = run.clipped(norm, factor)
        bad = finite.find_bad(gradients, scale, self._computes())
        return self._peers.agree(bad) if self._peers else bad, norm, scale

    def _note(self, after: list[Action], norm: float, skipped: int = 0) -> None:
        """Let `grad_norm` and `skipped` follow with whatever else a step does at its end."""
        turn = self._turn
        after.append(partial(setattr, turn, "grad_norm", norm))
        after.append(partial(setattr, turn, "skipped", turn.skipped + skipped))

    def _work(self, bound: Bound) -> int:
        """About how many elements a step reads: of sparse tensors, the rows that are named."""
        if not bound.rows or self._sparse.tensors:
            return self._size
        dense = [k for batch in bound.dense for k in batch.members if batch.active[k]]
        touched = sum(len(each.rows) * each.values[:1].size for _, each in bound.rows)
        return touched + sum(self._tensors[k].given.size for k in dense)

    def _level(self) -> None:
        """Bring all rows up to date."""
        for index in self._sparse.tensors:
            self._catch_up(index, self._sparse.behind(index, None), self._threads)
            self._sparse.forget(index)

    def _make_room(self, bound: Bound) -> None:
        """A dense gradient, and a history that ends, need all rows of their tensor up to date."""
        rows = {index for index, _ in bound.rows}
        for index in self._sparse.tensors:
            if index not in rows and self._stepped(bound, index) or self._sparse.ended(index):
                self._catch_up(index, self._sparse.behind(index, None), self._threads)
                self._sparse.forget(index)

    def _stepped(self, bound: Bound, index: int) -> bool:
        return any(batch.active[index] for batch in bound.dense)

    def _catch_up(self, index: int, rows: NDArray[np.int64], threads: int) -> None:
        tensor = self._tensors[index]
        back = [assigning(tensor.given, tensor.work)] if tensor.packed else []
        if back:
            np.copyto(tensor.work, tensor.given)
        for part in np.split(rows, range(AT_ONCE, len(rows), AT_ONCE)):
            if len(part):
                mark = self._sparse.caught_up(index, part)
                batch = self._sparse.catch_up(index, part)
                # The sign reaches even a zero: a dense step going up sees -0.0.
                run.sweep([batch], self._sign, threads, [*back, *mark], prologue=False)
