"""What may have changed since the last step is looked at, at under a microsecond a parameter.

Parameters, their memory, their gradients and their state are plain attributes that anybody may
replace between two steps (FSDP swaps `p.data`, Gaussian splatting swaps parameters and state), and
so are the hyper-parameters of a group. Whatever is another object than last time is read anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from operator import attrgetter, is_, itemgetter
from typing import Any, Protocol

import torch

from adamas.torch.engines import Engine
from adamas.torch.shards import plain, sharded

POINTER, SHAPE, STRIDE = torch.Tensor.data_ptr, torch.Tensor.size, torch.Tensor.stride
CONTIGUOUS, GRADIENT = torch.Tensor.is_contiguous, attrgetter("grad")
# Behind the last of what is compared one by one: neither side may go on.
END = object()


class Owner(Protocol):
    """Whose parameters are stepped, as `torch.optim.Optimizer` holds them; both may be replaced."""

    param_groups: list[dict[str, Any]]
    state: Any


class Watch:
    """Remembers what `owner` looked like when its engine was laid out; `keys` tells settings."""

    def __init__(self, owner: Owner, keys: Callable[[Any], Iterable[str]]) -> None:
        self._owner = owner
        self._learned = False
        self._groups: list[int] = []
        self._params: list[torch.Tensor] = []
        self._live: list[torch.Tensor] = []
        self._wrapped = False
        self._waiting: list[torch.Tensor] = []
        self._shapes: list[Any] = []
        self._strides: list[Any] | None = None
        self._kept: list[Any] = []
        self._odd = False
        self.foreign: dict[torch.Tensor, frozenset[str]] = {}
        self._placed: list[torch.Tensor] = []
        self._places: list[int] = []
        self._apart: list[int] = []
        self._seen: list[Any] = []
        self._lengths: list[int] = []
        self._storage: list[Any] = []
        self._rules: list[Any] = []
        self._moving: list[bool] = []
        self._keys = keys
        self._readers: list[Any] = []

    def learn(self, engine: Engine | None, foreign: Mapping[torch.Tensor, frozenset[str]]) -> None:
        """Remember parameters, memory and state as `engine` found them.

        `foreign` are the keys of state that is somebody else's, who may change it at any time.
        """
        owner = self._owner
        self.foreign = dict(foreign)
        params = [p for group in owner.param_groups for p in group["params"]]
        live = {id(one.parameter) for one in engine.live} if engine else set()
        self._live = [p for p in params if id(p) in live]
        self._wrapped = any(map(sharded, self._live))
        self._waiting = [p for p in params if id(p) not in live]
        self._groups = [len(group["params"]) for group in owner.param_groups]
        self._params = params
        locals_ = self._locals()
        self._shapes = list(map(SHAPE, locals_))
        plainly = all(map(CONTIGUOUS, locals_))
        self._strides = None if plainly else list(map(STRIDE, locals_))
        # Foreign values, and those that are no entries, ask for a longer look.
        kinds = map(type, owner.state.values())
        self._odd = bool(foreign) or not all(issubclass(kind, dict) for kind in kinds)
        self._kept = list(self._entries())
        # Anybody may give one other memory: `.data = ...`, `set_`, `share_memory_`.
        placed = [value for value in self._kept if _has_address(value)]
        self._placed = placed if self._wrapped else [*locals_, *placed]
        self._places = list(map(POINTER, self._placed))
        self._apart = list(map(POINTER, locals_)) if self._wrapped else []
        self._seen = [None] * len(owner.param_groups)
        self._readers = [itemgetter(*self._keys(group)) for group in owner.param_groups]
        self._lengths = list(map(len, owner.param_groups))
        self._storage = [group.get("state") for group in owner.param_groups]
        self._rules = [group.get("rule") for group in owner.param_groups]
        self._moving = [False] * len(owner.param_groups)
        self._learned = True

    # Loops in C: they look at every parameter and every state in every step. What is compared by
    # identity is not taken together in a list first, which would be twice as slow.
    def _locals(self) -> list[torch.Tensor]:
        """What of every live parameter lies here."""
        return list(map(plain, self._live)) if self._wrapped else self._live

    def _entries(self) -> Iterable[Any]:
        """Every entry of the state and every value in it, whose identities tell changes."""
        entries: Any = self._owner.state.values()
        if self._odd:
            own = self._own()
            return chain(chain.from_iterable([entry, *values] for entry, values in own), (END,))
        return chain(entries, chain.from_iterable(map(dict.values, entries)), (END,))

    def _lie(self) -> bool:
        """Whether parameters and state lie in the memory where they lay."""
        locals_, strides = self._locals(), self._strides
        return (
            list(map(SHAPE, locals_)) == self._shapes
            # Of one shape, contiguous tensors have one order; asking takes half the time.
            and (
                all(map(CONTIGUOUS, locals_))
                if strides is None
                else list(map(STRIDE, locals_)) == strides
            )
            and list(map(POINTER, self._placed)) == self._places
            # Those of DTensors are found anew each time.
            and (not self._wrapped or list(map(POINTER, locals_)) == self._apart)
        )

    def _held(self) -> bool:
        """Whether the state holds the objects that it held."""
        try:
            return all(map(is_, self._entries(), self._kept))
        except TypeError:
            # Somebody keeps a value there that is no dict.
            return False

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
            or not all(map(is_, chain.from_iterable(groups), self._params))
            or not self._held()
            or not self._lie()
            or (self._waiting and any(p.grad is not None for p in self._waiting))
        ):
            return None
        return list(map(GRADIENT, self._live))

    def changed(self) -> list[int]:
        """The groups that are not as they were seen; TypeError for one that lost a setting."""
        readers, found = self._readers, []
        for k, group in enumerate(self._owner.param_groups):
            try:
                values = readers[k](group)
            except KeyError as error:
                raise TypeError(f"param group {k} lost its {error}; set it again.") from None
            if (
                self._moving[k]
                or len(group) != self._lengths[k]
                or group.get("state") is not self._storage[k]
                or group.get("rule") is not self._rules[k]
                or not _same(values, self._seen[k])
            ):
                found.append(k)
        return found

    def stored_otherwise(self) -> bool:
        """Whether a group asks for another storage of its state."""
        groups = self._owner.param_groups
        return [id(group.get("state")) for group in groups] != list(map(id, self._storage))

    def saw(self, k: int) -> None:
        """Remember the settings of a group as they are."""
        group = self._owner.param_groups[k]
        values = self._readers[k](group)
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
