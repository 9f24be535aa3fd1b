"""Gradients as the caller hands them in become addresses that a kernel can read.

The usual case costs little: a gradient array that was checked at the last step is recognised by
identity (through a weak reference, so that no gradient is kept alive) and not looked at again.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from ctypes import addressof, c_char
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adamas.codecs import CODECS
from adamas.engine.tensors import Array, Key, Tensor, address, as_array


_first_byte: Any = c_char.from_buffer


@dataclass(frozen=True)
class Rows:
    """A sparse gradient: `values[k]` belongs to row `indices[k]` of the parameter, the rest is 0.

    `indices` are integers of shape (n,), negative ones count from the end; `values` have shape
    (n, *row shape), float32 or float64. Duplicate indices are summed, in the order they come.
    """

    indices: ArrayLike
    values: ArrayLike


def flatten(grads: Any, form: Any, keys: Sequence[Key]) -> Sequence[Any]:
    """One gradient, Rows or None per parameter, from the form in which params were given.

    Raises TypeError or ValueError that says which form is expected and what is missing.
    """
    if form is np.ndarray:
        return (grads,)
    if isinstance(form, list):
        if not isinstance(grads, list | tuple) or len(grads) != len(form):
            raise TypeError(f"gradients must be a list of {len(form)}, one entry per group.")
        flat: list[Any] = []
        for part, (kind, count) in zip(grads, form, strict=True):
            flat.extend(flatten(part, kind, keys[len(flat) : len(flat) + count]))
        return flat
    if form is dict:
        if not isinstance(grads, Mapping):
            raise TypeError("parameters have names, so gradients must be a dict of the same names.")
        if grads.keys() != set(keys):
            wrong = sorted(set(keys) ^ grads.keys(), key=str)
            raise ValueError(
                f"gradients and parameters differ in {wrong}; pass None to skip a parameter."
            )
        return [grads[key] for key in keys]
    if isinstance(grads, np.ndarray) or not isinstance(grads, Sequence):
        raise TypeError("parameters are a list, so gradients must be a list of the same length.")
    if len(grads) != len(keys):
        raise ValueError(f"{len(grads)} gradients for {len(keys)} parameters; use None to skip.")
    return grads


class Reader:
    """Checks gradients against their parameters and finds their addresses."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._tensors = tensors
        self._dtypes = [tensor.given.dtype for tensor in tensors]
        self._shapes = [tensor.given.shape for tensor in tensors]
        spans = sorted(np.lib.array_utils.byte_bounds(t.given) for t in tensors if t.given.size)
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]

    def read(self, index: int, gradient: Any) -> tuple[Array, int]:
        """The gradient in the parameter's memory order, and its address.

        The array is the caller's own wherever its layout fits. Raises TypeError or ValueError that
        names the parameter, what came, and what is needed.
        """
        tensor = self._tensors[index]
        if (
            type(gradient) is np.ndarray
            and gradient.dtype is self._dtypes[index]
            and gradient.shape == self._shapes[index]
            and gradient.flags.carray
            and tensor.order is None
            and gradient.size
        ):
            # A third of the time of `ctypes.data`: 0.4 us.
            at = addressof(_first_byte(gradient))
            if not self._meets_parameter(at, gradient.nbytes):
                return gradient, at
        array = as_array(gradient, f"the gradient of {tensor.key!r}")
        self._fits(tensor, array, tensor.given.shape)
        if not (array.flags.c_contiguous and tensor.order is None and array.flags.aligned):
            array = np.require(tensor.dense(array), requirements="A")
        at = address(array)
        if self._meets_parameter(at, array.nbytes):
            array = array.copy()
            at = address(array)
        # An empty array may lie at address 0, which means "no gradient" to the kernel.
        return array, at or 1

    def rows(self, index: int, rows: Rows) -> tuple[NDArray[np.int64], Array]:
        """Sorted distinct row numbers and their summed values, C-contiguous."""
        tensor = self._tensors[index]
        what = f"Rows for {tensor.key!r}"
        if tensor.given.ndim == 0 or tensor.order is not None:
            raise ValueError(f"{what}: the parameter must be a C-contiguous array of rows.")
        indices = np.asarray(rows.indices)
        if indices.size == 0:
            indices = indices.astype(np.int64)
        if indices.dtype.kind not in "iu" or indices.ndim != 1:
            raise TypeError(f"{what}: indices must be a 1-d integer array, not {indices.dtype}.")
        count = len(tensor.given)
        if indices.size and not (-count <= indices.min() and indices.max() < count):
            wrong = int(indices.min() if indices.min() < -count else indices.max())
            raise ValueError(f"{what}: index {wrong} is outside the {count} rows.")
        values = np.asarray(rows.values)
        self._fits(tensor, values, (len(indices), *tensor.given.shape[1:]))
        indices = np.where(indices < 0, indices + count, indices)
        unique, place = np.unique(indices, return_inverse=True)
        summed = np.zeros((len(unique), *values.shape[1:]), values.dtype)
        np.add.at(summed, place, values)
        return unique.astype(np.int64), summed

    def _fits(self, tensor: Tensor, array: Array, shape: tuple[int, ...]) -> None:
        if array.shape != shape:
            raise ValueError(
                f"the gradient of {tensor.key!r} has shape {array.shape}, not {shape}; "
                "reshape it, adamas does not broadcast."
            )
        if array.dtype.name not in CODECS or not array.dtype.isnative:
            raise TypeError(
                f"the gradient of {tensor.key!r} has dtype {array.dtype}; "
                f"give it as {' or '.join(CODECS)}."
            )

    def _meets_parameter(self, at: int, size: int) -> bool:
        place = bisect_right(self._starts, at)
        before = place > 0 and self._ends[place - 1] > at
        return before or (place < len(self._starts) and self._starts[place] < at + size)
