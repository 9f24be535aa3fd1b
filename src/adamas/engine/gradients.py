"""Gradients as the caller hands them in become addresses that a kernel can read.

The usual case costs little: a gradient array that was checked at the last step is recognised by
identity (through a weak reference, so that no gradient is kept alive) and not looked at again.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from ctypes import addressof, c_char
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike

from adamas.codecs import CODECS
from adamas.engine.rows import Summed, row_numbers, summed
from adamas.engine.tensors import Array, Key, Tensor, address, as_array, form_of, overlap, widened
from adamas.engine.threads import Action, assigning

_first_byte: Any = c_char.from_buffer


@dataclass(frozen=True)
class Rows:
    """A sparse gradient: `values[k]` belongs to row `indices[k]` of the parameter, the rest is 0.

    `indices` are integers of shape (n,), negative ones count from the end; `values` have shape
    (n, *row shape), float32 or float64. Duplicate indices are summed, in the order they come.
    """

    indices: ArrayLike
    values: ArrayLike


def flatten(grads: Any, form: Any, keys: Sequence[Key], what: str = "gradients") -> Sequence[Any]:
    """One gradient, Rows or None per parameter, from the form in which params were given.

    `what` they are is said in errors: TypeError or ValueError that says which form is expected and
    what is missing.
    """
    if form is ndarray:
        return (grads,)
    # What is asked about types beyond their identity costs a tenth of a tiny step.
    if type(grads) is form and form is not dict and len(grads) == len(keys):
        return grads  # type: ignore[no-any-return]
    if isinstance(form, list):
        if not isinstance(grads, list | tuple) or len(grads) != len(form):
            raise TypeError(f"{what} must be a list of {len(form)}, one entry per group.")
        flat: list[Any] = []
        for part, (kind, count) in zip(grads, form, strict=True):
            flat.extend(flatten(part, kind, keys[len(flat) : len(flat) + count], what))
        return flat
    if form is dict:
        if not isinstance(grads, Mapping):
            raise TypeError(f"parameters have names, so {what} must be a dict of the same names.")
        if grads.keys() != set(keys):
            wrong = sorted(set(keys) ^ grads.keys(), key=str)
            raise ValueError(
                f"{what} and parameters differ in {wrong}; pass None to skip a parameter."
            )
        return [grads[key] for key in keys]
    if isinstance(grads, np.ndarray) or not isinstance(grads, Sequence):
        raise TypeError(f"parameters are a list, so {what} must be a list of the same length.")
    if len(grads) != len(keys):
        raise ValueError(f"{len(grads)} {what} for {len(keys)} parameters; use None to skip.")
    return grads


# Up to so many gradients are looked up one by one: NumPy's calls cost 5 us.
FEW = 16


def erasing(values: Iterable[Any]) -> list[Action]:
    """The actions that set gradients to zero where they lie; None and Rows stay."""
    return [
        assigning(as_array(value, "a gradient"), 0)
        for value in values
        if value is not None and not isinstance(value, Rows)
    ]


def refuse_shared(
    tensors: Sequence[Tensor], values: Sequence[Any], every: Sequence[Tensor]
) -> None:
    """Raise ValueError if zeroing a gradient of `tensors` would erase another, or any parameter."""
    arrays = [
        (f"the gradient of {tensor.key!r}", as_array(value, "a gradient"))
        for tensor, value in zip(tensors, values, strict=True)
        if value is not None and not isinstance(value, Rows)
    ]
    arrays += [(f"parameter {tensor.key!r}", tensor.given) for tensor in every]
    if both := overlap(arrays):
        raise ValueError(
            f"zero_grads, but {both[0]} and {both[1]} share memory; zero them yourself."
        )


class Reader:
    """Checks gradients against their parameters and finds their addresses."""

    def __init__(self, tensors: Sequence[Tensor], writes: bool) -> None:
        self._tensors, self._writes = tensors, writes
        self._expected: list[tuple[Any, Any, int]] = []
        self.expect([tensor.given.dtype for tensor in tensors])
        self.meet(tensors)

    def meet(self, every: Sequence[Tensor]) -> None:
        """Look for gradients that lie in the memory of any of these parameters."""
        spans = sorted(np.lib.array_utils.byte_bounds(t.given) for t in every if t.given.size)
        self._starts = np.array([start for start, _ in spans], np.int64)
        self._ends = np.array([end for _, end in spans] or [0], np.int64)
        # For one by one: Python compares its own numbers faster than NumPy's.
        self._spans = self._starts.tolist(), self._ends.tolist()

    def expect(self, dtypes: Sequence[np.dtype[Any]]) -> None:
        """Take these gradient dtypes as the usual ones; `quick` accepts no others."""
        self._expected = [
            (
                dtype if tensor.order is None and tensor.given.size else None,
                tensor.given.shape,
                dtype.itemsize - 1,
            )
            for dtype, tensor in zip(dtypes, self._tensors, strict=True)
        ]
        sizes = [tensor.given.size for tensor in self._tensors]
        self._bytes = np.array(sizes, np.int64) * [dtype.itemsize for dtype in dtypes]
        self._sizes = self._bytes.tolist()

    def quick(self, gradients: Sequence[Any]) -> list[int]:
        """The address of each gradient that needs no further look, and 0 of any other."""
        return list(map(self._quick, gradients, self._expected))

    @staticmethod
    def _quick(gradient: Any, expected: tuple[Any, Any, int]) -> int:
        dtype, shape, unaligned = expected
        if type(gradient) is not ndarray or gradient.dtype is not dtype or gradient.shape != shape:
            return 0
        try:
            # A fifth of the time of `ctypes.data`: 0.4 us.
            at = addressof(_first_byte(gradient))
        except TypeError:
            # Read-only, or not C-contiguous.
            return 0
        return 0 if at & unaligned else at

    def read(self, index: int, gradient: Any) -> tuple[Array, int]:
        """The gradient in the parameter's memory order, and its address.

        The array is the caller's own wherever its layout fits. Raises TypeError or ValueError that
        names the parameter, what came, and what is needed.
        """
        tensor = self._tensors[index]
        array = as_array(gradient, f"the gradient of {tensor.key!r}")
        self._fits(tensor, array, tensor.given.shape)
        if self._writes and not array.flags.writeable:
            raise ValueError(
                f"zero_grads, but the gradient of {tensor.key!r} is read-only; pass one that may "
                "be written."
            )
        if not (array.flags.c_contiguous and tensor.order is None and array.flags.aligned):
            array = np.require(tensor.lay.dense(array), requirements="A")
        # An empty array may lie at address 0, which means "no gradient" to the kernel.
        return array, address(array) or 1

    def overlaps(self, addresses: Sequence[int]) -> list[int]:
        """Which of these gradients share memory with a parameter."""
        if len(addresses) <= FEW:
            return self._meeting(addresses, self._sizes)
        at = np.array(addresses, np.int64)
        # Parameters do not overlap, so only the last one that starts before a gradient ends counts.
        place = np.searchsorted(self._starts, at + self._bytes) - 1
        meets = (place >= 0) & (self._ends[place] > at)
        return np.flatnonzero(meets).tolist()

    def _meeting(self, addresses: Sequence[int], sizes: Sequence[int]) -> list[int]:
        """Which of so many bytes at these addresses share memory with a parameter, one by one."""
        starts, ends = self._spans
        found = []
        for k, at in enumerate(addresses):
            place = bisect_left(starts, at + sizes[k]) - 1
            if place >= 0 and ends[place] > at:
                found.append(k)
        return found

    def _meets(self, array: Array) -> bool:
        return bool(self._meeting([address(array)], [array.nbytes]))

    def apart(self, index: int, gradient: Any) -> tuple[Array, int]:
        """A gradient and its address, copied where it overlaps a parameter."""
        array, _ = self.read(index, gradient)
        array = array.copy() if self._meets(array) else array
        return array, address(array)

    @staticmethod
    def everywhere(values: Array) -> Summed:
        """A gradient of all rows."""
        return Summed(np.arange(len(values)), values, None, np.zeros(0, np.int64), values[:0])

    def spread(self, index: int, named: Summed) -> Summed:
        """The same gradient for all rows, which is zero where none was named."""
        values = np.zeros(self._tensors[index].given.shape, named.values.dtype)
        values[named.rows] = named.gathered()
        return self.everywhere(values)

    def rows(self, index: int, rows: Rows) -> Summed:
        """Distinct row numbers and where their gradients lie, in the caller's array if it fits."""
        tensor = self._tensors[index]
        what = f"Rows for {tensor.key!r}"
        if tensor.given.ndim == 0 or tensor.order is not None:
            raise ValueError(f"{what}: the parameter must be a C-contiguous array of rows.")
        indices = row_numbers(rows.indices, len(tensor.given), what)
        values = as_array(np.asarray(rows.values), what)
        self._fits(tensor, values, (len(indices), *tensor.given.shape[1:]))
        if values.dtype.itemsize == 2:
            values = widened(values)
        # The kernel sets gradients to zero where others are; those of Rows stay.
        apart = self._writes or self._meets(values)
        values = values.copy() if apart else np.require(values, requirements=["C", "A"])
        return summed(indices, len(tensor.given), values)

    def _fits(self, tensor: Tensor, array: Array, shape: tuple[int, ...]) -> None:
        if array.shape != shape:
            raise ValueError(
                f"the gradient of {tensor.key!r} has shape {array.shape}, not {shape}; "
                "reshape it, adamas does not broadcast."
            )
        if form_of(array) not in CODECS or not array.dtype.isnative:
            raise TypeError(
                f"the gradient of {tensor.key!r} has dtype {array.dtype}; "
                f"give it as {' or '.join(CODECS)}."
            )
