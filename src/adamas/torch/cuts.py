"""Where ranks cut a tensor whose rule sums over it, and what such rules cannot be used for.

Sums are added up in blocks of the whole tensor, whatever lies here, so that sharded steps have the
bits of whole ones. Cuts lie between rows: what a row adds up to is then known where the row is.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from adamas.codecs import BLOCK
from adamas.engine.grid import grid_of
from adamas.engine.tensors import Part
from adamas.kernel.formula import Formula
from adamas.kernel.observing import who_sums
from adamas.kernel.runtime.job import GROUP
from adamas.kernel.scopes import ALL
from adamas.torch.engines import Live
from adamas.torch.shards import begins, sharded

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor

NUMBERS = frozenset({"rows", "columns"})


def asks(formula: Formula) -> bool:
    """Whether a rule must know more of a tensor than one element, be it only its size."""
    return bool(formula.over or formula.given & NUMBERS)


def check(parameter: torch.Tensor, name: str, formula: Formula) -> None:
    """Raise ValueError for a parameter that a rule which reduces cannot step, and say what would.

    Complex numbers are pairs of real ones: they have a norm, but no rows and columns.
    """
    if not asks(formula):
        return
    if parameter.is_complex() and (formula.rowwise or formula.given & NUMBERS):
        raise ValueError(
            f"parameter {name!r} is {parameter.dtype}, and {formula.name} asks for its rows or "
            "columns, which are of real numbers. Train torch.view_as_real() of it."
        )
    if parameter.device.type != "cpu":
        check_elsewhere(parameter, name, formula)
    elif formula.over and sharded(parameter):
        _check_cut(parameter, name, formula)


def check_elsewhere(parameter: torch.Tensor, name: str, formula: Formula) -> None:
    """Raise ValueError for what rules that reduce do in the kernels only, which are on the CPU."""
    where = parameter.device
    if ALL in formula.over:
        raise ValueError(
            f"parameter {name!r} is on {where}, and {formula.name} sums over all tensors, which "
            "is done on the CPU only; move the model there, or sum with over='tensor'."
        )
    if formula.over and sharded(parameter):
        raise ValueError(
            f"parameter {name!r} is a DTensor on {where}, and {who_sums(formula)} sums over whole "
            "tensors, which ranks do together on the CPU only; use fully_shard's "
            "CPUOffloadPolicy, or DistributedDataParallel."
        )


def _check_cut(parameter: "DTensor", name: str, formula: Formula) -> None:
    cuts = [place for place in parameter.placements if not place.is_replicate()]
    # Strided shards, of FSDP over tensor parallelism, are a class of their own.
    between = all(type(place).__name__ == "Shard" and place.is_shard(0) for place in cuts)
    if between and (not cuts or parameter.is_contiguous()):
        return
    found = f"placements {parameter.placements}" if not between else f"strides {parameter.stride()}"
    raise ValueError(
        f"parameter {name!r} is a DTensor with {found}, and {who_sums(formula)} sums over whole "
        "tensors, which may be cut between their rows only; use Shard(0) of a contiguous tensor, "
        "as fully_shard does."
    )


def check_dense(
    gradients: Sequence[torch.Tensor | None], live: Sequence[Live], formula: Formula
) -> None:
    """Raise ValueError for rows alone, of whose tensor a sum would know too little."""
    for one, g in zip(live, gradients, strict=True):
        if g is not None and g.layout is not torch.strided:
            raise ValueError(
                f"the gradient of {one.key!r} is sparse, and {who_sums(formula)} sums over whole "
                "tensors; use .to_dense(), or nn.Embedding(sparse=False)."
            )


def part_of(parameter: torch.Tensor, name: str, formula: Formula) -> Part | None:
    """What of a whole lies here, for a rule that asks; None for what every rank has whole.

    Raises what `check` raises.
    """
    check(parameter, name, formula)
    if not asks(formula) or not sharded(parameter):
        return None
    if all(place.is_replicate() for place in parameter.placements):
        return None
    shape = (*parameter.shape, *((2,) if parameter.is_complex() else ()))
    width, row = math.prod(shape[1:]), begins(parameter)[0]
    inner = [cut for cut in _ends(parameter) if 0 < cut < shape[0]]
    flat = grid_of(shape, formula.rowwise).rows == 1
    return Part(
        shape,
        row,
        row * width,
        each=flat and any(cut * width % BLOCK for cut in inner),
        rowwise=any(cut % GROUP for cut in inner),
    )


def _ends(parameter: "DTensor") -> set[int]:
    """The rows behind which some rank's shard ends: the same on all ranks."""
    spans = [(0, parameter.shape[0])]
    for count, place in zip(parameter.device_mesh.shape, parameter.placements, strict=True):
        if place.is_shard(0):
            spans = [piece for span in spans for piece in _pieces(*span, count)]
    return {end for _, end in spans}


def _pieces(first: int, end: int, count: int) -> list[tuple[int, int]]:
    """As torch.chunk cuts: the last pieces may be shorter, or empty."""
    each = -(-(end - first) // count)
    return [(min(first + k * each, end), min(first + (k + 1) * each, end)) for k in range(count)]
