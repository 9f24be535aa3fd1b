"""What tells the random numbers of one parameter from those of another.

Parameters that are rounded at random by the same numbers err in the same direction. Within one
optimizer their places tell them apart; but wrappers make one optimizer a parameter (CPU offload,
optimizers in the backward pass) or one a rank (ZeRO). So a key comes from the parameter's name
where it has one. Without names it is the first number from its place on by which no living
optimizer of this process rounds another parameter, and where there are several processes the first
numbers of the parameter count as well: replicas agree on them, and different parameters do not.

A key is state (`rounding`) and goes with files, so that a resumed run rounds alike.
"""

import weakref
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from adamas.torch.called import bare
from adamas.torch.shards import sharded
from adamas.torch.states import ROUNDING, counted

# Kernels mix 32 bits of a key; those of names have the highest one, so that places have none.
NAMED = 1 << 31
SAMPLE = 256

# Who rounds by a key, by seed and key: optimizers and their parameters.
Holder = tuple[weakref.ref[Any], weakref.ref[torch.Tensor]]
_holders: dict[tuple[int, int], list[Holder]] = {}

Named = tuple[torch.Tensor, str | None]
Keys = dict[torch.Tensor, int]


def assigned(
    named: Sequence[Named],
    known: Mapping[torch.Tensor, int],
    entries: Mapping[torch.Tensor, Mapping[str, Any]],
    seed: int,
) -> Keys:
    """The key of every parameter: that of its state, the one it had, or a new one.

    `named` are all parameters of an optimizer in their order, those without a name with None.
    Raises ValueError or TypeError for a key in the state that is none.
    """
    keys: Keys = {}
    for p, _ in named:
        if ROUNDING in (entry := entries.get(p, {})):
            keys[p] = counted("a saved rounding", entry[ROUNDING])
        elif p in known:
            keys[p] = known[p]
    taken = set(keys.values())
    for place, (p, name) in enumerate(named):
        if p in keys:
            continue
        key = _first(p, place) if name is None else NAMED | zlib.crc32(bare(name).encode())
        while key in taken or (name is None and _held(seed, key, p)):
            key = key + 1 & 0xFFFFFFFF
        keys[p] = key
        taken.add(key)
    return keys


def hold(keys: Mapping[torch.Tensor, int], seed: int, holder: object) -> None:
    """Note that these parameters round by these keys, as long as the optimizer `holder` lives."""
    for gone in [one for one, holders in _holders.items() if not _living(holders)]:
        del _holders[gone]
    for p, key in keys.items():
        holders = _holders.setdefault((seed, key), [])
        if not any(one is p for one in _living(holders)):
            holders.append((weakref.ref(holder), weakref.ref(p)))


def _living(holders: Iterable[Holder]) -> list[torch.Tensor]:
    """The parameters among `holders` that some optimizer still steps."""
    pairs = [(owner(), parameter()) for owner, parameter in holders]
    return [p for optimizer, p in pairs if optimizer is not None and p is not None]


def _held(seed: int, key: int, p: torch.Tensor) -> bool:
    """Whether a parameter other than `p` is rounded by a key."""
    others = _living(_holders.get((seed, key), ()))
    return bool(others) and all(one is not p for one in others)


def _first(p: torch.Tensor, place: int) -> int:
    """The number from which a key is looked for."""
    dist = torch.distributed
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        return place
    # Shards differ from rank to rank, and all ranks must agree on the key of the whole.
    if sharded(p) or p.device.type == "meta":
        return place
    count = min(SAMPLE, p.numel())
    sample = p.detach().as_strided((count,), (1,)).cpu().contiguous()
    return (place + zlib.crc32(sample.view(torch.uint8).numpy().tobytes())) & (NAMED - 1)
