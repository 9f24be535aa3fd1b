"""This step's gradients meet the batches that were laid out for their parameters."""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adamas.engine.batch import Batch
from adamas.engine.gradients import Reader, Rows
from adamas.engine.plan import Planner
from adamas.engine.rows import Summed
from adamas.engine.tensors import Array, Tensor, form_of


@dataclass
class Bound:
    """The batches of one step; `copies` are the gradients that had to be rearranged."""

    dense: list[Batch]
    rows: list[tuple[int, Summed]] = field(default_factory=list)
    copies: dict[int, Array] = field(default_factory=dict)


class Binder:
    """Points batches at gradients, and notices when they are the same arrays as last time."""

    def __init__(self, tensors: Sequence[Tensor], planner: Planner) -> None:
        self._planner, self._first = planner, planner.first
        self._reader = Reader(tensors, planner.zero_grads)
        self._dtypes = [tensor.given.dtype for tensor in tensors]
        # Made at the first step: kernels need the compiler, which takes half a second to import.
        self._dense: list[Batch] | None = None
        self._known: list[Callable[[], Any]] = []
        self._bound = Bound([])

    def bind(self, values: Sequence[Any]) -> Bound:
        """The batches for these gradients; raises what `Reader` raises, with nothing changed."""
        known = self._known
        if known and not self._first.stepped:
            for reference, value in zip(known, values, strict=True):
                # The reference to a gradient that is gone is None, as is a gradient left out.
                if reference() is not value or value is None:
                    break
            else:
                return self._bound
        return self._anew(values)

    def _anew(self, values: Sequence[Any]) -> Bound:
        # What an interrupt leaves behind here must not be taken for the last step's.
        self._known = []
        if self._dense is None:
            self._reader.expect(self._dtypes)
        bound, addresses = Bound([]), [0] * len(values)
        given, values = values, self._without_partial(values, bound)
        same = given is values
        dtypes, quick = self._dtypes, self._reader.quick
        for k, value in enumerate(values):
            if at := quick(k, value):
                addresses[k] = at
                continue
            same = False
            if isinstance(value, Rows):
                bound.rows.append((k, self._reader.rows(k, value)))
            elif value is not None:
                array, addresses[k] = self._reader.read(k, value)
                if not (isinstance(value, np.ndarray) and np.may_share_memory(array, value)):
                    bound.copies[k] = array
                if array.dtype is not dtypes[k]:
                    dtypes = [*dtypes[:k], array.dtype, *dtypes[k + 1 :]]
        if self._dense is None or dtypes is not self._dtypes:
            self._plan(dtypes)
        assert self._dense is not None
        bound.dense = self._dense
        self._reader.refuse_shared(given)
        for k in self._reader.overlaps(addresses):
            same = False
            bound.copies[k], addresses[k] = self._reader.apart(k, values[k])
        for batch in bound.dense:
            batch.point([addresses[k] for k in batch.members])
        if same:
            # Weak, so that no gradient outlives the caller's last use of it.
            self._bound = Bound(bound.dense)
            self._known = [weakref.ref(value) for value in values]
        return bound

    def _plan(self, dtypes: list[np.dtype[Any]]) -> None:
        forms = [form_of(np.empty(0, dtype)) for dtype in dtypes]
        # Whatever comes between the lines, plan and expectations are of the same dtypes or unknown.
        self._dense = None
        batches = self._planner.batches(forms)
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
