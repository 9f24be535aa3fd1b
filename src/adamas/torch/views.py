"""Tensors become NumPy arrays over the same memory, and arrays become tensors.

Everything unusual about a tensor is met here: complex numbers are pairs of real ones, sparse
gradients are rows, lazily conjugated or negated tensors are resolved, and what cannot be updated in
place is refused by name.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from adamas.engine.gradients import Rows
from adamas.engine.tensors import Array
from adamas.torch.shards import check, plain, sharded

# What a tensor's number is to NumPy; bfloat16 is its bits.
BITS = {torch.bfloat16: torch.uint16}


def local(tensor: torch.Tensor, what: str) -> torch.Tensor:
    """The plain tensor whose memory a step updates; raises TypeError for one that has none.

    Of a DTensor it is the shard that this rank holds; other wrappers are refused.
    """
    if sharded(tensor):
        check(tensor, what)
        tensor = plain(tensor)
    undisturbed = torch._C._disabled_torch_dispatch_impl
    if type(tensor).__torch_dispatch__ is not undisturbed:
        raise TypeError(
            f"{what} is a {type(tensor).__name__}, which wraps other tensors; adamas updates plain "
            "ones."
        )
    return tensor.detach()


def writable(parameter: torch.Tensor, what: str) -> Array:
    """The memory of a CPU parameter; raises TypeError or ValueError that names it."""
    tensor = local(parameter, what)
    if tensor.layout is not torch.strided:
        raise TypeError(f"{what} is {tensor.layout}; adamas updates dense parameters.")
    if tensor.is_conj() or tensor.is_neg():
        raise ValueError(f"{what} is a lazy conjugate or negation; .clone() it first.")
    return array(tensor)


def array(tensor: torch.Tensor) -> Array:
    """A NumPy array over the memory of a dense CPU tensor; complex numbers get one more axis."""
    tensor = tensor.detach()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    if tensor.dtype in BITS:
        return tensor.view(BITS[tensor.dtype]).numpy()
    return tensor.numpy()


def saved_array(value: Any, what: str, *, wide: bool = False) -> Array:
    """A state tensor of any device as an array; `wide` makes short floats float32.

    Raises TypeError for what is no plain tensor, ValueError for one without memory of its own kind.
    """
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{what} is {type(value).__name__}, not a tensor.")
    value = local(value, what)
    if value.layout is not torch.strided or value.is_quantized or value.device.type == "meta":
        raise ValueError(
            f"{what} is {value.layout}, {value.dtype}, on {value.device}; state is dense and has "
            "memory."
        )
    value = value.cpu().resolve_conj().resolve_neg()
    return array(value.to(torch.float32) if wide and value.dtype.itemsize <= 2 else value)


def gradient(tensor: torch.Tensor | None) -> Any:
    """A gradient in the form the engine reads: an array, `Rows`, or None.

    Raises TypeError for sparse layouts other than COO with one sparse dimension.
    """
    if tensor is None:
        return None
    tensor = local(tensor, "a gradient")
    if tensor.layout is torch.sparse_coo:
        if tensor.sparse_dim() != 1:
            raise TypeError(
                f"a sparse gradient has {tensor.sparse_dim()} sparse dimensions; adamas takes rows "
                "(one). Use .to_dense()."
            )
        values = array(tensor._values().resolve_conj().resolve_neg())
        return Rows(tensor._indices()[0].numpy(), values)
    if tensor.layout is not torch.strided:
        raise TypeError(f"a gradient is {tensor.layout}; adamas takes dense ones and sparse COO.")
    return array(tensor.resolve_conj().resolve_neg())


def tensor_of(values: Array, like: torch.Tensor) -> torch.Tensor:
    """A state array as a tensor: complex where the parameter is and the array holds pairs."""
    made = torch.from_numpy(values)
    if made.dtype is torch.uint16:
        return made.view(torch.bfloat16)
    if like.is_complex() and made.is_floating_point() and values.ndim == like.ndim + 1:
        # NumPy gives empty arrays strides of 0, which torch does not take for pairs.
        return torch.view_as_complex(made if made.numel() else made.new_zeros(made.shape))
    return made


class Gradients(Sequence[Any]):
    """This step's gradients: `tensors` as they are, entries converted when they are looked at."""

    def __init__(self, tensors: list[torch.Tensor | None]) -> None:
        self.tensors = tensors

    def __len__(self) -> int:
        return len(self.tensors)

    def __getitem__(self, index: Any) -> Any:
        return gradient(self.tensors[index])

    def __iter__(self) -> Iterator[Any]:
        return map(gradient, self.tensors)


def same_layout(one: Array, other: Array) -> bool:
    """Whether two arrays lie in memory in the same way, axes of length 1 aside."""
    return (
        one.shape == other.shape
        and all(
            a == b or n <= 1 for a, b, n in zip(one.strides, other.strides, one.shape, strict=True)
        )
        or (one.shape == other.shape and not np.prod(one.shape))
    )
