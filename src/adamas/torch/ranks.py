"""What a step asks of the other ranks that hold shards of the same parameters.

The norm of all gradients, and whether any rank found one that is not finite. Where gradients are
read first, either all ranks step or none does; otherwise each steps its finite blocks, and then all
raise.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from adamas.engine.peers import Bad
from adamas.engine.tensors import Array
from adamas.torch.shards import sharded

NONE = 1 << 62


def _cut(p: torch.Tensor) -> Any:
    """The mesh of a DTensor and its dimensions over which that is cut, or None."""
    if not sharded(p):
        return None
    dims = tuple(d for d, place in enumerate(p.placements) if place.is_shard())
    return (p.device_mesh, dims) if dims else None


class Ranks:
    """The engine's `Peers` for parameters of which some are DTensors, the same on every rank.

    `among` are the parameters of all rules: who shares any of those must agree on every step.
    """

    def __init__(
        self, parameters: Sequence[torch.Tensor], among: Sequence[torch.Tensor] = ()
    ) -> None:
        # One entry for every way of sharding: the groups over which it cuts, and its tensors.
        self._cuts: dict[Any, list[int]] = {cut: [] for p in among if (cut := _cut(p))}
        for k, p in enumerate(parameters):
            if cut := _cut(p):
                self._cuts.setdefault(cut, []).append(k)
        cut = {k for members in self._cuts.values() for k in members}
        self._whole = [k for k in range(len(parameters)) if k not in cut]

    def __bool__(self) -> bool:
        return bool(self._cuts)

    def total(self, squares: Array) -> float:
        """The sum over all tensors and ranks; `squares` holds one number for each tensor."""
        total = float(squares[self._whole].sum())
        for cut, members in self._cuts.items():
            total += float(self._reduced(cut, float(squares[members].sum()), "SUM"))
        return total

    def largest(self, value: float) -> float:
        """The largest of all ranks' values."""
        for cut in self._cuts:
            value = float(self._reduced(cut, value, "MAX"))
        return value

    def most(self, values: Array) -> Array:
        """The largest of all ranks' values, for each of them."""
        for cut in self._cuts:
            values = self._all(cut, torch.from_numpy(values), "MAX").numpy()
        return values

    def add(self, parts: Sequence[tuple[int, Array]]) -> None:
        """Add up, in place, each array over all ranks that share its tensor, in one exchange."""
        for cut, members in self._cuts.items():
            known = set(members)
            arrays = [array for k, array in parts if k in known]
            if arrays:
                flat = torch.from_numpy(np.concatenate([array.ravel() for array in arrays]))
                found = self._all(cut, flat, "SUM").numpy()
                places = np.cumsum([0, *(array.size for array in arrays)])
                for array, start in zip(arrays, places[:-1], strict=True):
                    array[...] = found[start : start + array.size].reshape(array.shape)

    def agree(self, bad: Bad | None) -> Bad | None:
        """The first gradient that any rank found not to be finite."""
        index = bad[0] if bad else NONE
        for cut in self._cuts:
            index = int(self._reduced(cut, index, "MIN"))
        if index == NONE:
            return None
        return bad if bad and bad[0] == index else (index, "NaN or infinity on another rank")

    def _reduced(self, cut: Any, value: float | int, how: str) -> float | int:
        dtype = torch.int64 if isinstance(value, int) else torch.float64
        found: float | int = self._all(cut, torch.tensor([value], dtype=dtype), how).item()
        return found

    @staticmethod
    def _all(cut: Any, numbers: torch.Tensor, how: str) -> torch.Tensor:
        from torch import distributed as dist

        mesh, dims = cut
        numbers = numbers.to(mesh.device_type)
        for dim in dims:
            dist.all_reduce(numbers, getattr(dist.ReduceOp, how), group=mesh.get_group(dim))
        return numbers.cpu()
