"""State under the names that torch gives it, and its way between storage formats.

A moment kept in one array of floats is called what `torch.optim` calls it (`exp_avg`), so that both
read each other's state. Codes mean nothing without their scales, and `torch.optim` would take them
for numbers: a state in few bits keeps the rule's own name.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from adamas.codecs import FORMATS, Codec, stored
from adamas.engine import codes
from adamas.engine.optimizer import Optimizer
from adamas.engine.state import MOST_STEPS
from adamas.engine.tensors import Array
from adamas.kernel.kinds import kinds
from adamas.kernel.layout import SCALE, columns
from adamas.torch.homes import Home, moments
from adamas.torch.views import array, same_layout, tensor_of

Entry = Mapping[str, Any]


# What an entry of `optimizer.state` holds besides the states of a rule.
COUNTERS = frozenset({"step", "rounding", "stepped", "memory_order", "p.rest"})


class Names:
    """How the states of one rule are called in `optimizer.state[p]`.

    `states` are those of its elements, `scalars` the numbers that a tensor has once.
    """

    def __init__(
        self, home: Home, rule: str, states: tuple[str, ...], scalars: tuple[str, ...] = ()
    ) -> None:
        known = moments(home, rule)
        self.torch = {state: known.get(state, state) for state in states}
        self._always = COUNTERS.union(scalars, self.torch.values())
        # Under the rule's own name, where codes need their scales beside them.
        self._coded = {key: s for s in states for key in (s, s + SCALE)}

    def foreign(self, entry: Entry) -> dict[str, Any]:
        """What somebody else keeps in an entry of `optimizer.state`."""
        return {key: value for key, value in entry.items() if not self._own(key, entry)}

    def lacking(self, entry: Entry) -> str | None:
        """A state of the rule that an entry does not have."""
        for state, known in self.torch.items():
            if known not in entry and not (state in entry and state + SCALE in entry):
                return known
        return None

    def _own(self, key: str, entry: Entry) -> bool:
        if key in self._always:
            return True
        state = self._coded.get(key)
        return state is not None and (self.torch[state] == state or self.torch[state] not in entry)

    def of(self, name: str, arrays: Mapping[str, Array]) -> str:
        """The key of the engine's array `name`; `arrays` are all of the same tensor."""
        state = name.partition(".")[0]
        coded = any(other.startswith(f"{state}.") for other in arrays)
        return name if coded else self.torch.get(state, name)


def counted(what: str, value: float) -> int:
    """`value` as a number of steps; raises ValueError that names it."""
    if not 0 <= value < MOST_STEPS:
        raise ValueError(f"{what} is {value}; it must be at least 0 and below 2**53.")
    return int(value)


def steps_of(entry: Entry) -> int:
    """The step count of a saved entry; torch's SGD keeps none, and then a state counts as one.

    Raises ValueError for a number that counts no steps.
    """
    if "step" in entry:
        step = entry["step"]
        return counted("a saved step", step.item() if isinstance(step, torch.Tensor) else step)
    return int(any(isinstance(value, torch.Tensor) for value in entry.values()))


class Filling:
    """Puts saved or live state of one tensor into the engine's arrays."""

    def __init__(
        self, engine: Optimizer, k: int, names: Names, parameter: torch.Tensor, share: bool
    ) -> None:
        self._store, self._tensor = engine._store, engine._tensors[k]
        self._engine, self._k, self._names = engine, k, names
        self._parameter, self._share = parameter, share
        self._arrays = self._store.arrays[k]
        self._used = {"step", "rounding", "stepped"}
        if parameter.is_complex() and self._store.rounds(k):
            raise ValueError(
                f"{self._tensor.key} is complex, and state in few bits is for real numbers; "
                "choose state='float32' for it."
            )

    def take(self, entry: Entry) -> None:
        """Take over `entry`; raises ValueError that names what it lacks or has too much."""
        scalars = self._engine.formula.scalars
        begun = steps_of(entry) > 0
        if lost := [name for name in scalars if begun and name not in entry]:
            raise ValueError(f"the saved state lacks {lost[0]!r}; it has {_listed(entry)}.")
        for name, codec in self._store.codecs[self._k].items():
            held = [c.name for c in columns(name, codec) if c.name in self._arrays]
            keys = [self._names.of(column, self._arrays) for column in held]
            if not held or self._as_it_is(entry, held, keys):
                continue
            value = self._numbers(entry, name, begun)
            if value is not None:
                self._convert(name, value)
            elif begun and name != "p":
                raise ValueError(f"the saved state lacks {keys[0]!r}; it has {_listed(entry)}.")
        self._used |= {*scalars, "p.rest"}
        if extra := {key for key, value in entry.items() if value is not None} - self._used:
            raise ValueError(
                f"the saved state has {sorted(extra)}, which this optimizer does not keep."
            )

    def _as_it_is(self, entry: Entry, held: list[str], keys: list[str]) -> bool:
        """Take arrays that are in the format wanted here, bit for bit; False if they are not."""
        given = {}
        for name, key in zip(held, keys, strict=True):
            here, value = self._arrays[name], entry.get(key)
            if not isinstance(value, torch.Tensor):
                return False
            tensor = tensor_of(here, self._parameter)
            if value.dtype != tensor.dtype or value.shape != tensor.shape:
                return False
            given[name] = array(value.cpu())
        for name, key in zip(held, keys, strict=True):
            self._used.add(key)
            here, new = self._arrays[name], given[name]
            if self._share and same_layout(new, here):
                self._arrays[name] = new
            else:
                here[...] = new
        return True

    def _numbers(self, entry: Entry, name: str, begun: bool) -> Array | None:
        """The numbers of a state in whatever format they come, in the parameter's shape."""
        for key in (self._names.torch.get(name, name), name):
            value = entry.get(key)
            if isinstance(value, torch.Tensor) and (
                value.is_floating_point() or value.is_complex()
            ):
                self._used.add(key)
                if value.shape != self._parameter.shape:
                    raise ValueError(
                        f"the saved {key!r} has shape {tuple(value.shape)}, the parameter "
                        f"{tuple(self._parameter.shape)}."
                    )
                wide = value.to(torch.float32) if value.dtype.itemsize == 2 else value
                return array(wide.cpu())
        if name + SCALE in entry:
            self._used |= {name, name + SCALE}
            return self._decoded(entry, name)
        if begun and name == "average":
            # A run that takes up averaging starts from where it stands.
            return array(self._parameter.detach().to(torch.float32))
        return None

    def _decoded(self, entry: Entry, name: str) -> Array:
        found = {key: array(entry[key].cpu()) for key in (name, name + SCALE)}
        codec = self._codec(name, found[name])
        if found[name].shape == self._tensor.given.shape:
            found[name] = self._tensor.dense(found[name]).ravel()
        return self._tensor.turned(codes.decode(codec, found, name, self._tensor.grid))

    def _codec(self, name: str, given: Array) -> Codec:
        """The few-bit codec of saved codes: they have the parameter's shape, or half its size."""
        sign = kinds(self._engine.formula)[name].sign
        form = "int8" if given.shape == self._tensor.given.shape else "int4"
        codec = stored(form, sign)
        assert form in FORMATS
        if form == "int4" and given.size != self._tensor.grid.length(columns(name, codec)[0]):
            raise ValueError(
                f"the saved {name!r} has {given.size} bytes of codes for another shape."
            )
        return codec

    def _convert(self, name: str, value: Array) -> None:
        flat = self._tensor.dense(value).ravel()
        self._store.fill(self._k, name, self._arrays, flat)


def _listed(entry: Entry) -> str:
    return ", ".join(map(str, entry))


def decoded(engine: Optimizer, k: int, parameter: torch.Tensor) -> dict[str, torch.Tensor]:
    """The states of tensor k as numbers under the rule's names: copies."""
    values = engine.values(engine._keys[k])
    return {name: tensor_of(np.ascontiguousarray(one), parameter) for name, one in values.items()}
