"""What may have changed since the last step is looked at, at under a microsecond a parameter.

Parameters, their memory, their gradients and their state are plain attributes that anybody may
replace between two steps (FSDP swaps `p.data`, Gaussian splatting swaps parameters and state), and
so are the hyper-parameters of a group. Whatever is another object than last time is read anew.
"""

import weakref
from collections.abc import Iterator, Mapping
from itertools import chain
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import torch

from adamas.torch import arguments
from adamas.torch.core import Core
from adamas.torch.devices import TensorCore
from adamas.torch.shards import plain, sharded

if TYPE_CHECKING:
    from adamas.torch.base import Optimizer

POINTER, SHAPE, STRIDE = torch.Tensor.data_ptr, torch.Tensor.size, torch.Tensor.stride
GRADIENT = attrgetter("grad")


class Watch:
    """Remembers what one optimizer looked like when its engine was laid out."""

    def __init__(self, owner: "Optimizer") -> None:
        # Weakly: an optimizer that nobody uses any more is gone at once, not at some collection.
        self._owner: Optimizer = weakref.proxy(owner)
        self._learned = False
        self._groups: list[int] = []
        self._params: list[int] = []
        self._live: list[torch.Tensor] = []
        self._wrapped = False
        self._waiting: list[torch.Tensor] = []
        self._memory: Any = None
        self._states: Any = None
        self._kept: list[Any] = []
        self.foreign: dict[torch.Tensor, frozenset[str]] = {}
        self._placed: list[torch.Tensor] = []
        self._places: list[int] = []
        self._seen: list[Any] = []
        self._lengths: list[int] = []
        self._storage: list[Any] = []
        self._moving: list[bool] = []
        self._read: Any = itemgetter(*owner.home.defaults)

    def learn(
        self, core: Core | TensorCore | None, foreign: Mapping[torch.Tensor, frozenset[str]]
    ) -> None:
        """Remember parameters, memory and state as `core` found them.

        `foreign` are the keys of state that is somebody else's, who may change it at any time.
        """
        owner = self._owner
        self.foreign = dict(foreign)
        params = [p for group in owner.param_groups for p in group["params"]]
        live = {id(one.parameter) for one in core.live} if core else set()
        self._live = [p for p in params if id(p) in live]
        self._wrapped = any(map(sharded, self._live))
        self._waiting = [p for p in params if id(p) not in live]
        self._groups = [len(group["params"]) for group in owner.param_groups]
        self._params = list(map(id, params))
        self._memory, self._states = self._memories(), self._entries()
        # As long as these live, nothing else has their ids.
        self._kept = [value for _, values in self._own() for value in values]
        # But anybody may give one other memory: `.data = ...`, `set_`, `share_memory_`.
        self._placed = [value for value in self._kept if _has_address(value)]
        self._places = list(map(POINTER, self._placed))
        self._seen = [None] * len(owner.param_groups)
        self._lengths = list(map(len, owner.param_groups))
        self._storage = [group.get("state") for group in owner.param_groups]
        self._moving = [False] * len(owner.param_groups)
        self._learned = True

    # Loops in C: they look at every parameter and every state in every step.
    def _memories(self) -> tuple[list[Any], ...]:
        live = list(map(plain, self._live)) if self._wrapped else self._live
        return list(map(POINTER, live)), list(map(SHAPE, live)), list(map(STRIDE, live))

    def _entries(self) -> list[int]:
        entries: Any = self._owner.state.values()
        try:
            if not self.foreign:
                return [*map(id, entries), *map(id, chain.from_iterable(map(dict.values, entries)))]
        except TypeError:
            # Somebody keeps a value there that is no dict.
            pass
        found = []
        for entry, values in self._own():
            found += [id(entry), *map(id, values)]
        return found

    def _own(self) -> Iterator[tuple[dict[str, Any], list[Any]]]:
        """Every entry of the state with its values, without those that are somebody else's."""
        for p, entry in self._owner.state.items():
            if isinstance(entry, dict):
                foreign = self.foreign.get(p, ())
                yield entry, [value for key, value in entry.items() if key not in foreign]

    def gradients(self) -> list[torch.Tensor | None] | None:
        """The gradients of the live parameters, or None if the engine must be laid out anew."""
        groups = [group["params"] for group in self._owner.param_groups]
        if (
            not self._learned
            or list(map(len, groups)) != self._groups
            or list(map(id, chain.from_iterable(groups))) != self._params
            or self._memories() != self._memory
            or self._entries() != self._states
            or list(map(POINTER, self._placed)) != self._places
            or any(p.grad is not None for p in self._waiting)
        ):
            return None
        return list(map(GRADIENT, self._live))

    def refresh(self, core: Core | TensorCore) -> bool:
        """Bring the engine's hyper-parameters up to date; False if the groups want another one.

        Raises what `Optimizer._fits` raises for a group that was changed.
        """
        owner, read = self._owner, self._read
        changed = []
        for k, group in enumerate(owner.param_groups):
            try:
                values = read(group)
            except KeyError as error:
                raise TypeError(f"param group {k} lost its {error}; set it again.") from None
            if (
                self._moving[k]
                or len(group) != self._lengths[k]
                or group.get("state") is not self._storage[k]
                or not _same(values, self._seen[k])
            ):
                changed.append(k)
        if not changed:
            return True
        for k in changed:
            self._fold(owner.param_groups[k])
        if owner._plans.of(owner.param_groups) is not owner._plan:
            return False
        if [id(group.get("state")) for group in owner.param_groups] != list(map(id, self._storage)):
            return False
        for k in changed:
            self._write(core, k, owner.param_groups[k])
        return True

    def _fold(self, group: dict[str, Any]) -> None:
        """Put what somebody set under the rule's own names under torch's; refuse what is wrong."""
        home = self._owner.home
        if any(name in group and name not in home.defaults for name in home.sources):
            folded = arguments.folded(home, group, group, strict=False)
            group.clear()
            group.update(folded)
        self._owner._fits(group)

    def _write(self, core: Core | TensorCore, k: int, group: dict[str, Any]) -> None:
        owner = self._owner
        core.set(k, arguments.numbers(owner.home, owner.formula, group))
        values = self._read(group)
        self._moving[k] = any(_changeable(value) for value in values)
        self._seen[k], self._lengths[k] = values, len(group)

    def zero_sparse(self, tensors: list[torch.Tensor | None]) -> None:
        """Drop sparse gradients, which cannot be zeroed where they lie."""
        for g, p in zip(tensors, self._live, strict=True):
            if g is not None and g.layout is not torch.strided:
                p.grad = None


def _has_address(value: Any) -> bool:
    plain_tensor = isinstance(value, torch.Tensor) and not sharded(value)
    return plain_tensor and value.layout is torch.strided


def _changeable(value: Any) -> bool:
    """Whether a value may change in place: tensors, lists, arrays."""
    if isinstance(value, tuple):
        return any(map(_changeable, value))
    return not isinstance(value, int | float | str | None)


def _same(values: Any, seen: Any) -> bool:
    """Whether these are the values that were seen; arrays in them make it False."""
    try:
        return bool(values == seen)
    except (RuntimeError, ValueError):
        return False
