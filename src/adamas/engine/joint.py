"""A step that is more than one call of one kernel: what comes before, between and behind its parts.

Gradients are read first where that is asked for, rows are brought up to date, the sweep is run, and
what it left out is told. All of it spans several rules as it spans the batches of one: there is one
norm, one look at what is not finite, one sweep, and one number of the step.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from adamas.engine import finite, phases
from adamas.engine.agree import Before, agreed, omitted
from adamas.engine.bind import Bound
from adamas.engine.gradients import erasing
from adamas.engine.parts import Parts
from adamas.engine.peers import Bad
from adamas.engine.tensors import Array, as_array
from adamas.engine.threads import Action, assigning, straight
from adamas.engine.turn import Turn
from adamas.kernel.runtime import job as j


class Share:
    """What the parameters of one rule contribute to a step.

    `own` are its parts, `places` where its tensors stand among those of all rules; `given` are the
    gradients as they came, `bound` those that are stepped, in `batches`, `refused` the others.
    """

    def __init__(
        self, own: Parts, values: Any, bound: Bound, places: Sequence[int] | None = None
    ) -> None:
        self.own, self.values, self.given, self.bound = own, values, bound, bound
        self.places = range(len(own.tensors)) if places is None else places
        self.rows = [own.sparse.batch(*entry) for entry in bound.rows]
        self.batches = [*bound.dense, *self.rows]
        self.refused: list[finite.Seen] = []

    @property
    def crew(self) -> phases.Crew:
        """Its batches, and who steps other parts of the same tensors."""
        return self.batches, self.own.peers

    @property
    def moves(self) -> bool:
        """Whether any of its tensors has a gradient to be stepped by."""
        return any(batch.active[:-1].any() for batch in self.batches)

    def leave_unsound(self, factor: phases.Factor) -> None:
        """Take Rows that are not finite out of the step.

        Exact rows remember which steps they have taken: of one tensor all take it, or none.
        """
        kept, batches = [], []
        for entry, batch in zip(self.bound.rows, self.rows, strict=True):
            norm, _ = phases.survey([([batch], None)], factor, 1)
            sure = norm <= j.SURE >= abs(factor.scale)
            doubtful = [] if sure else finite.seen((), [entry])
            if finite.find_nonfinite(doubtful, factor.scale, self.own.computes()):
                self.refused += doubtful
            else:
                kept.append(entry)
                batches.append(batch)
        self.bound, self.rows = Bound(self.bound.dense, kept, self.bound.copies), batches
        self.batches = [*self.bound.dense, *self.rows]

    def around(self, threads: int) -> list[Action]:
        """Make ready what a sweep needs besides its batches; the actions that belong behind it."""
        own, after = self.own, list[Action]()
        for (index, each), batch in zip(self.bound.rows, self.rows, strict=True):
            own.missed.of(index, each.rows, threads)
            if own.store.near and not own.numbers.steps[index]:
                # Rows that are not named read as what they will begin from.
                own.store.show(index)
            own.sparse.begin(index, batch, each.rows)
            after += own.sparse.marking(index, each.rows)
        for tensor in own.packed:
            np.copyto(tensor.work, tensor.given)
            after.append(assigning(tensor.given, tensor.work))
        if own.zero_grads:
            after += [
                assigning(as_array(self.values[k], "a gradient"), own.tensors[k].lay.turned(copy))
                for k, copy in self.bound.copies.items()
            ]
        return after

    def settling(self) -> list[Action]:
        """The actions behind a sweep that give tensors what is one number for all."""
        if not self.own.formula.shared:
            return []
        active: Array = np.max([batch.active[:-1] for batch in self.batches], axis=0)
        return [partial(self.own.store.share, active)]


def long_step(shares: Sequence[Share], factor: phases.Factor, threads: int) -> bool:
    """One step of all `shares`; False if it was skipped. Raises what `Optimizer.step` raises."""
    own, scale, norm, look = shares[0].own, factor.scale, math.nan, factor.look
    if look and not factor.reads_first:
        for share in shares:
            if share.own.sparse.exact:
                share.leave_unsound(factor)
    refused, peers = any(one.refused for one in shares), any(one.own.peers for one in shares)
    # Others may have something to step, and wait for this process behind their sweep.
    if refused and not (peers or any(share.moves for share in shares)):
        raise told(shares, scale)
    if factor.reads_first:
        bad, norm, scale, look = _read_first(shares, factor, threads)
        if bad and own.on_nonfinite == "skip":
            erase = [one for share in shares if own.zero_grads for one in erasing(share.values)]
            straight([*erase, *noting(own.turn, norm, skipped=1)])
            return False
        if bad and own.on_nonfinite != "allow":
            own.turn.grad_norm = norm
            raise finite.unchanged(*bad)
    for share in shares:
        share.own.missed.before(share.bound)
    after = [action for share in shares for action in share.around(threads)]
    after += noting(own.turn, norm)
    after += [action for share in shares for action in share.settling()]
    before = [Before.of(share.own.numbers) for share in shares] if peers and look else []
    after += _counting(shares)
    own.sweeps([share.crew for share in shares], scale, threads, after, look=look)
    if own.tally and not factor.reads_first:
        own.turn.grad_norm = phases.tallied([share.crew for share in shares], scale)
    left = [0, 0]
    for share, then in zip(shares, before, strict=bool(before)):
        assert share.own.peers
        numbers, refused_here = share.own.numbers, share.refused
        here = agreed(numbers, share.batches, refused_here, share.own.peers, then)
        left = [a + b for a, b in zip(left, here, strict=True)]
    straight(_counting(shares) if before else ())
    if left[0] if before else refused or any(b.left for share in shares for b in share.batches):
        raise told(shares, scale, left if before else None)
    return True


def _counting(shares: Sequence[Share]) -> list[Action]:
    """The actions that make all rules count the steps of the one that has counted most."""
    if len(shares) == 1:
        return []
    first, *others = (share.own.numbers.steps[-1:] for share in shares)
    most = [partial(np.maximum, first, one, out=first) for one in others]
    return [*most, *(partial(np.maximum, first, one, out=one) for one in others)]


def noting(turn: Turn, norm: float, skipped: int = 0) -> list[Action]:
    """The actions by which `grad_norm` and `skipped` follow a step."""
    return [
        partial(setattr, turn, "grad_norm", norm),
        partial(setattr, turn, "skipped", turn.skipped + skipped),
    ]


Known = tuple[Share, list[finite.Seen]]


def _read_first(
    shares: Sequence[Share], factor: phases.Factor, threads: int
) -> tuple[tuple[Any, str] | None, float, float, int]:
    """What `_surveyed` finds, or a step that changes nothing; and what the sweep looks at then."""
    bad, norm, scale = _surveyed(shares, factor, threads)
    look = max(share.own.late for share in shares)
    allowed = shares[0].own.on_nonfinite == "allow"
    if not (allowed or bad or _calm(shares, min(norm, factor.clip))):
        bad, look = _tried(shares, scale, threads), j.GUARD
    return bad, norm, scale, look


def _calm(shares: Sequence[Share], norm: float) -> bool:
    """Whether nothing that is not finite comes of gradients with this norm, by any rule."""
    for share in shares:
        if share.own.formula.over:
            found = np.concatenate([np.ones(1), *(batch.squares() for batch in share.batches)])
            faint = float(np.min(found, where=found > 0, initial=1.0) < j.FAINT)
            if share.own.peers.largest(faint) if share.own.peers else faint:
                return False
    computes = {one for share in shares for one in share.own.computes()}
    return norm <= min((j.CALM[one] for one in computes), default=math.inf)


def _tried(shares: Sequence[Share], scale: float, threads: int) -> tuple[Any, str] | None:
    """The first gradient of which a rule would make what is not finite; nothing is changed.

    Not of Rows, which the sweep will look at.
    """
    for share in shares:
        for tensor in share.own.packed:
            np.copyto(tensor.work, tensor.given)
    crews = [(share.bound.dense, share.own.peers) for share in shares]
    phases.sweep(crews, scale, threads, look=j.GUARD | j.DRY)
    left = {s: omitted(s.bound.dense, ()) if s.bound.dense else np.zeros(0) for s in shares}
    known = [(s, finite.seen(s.values, ()) if s.bound.dense else []) for s in shares]
    return _named(_first(known, partial(_too_large, left)))


def _too_large(left: Mapping[Share, Array], share: Share, seen: list[finite.Seen]) -> Bad | None:
    """The first gradient that is finite and of which something was `left`."""
    for one in (one for one in seen if left[share][one.index]):
        compute = share.own.computes()[one.index]
        return one.index, finite.too_large(one, share.own.formula.name, compute)
    return None


def _surveyed(
    shares: Sequence[Share], factor: phases.Factor, threads: int
) -> tuple[tuple[Any, str] | None, float, float]:
    """The first gradient that is not finite as it is computed with; the norm and the factor."""
    norm, scale = phases.survey([share.crew for share in shares], factor, threads)
    if norm < math.inf and min(norm, factor.clip) <= j.SURE >= abs(scale):
        return None, norm, scale
    known = [(share, finite.seen(share.values, share.bound.rows)) for share in shares]
    if bad := _bad(known, 1.0, wide=True):
        return bad, norm, scale
    if not math.isfinite(norm):
        crews = [(seen, len(share.own.tensors), share.own.peers) for share, seen in known]
        norm, scale = phases.clipped(phases.big_norm(crews, factor.scale), factor)
    return _bad(known, scale), norm, scale


def _bad(known: Sequence[Known], scale: float, wide: bool = False) -> tuple[Any, str] | None:
    """The name of the first gradient that is not finite times `scale`, and what it holds."""
    return _named(_first(known, partial(_nonfinite, scale, wide)))


def _named(found: tuple[Share, Bad] | None) -> tuple[Any, str] | None:
    return found and (found[0].own.keys[found[1][0]], found[1][1])


def _nonfinite(scale: float, wide: bool, share: Share, seen: list[finite.Seen]) -> Bad | None:
    own = share.own
    computes = ["float64"] * len(own.tensors) if wide else own.computes()
    return finite.find_nonfinite(seen, scale, computes)


def _first(
    known: Sequence[Known], find: Callable[[Share, list[finite.Seen]], Bad | None]
) -> tuple[Share, Bad] | None:
    """The first gradient, of all rules and processes, that is found."""
    found = []
    for share, gradients in known:
        bad = find(share, gradients)
        bad = share.own.peers.agree(bad) if share.own.peers else bad
        found += [(share, bad)] if bad else []
    return min(found, key=lambda one: one[0].places[one[1][0]], default=None)


def told(
    shares: Sequence[Share], scale: float, left: Sequence[int] | None = None
) -> finite.NonFiniteError:
    """The error of a step that left elements out, and Rows before it began.

    `left` is how many elements of how many tensors, where processes have agreed on that.
    """
    known, flags, here = [], np.zeros(2), dict[Share, Array]()
    for share in shares:
        own, read = share.own, list(share.values)
        # A gradient that was copied may lie in memory that the step has written.
        for k, copy in share.given.copies.items():
            read[k] = own.tensors[k].lay.turned(copy)
        known.append((share, finite.seen(read, share.given.rows)))
        found = np.array([finite.moved(share.batches).any(), bool(share.refused)], np.float64)
        flags = np.maximum(flags, own.peers.most(found) if own.peers else found)
        here[share] = omitted(share.batches, share.refused)
    bad = _first(known, partial(_nonfinite, scale, False))
    bad = bad or _first(known, partial(_too_large, here))
    assert bad
    share, (index, holds) = bad
    if flags[1]:
        # Of gradients that were not stepped nothing was summed up.
        share.own.turn.grad_norm = math.nan
    every = np.concatenate([*here.values()])
    out, tensors = left or (int(every.sum()), int(np.count_nonzero(every)))
    whole = bool(share.own.store.formulas[index].over)
    key, moved = share.own.keys[index], bool(flags[0])
    return finite.left_out(key, holds, out, tensors, moved, whole=whole)
