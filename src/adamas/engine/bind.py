"""This step's gradients meet the batches that were laid out for their parameters."""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adamas.engine.batch import Batch
from adamas.engine.gradients import Reader, Rows, refuse_shared
from adamas.engine.plan import BatchMaker
from adamas.engine.rows import Summed
from adamas.engine.tensors import Array, Tensor, form_of


@dataclass
class Bound:
    """The batches of one step; `copies` are the gradients that had to be rearranged."""

    dense: list[Batch]
    rows: list[tuple[int, Summed]] = field(default_factory=list)
    copies: dict[int, Array] = field(default_factory=dict)

    @property
    def members(self) -> list[int]:
        """The tensors that have a dense gradient."""
        return [k for batch in self.dense for k in batch.members if batch.active[k]]


class Binder:
    """Points batches at gradients, and notices when they are the same arrays as last time.

    A face that knows better what its gradients look like asks `partial` and `special` first, and
    then points by `aim` or `point`; all others it hands to `anew`.
    """

    def __init__(self, tensors: Sequence[Tensor], maker: BatchMaker) -> None:
        self.tensors, self._maker, self._first = tensors, maker, maker.first
        self._reader = Reader(tensors, maker.zero_grads)
        self._own = self._dtypes = [tensor.given.dtype for tensor in tensors]
        # Made at the first step: kernels need the compiler, which takes half a second to import.
        self._dense: list[Batch] | None = None
        # The gradients of the last step and where they lie, if a kernel could read each as it was.
        self._known: list[Callable[[], Any]] = []
        self._addresses: list[int] = []
        self._bound = Bound([])

    def meet(self, every: Sequence[Tensor]) -> None:
        """Look for gradients that lie in the memory of any of these parameters."""
        self._reader.meet(every)

    def bind(self, values: Sequence[Any]) -> Bound:
        """The batches for these gradients; raises what `Reader` raises, with nothing changed."""
        known = self._known
        if known and not self._first.stepped:
            # A strict `zip` would take 0.14 us more.
            for k, value in enumerate(values):
                # The reference to a gradient that is gone is None, as is a gradient left out.
                if known[k]() is not value or value is None:
                    break
            else:
                return self._bound
            if self._others(values):
                return self._bound
        return self.anew(values)

    def _others(self, values: Sequence[Any]) -> bool:
        """Point at other arrays of the known form; False, and nothing done, if one is not."""
        addresses = self._reader.quick(values)
        if addresses != self._addresses:
            # What must be zeroed is looked at together with all others.
            if self._maker.zero_grads or not all(addresses) or self._reader.overlaps(addresses):
                return False
            self._known = []
            self.aim(addresses)
        self._known = list(map(weakref.ref, values))
        return True

    def aim(self, addresses: list[int]) -> None:
        """Point at other gradients of all tensors, of which none was left out in the last step."""
        # What an interrupt leaves behind here must not be taken for the last step's.
        self._addresses, dense = [], self._dense or []
        for batch in dense:
            own = addresses if len(dense) == 1 else [addresses[k] for k in batch.members]
            # Who takes part in the step is as it was.
            batch.table.point(own)
        self._addresses = addresses

    def point(self, addresses: Sequence[int]) -> Bound:
        """Point at gradients of tensors that are all known; 0 leaves a tensor out."""
        dense = self._dense or []
        for batch in dense:
            batch.point([addresses[k] for k in batch.members])
        return Bound(dense)

    @property
    def partial(self) -> bool:
        """Whether of some tensor only some rows were stepped, so that `anew` must look."""
        return bool(self._first.stepped)

    def special(self, addresses: Sequence[int]) -> bool:
        """Whether gradients at these addresses must be zeroed or overlap a parameter."""
        return self._maker.zero_grads or bool(self._reader.overlaps(addresses))

    def anew(self, values: Sequence[Any]) -> Bound:
        """The batches for gradients of which nothing is known; raises what `Reader` raises."""
        # As above.
        self._known, self._addresses = [], []
        if self._dense is None:
            self._reader.expect(self._dtypes)
        bound = Bound([])
        given, values = values, self._without_partial(values, bound)
        addresses = self._reader.quick(values)
        same, dtypes = given is values, self._dtypes
        for k, value in enumerate(values):
            if addresses[k]:
                continue
            same = False
            if isinstance(value, Rows):
                self._maker.refuse_rows(k)
                bound.rows.append((k, self._reader.rows(k, value)))
            elif value is not None:
                array, addresses[k] = self._reader.read(k, value)
                if not (isinstance(value, np.ndarray) and np.may_share_memory(array, value)):
                    bound.copies[k] = array
                if array.dtype is not dtypes[k]:
                    dtypes = [*dtypes[:k], array.dtype, *dtypes[k + 1 :]]
        dtypes = self._free_of_history(addresses, dtypes)
        if self._dense is None or dtypes is not self._dtypes:
            self._plan(dtypes)
        if self._maker.zero_grads:
            refuse_shared(self.tensors, given, self.tensors)
        for k in self._reader.overlaps(addresses):
            same = False
            bound.copies[k], addresses[k] = self._reader.apart(k, values[k])
        bound.dense = self.point(addresses).dense
        if same:
            # Weak, so that no gradient outlives the caller's last use of it.
            self._bound, self._addresses = Bound(bound.dense), addresses
            self._known = list(map(weakref.ref, values))
        return bound

    def _free_of_history(
        self, addresses: Sequence[int], dtypes: list[np.dtype[Any]]
    ) -> list[np.dtype[Any]]:
        """Let tensors without a dense gradient be planned as the first of their dtype that has one.

        The plan decides in what order squares are added up, and a resumed run knows nothing of the
        gradients of earlier steps.
        """
        like: dict[np.dtype[Any], np.dtype[Any]] = {}
        for k, at in enumerate(addresses):
            if at:
                continue
            dtype = self._own[k]
            if dtype not in like:
                given = (
                    dtypes[i] for i, one in enumerate(self._own) if one == dtype and addresses[i]
                )
                like[dtype] = next(given, dtype)
            if dtypes[k] != like[dtype]:
                dtypes = [*dtypes[:k], like[dtype], *dtypes[k + 1 :]]
        return dtypes

    def _plan(self, dtypes: list[np.dtype[Any]]) -> None:
        forms = [form_of(np.empty(0, dtype)) for dtype in dtypes]
        # Whatever comes between the lines, plan and expectations are of the same dtypes or unknown.
        self._dense = None
        batches = self._maker.batches(forms)
        self._reader.expect(dtypes)
        self._dtypes, self._dense = dtypes, batches

    def _without_partial(self, values: Sequence[Any], bound: Bound) -> Sequence[Any]:
        """The gradients without those of tensors only some of whose rows were stepped before."""
        if not self._first.stepped:
            return values
        left = list(values)
        for k in self._first.stepped:
            if left[k] is not None:
                bound.rows.append((k, self._as_rows(k, left[k], bound)))
                left[k] = None
        return left

    def _as_rows(self, k: int, value: Any, bound: Bound) -> Summed:
        """A gradient of a tensor of which some rows, but not all, were stepped before.

        A dense one is one of all its rows, which begin at this step or go on.
        """
        if isinstance(value, Rows):
            named = self._reader.rows(k, value)
            return self._reader.spread(k, named) if self._first.exact else named
        array = self._reader.apart(k, value)[0]
        if not (isinstance(value, np.ndarray) and np.may_share_memory(array, value)):
            bound.copies[k] = array
        return self._reader.everywhere(array)
