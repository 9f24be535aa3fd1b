"""Gradients of a backward pass meet the kernels laid out for their parameters, quickly.

After `zero_grad` every gradient is a new tensor, so identity says nothing; but its shape, dtype and
strides are nearly always the expected ones, and then its address is all the kernel needs: under a
microsecond each. Anything else goes the engine's own way, which copies, converts or refuses.
"""

from operator import attrgetter
from typing import Any

import torch

from adamas.engine.bind import Binder, Bound
from adamas.torch.views import Gradients

POINTER, SHAPE, CONTIGUOUS = torch.Tensor.data_ptr, torch.Tensor.size, torch.Tensor.is_contiguous
NEGATIVE, DTYPE = torch.Tensor.is_neg, attrgetter("dtype")
PLAIN = {torch.Tensor}


class TensorBinder:
    """The engine's `Binding` for `Gradients`; `parameters` in the order of its tensors.

    What it does not recognise it hands to `binder`, the engine's own.
    """

    def __init__(self, parameters: list[torch.Tensor], binder: Binder) -> None:
        self._parameters, self._binder = parameters, binder
        self._forms: list[tuple[Any, Any, Any]] = []
        self._addresses: list[int] = []
        self._held: list[Any] = []
        self._bound = Bound([])

    def bind(self, values: Gradients) -> Bound:
        """The batches for these gradients; raises what the engine's reader raises."""
        binder = self._binder
        addresses = self._read(values.tensors) if self._forms and not binder.partial else None
        if addresses is not None:
            if addresses == self._addresses:
                return self._bound
            # What overlaps a parameter or must be zeroed is the engine's business.
            if not binder.special(addresses):
                return self._point(addresses)
        # An interrupt in between must not leave anything that is taken for the last step's.
        self._addresses, self._held = [], list(values)
        bound = binder.anew(self._held)
        self._expect(values)
        plain = not (bound.rows or bound.copies)
        self._addresses, self._bound = (self._read(values.tensors) if plain else None) or [], bound
        return bound

    def release(self) -> None:
        """Let go of gradients, or of what they were resolved into, once the step is done."""
        self._held = []

    def _read(self, tensors: list[torch.Tensor | None]) -> list[int] | None:
        """The addresses of gradients, 0 for none; None if one is not of the expected form."""
        if set(map(type, tensors)) == PLAIN:
            return self._read_all(tensors)
        addresses = []
        for g, (dtype, shape, strides) in zip(tensors, self._forms, strict=True):
            if g is None:
                addresses.append(0)
                continue
            if (
                type(g) is not torch.Tensor
                or g.dtype is not dtype
                or g.shape != shape
                or g.is_sparse
                or not (g.is_contiguous() if strides is None else g.stride() == strides)
                or g.is_neg()
            ):
                return None
            addresses.append(g.data_ptr())
        return addresses

    def _read_all(self, tensors: list[Any]) -> list[int] | None:
        """The same in loops of C, for gradients of which none is missing."""
        dtypes, shapes, strides, plain = self._columns
        try:
            expected = (
                list(map(DTYPE, tensors)) == dtypes
                and list(map(SHAPE, tensors)) == shapes
                and (all(map(CONTIGUOUS, tensors)) if plain else self._lie(tensors, strides))
                and not any(map(NEGATIVE, tensors))
            )
            return list(map(POINTER, tensors)) if expected else None
        except RuntimeError:
            # Sparse tensors have neither strides nor an address.
            return None

    @staticmethod
    def _lie(tensors: list[torch.Tensor], strides: list[Any]) -> bool:
        return all(
            g.is_contiguous() if stride is None else g.stride() == stride
            for g, stride in zip(tensors, strides, strict=True)
        )

    def _point(self, addresses: list[int]) -> Bound:
        before, self._addresses = self._addresses, []
        if before and all(before) and all(addresses):
            self._binder.aim(addresses)
        else:
            self._bound = self._binder.point(addresses)
        self._addresses = addresses
        return self._bound

    def _expect(self, values: Gradients) -> None:
        """Learn what the gradients of the next steps will look like."""
        old = self._forms or [(parameter.dtype, None, None) for parameter in self._parameters]
        self._forms = [self._form(k, old[k][0], g) for k, g in enumerate(values.tensors)]
        dtypes, shapes, strides = map(list, zip(*self._forms, strict=True))
        self._columns = dtypes, shapes, strides, not any(strides)

    def _form(self, k: int, dtype: Any, g: torch.Tensor | None) -> tuple[Any, Any, Any]:
        if g is not None and g.layout is torch.strided:
            dtype = g.dtype
        parameter, order = self._parameters[k], self._binder.tensors[k].order
        # No gradient has the shape None: it is looked at every time.
        odd = parameter.is_complex() or parameter.numel() == 0
        shape = None if odd else parameter.shape
        return dtype, shape, None if order is None else parameter.stride()
