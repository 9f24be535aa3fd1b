"""DTensors: every rank steps the shard that it holds, and its state is a DTensor of the same kind.

FSDP2 cuts a parameter between rows, and blocks begin anew with every row of at least half a block
(`engine.grid`), so that codes and scales of a shard are those of the whole: they are DTensors too,
and distributed checkpoints move them to another number of ranks bit for bit. Other cuts go through
blocks; state in few bits then belongs to its shard and is saved as numbers.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import torch

from adamas.codecs import BLOCK
from adamas.engine.grid import grid_of
from adamas.engine.tensors import Array
from adamas.kernel.layout import Column

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor


def sharded(tensor: object) -> "TypeGuard[DTensor]":
    """Whether `tensor` is a DTensor; asks without importing them, which takes a second."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(tensor, module.DTensor)


def plain(tensor: Any, like: torch.Tensor | None = None) -> Any:
    """What this rank holds of a DTensor, laid out as `like` is; anything else as it is."""
    if not sharded(tensor):
        return tensor
    with torch.no_grad():
        if sharded(like) and tensor.placements != like.placements:
            tensor = tensor.redistribute(placements=like.placements)
        return tensor.to_local()


def check(parameter: torch.Tensor, what: str) -> None:
    """Raise TypeError for a DTensor whose numbers are sums still to be made."""
    if sharded(parameter) and any(place.is_partial() for place in parameter.placements):
        raise TypeError(
            f"{what} is a DTensor with placements {parameter.placements}; adamas updates shards "
            "and replicas. Use .redistribute()."
        )


def by_rows(parameter: torch.Tensor, rowwise: bool = False) -> bool:
    """Whether any cut of a DTensor lies between two rows that share no block.

    It depends on the shape, never on the number of ranks: what is saved must not. Where the grid is
    `rowwise` no rows share one.
    """
    assert sharded(parameter)
    width = parameter.numel() // max(1, parameter.shape[0]) if parameter.ndim > 1 else 0
    # Strided shards, of FSDP over tensor parallelism, are a class of their own.
    plain_cuts = all(
        place.is_replicate() or (type(place).__name__ == "Shard" and place.is_shard(0))
        for place in parameter.placements
    )
    apart = width > 0 if rowwise else 2 * width >= BLOCK
    return plain_cuts and apart and parameter.is_contiguous()


def first_block(parameter: torch.Tensor, rowwise: bool = False) -> int:
    """The number that the first block of this rank's shard has in the whole tensor."""
    if not sharded(parameter) or not parameter.ndim:
        return 0
    offset = begins(parameter)
    if by_rows(parameter, rowwise):
        return int(offset[0]) * grid_of((1, *parameter.shape[1:])).row_blocks
    strides = torch.empty(parameter.shape, device="meta").stride()
    return sum(int(k) * n for k, n in zip(offset, strides, strict=True)) // BLOCK


def begins(parameter: "DTensor") -> tuple[int, ...]:
    """The index, in the whole tensor, of the first element of this rank's shard."""
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    _, offset = compute_local_shape_and_global_offset(
        parameter.shape, parameter.device_mesh, parameter.placements
    )
    return tuple(map(int, offset))


def dressed(
    local: torch.Tensor, parameter: torch.Tensor, column: Column, rowwise: bool = False
) -> torch.Tensor:
    """A state of this rank's shard as a DTensor over the same memory.

    `local` has the shard's shape, or is flat: codes of four bits or scales, as many for every row,
    which become a DTensor of shape (rows, columns). Flat ones of other cuts stay what they are.
    """
    if not sharded(parameter) or (column.flat and not by_rows(parameter, rowwise)):
        return local
    shape, strides = parameter.shape, parameter.stride()
    if column.flat:
        grid = grid_of((1, *shape[1:]))
        columns = grid.row_blocks if column.block else grid.row_bytes
        local = local.view(-1, columns)
        shape, strides = torch.Size((shape[0], columns)), (columns, 1)
    return _wrapped(local, parameter, shape, strides)


def dressed_rows(local: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """What each row of this rank's shard has one number of, as a DTensor over the same memory."""
    if not sharded(parameter):
        return local
    return _wrapped(local, parameter, parameter.shape[:1], (1,))


def _wrapped(
    local: torch.Tensor, parameter: "DTensor", shape: torch.Size, strides: tuple[int, ...]
) -> torch.Tensor:
    from torch.distributed.tensor import DTensor
    from torch.distributed.tensor._dtensor_spec import DTensorSpec, TensorMeta

    # Not `from_local`, which moves the shard to the device of the mesh: parameters that are kept on
    # the CPU (FSDP2's CPUOffloadPolicy) lie elsewhere than their mesh.
    meta = TensorMeta(shape, tuple(strides), local.dtype)
    spec = DTensorSpec(parameter.device_mesh, parameter.placements, tensor_meta=meta)
    made: DTensor = DTensor(local, spec, requires_grad=False)  # type: ignore[no-untyped-call]
    return made


def undressed(entry: Mapping[str, Any], parameter: torch.Tensor) -> dict[str, Any]:
    """State of a DTensor as its shard's own; codes and scales of rows are flat again.

    Raises ValueError for state that is spread over other ranks than its parameter.
    """
    found = {}
    for key, value in entry.items():
        _same_ranks(key, value, parameter)
        local = plain(value, parameter)
        # Codes of four bits and scales have another shape than the parameter.
        whole = not sharded(value) or value.shape == parameter.shape
        found[key] = local if whole else local.reshape(-1)
    return found


def _same_ranks(key: str, value: Any, parameter: torch.Tensor) -> None:
    if not sharded(value):
        return
    mesh = parameter.device_mesh if sharded(parameter) else None
    if value.device_mesh != mesh:
        there = f"a DTensor on {mesh}" if mesh else "no DTensor"
        raise ValueError(
            f"the saved {key!r} is a DTensor on {value.device_mesh}, the parameter is {there}; "
            "use .full_tensor(), and distribute_tensor() where it is needed."
        )
    check(value, f"the saved {key!r}")


def whole_like(parameter: torch.Tensor, given: Array) -> Array:
    """An array in the shape of the whole parameter, for questions about its size; no memory."""
    return np.broadcast_to(np.zeros((), given.dtype), tuple(parameter.shape))
