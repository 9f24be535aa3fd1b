"""Saved or live state of one tensor goes into the engine's arrays.

Taken as it is where everything that identifies memory is the same: dtype, shape, and, of codes, the
order in which their blocks lie. Anything else is read as numbers and written in the format and the
order wanted here.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch

from adamas.codecs import Codec, stored
from adamas.engine import codes
from adamas.engine.grid import Order
from adamas.engine.mapped import assignments, passing
from adamas.engine.orders import order_of
from adamas.engine.stepper import Stepper
from adamas.engine.tensors import Array
from adamas.engine.threads import Action
from adamas.kernel.kinds import kinds
from adamas.kernel.layout import MEMORY_ORDER, SCALE, columns
from adamas.torch.states import COUNTERS, Entry, Names, counted, steps_of
from adamas.torch.views import array, same_layout, saved_array, tensor_of


class Filling:
    """Puts `entry`, state of tensor k of `stepper`, into the arrays that were made for it.

    Live state (`share`) stays in its own memory where that serves as it is. `parameter` is the
    tensor itself, not a DTensor.
    """

    def __init__(
        self,
        stepper: Stepper,
        k: int,
        names: Names,
        parameter: torch.Tensor,
        entry: Entry,
        share: bool,
    ) -> None:
        self._store, self._tensor = stepper.store, stepper.tensors[k]
        self._formula, self._k, self._names = stepper.store.formulas[k], k, names
        self._parameter, self._entry, self._share = parameter, entry, share
        self._arrays = self._store.arrays[k]
        self._used = set(COUNTERS)
        self._kept: dict[str, torch.Tensor] = {}
        if parameter.is_complex() and self._store.rounds(k):
            raise ValueError(
                f"{self._tensor.key} is complex, and state in few bits is for real numbers; "
                "choose state='float32' for it."
            )

    def take(self) -> dict[str, torch.Tensor]:
        """The tensors whose memory the engine uses from now on, by the names of its arrays.

        Raises ValueError or TypeError that names what the entry lacks, has too much, or cannot be.
        """
        entry, scalars = self._entry, self._formula.numbers
        begun = steps_of(entry) > 0
        if lost := [name for name in scalars if begun and name not in entry]:
            raise ValueError(f"the saved state lacks {lost[0]!r}; it has {self._listed}.")
        for name, codec in self._store.codecs[self._k].items():
            held = [c.name for c in columns(name, codec) if c.name in self._arrays]
            keys = [self._names.of(column, self._arrays) for column in held]
            if not held or self._as_it_is(codec, held, keys):
                continue
            value = self._numbers(name, begun)
            if value is not None:
                self._convert(name, value)
            elif begun and name != "p":
                raise ValueError(f"the saved state lacks {keys[0]!r}; it has {self._listed}.")
        for name in (*self._formula.rows, *self._formula.columns):
            self._alone(name, begun)
        self._used.update(scalars)
        if extra := {key for key, value in entry.items() if value is not None} - self._used:
            raise ValueError(
                f"the saved state has {sorted(map(str, extra))}, which this optimizer does not "
                "keep."
            )
        return self._kept

    @property
    def _listed(self) -> str:
        return ", ".join(map(str, self._entry))

    @cached_property
    def _order(self) -> Order:
        """The memory order in which the codes of the entry lie."""
        found: dict[str, Any] = {}
        for name in self._formula.states:
            if name + SCALE in self._entry:
                found[name] = self._read(name)
        if MEMORY_ORDER in self._entry:
            given = self._entry[MEMORY_ORDER]
            found[MEMORY_ORDER] = counted(f"the saved {MEMORY_ORDER!r}", given)
        return order_of(found, self._formula.states, self._tensor.lay)

    def _read(self, key: str) -> Array:
        value = self._entry.get(key)
        if value is None:
            raise ValueError(f"the saved state lacks {key!r}; it has {self._listed}.")
        return saved_array(value, f"the saved {key!r}")

    def _as_it_is(self, codec: Codec, held: list[str], keys: list[str]) -> bool:
        """Take arrays that are in the format wanted here, bit for bit; False if they are not."""
        given = self._given(codec, held, keys)
        if given is None:
            return False
        for name, key in zip(held, keys, strict=True):
            here, new, value = self._arrays[name], given[name], self._entry[key]
            if self._share and same_layout(new, here) and _lies_in(new, value):
                self._arrays[name], self._kept[name] = new, value
            else:
                for action in assignments(here, new):
                    action()
        return True

    def _given(self, codec: Codec, held: list[str], keys: list[str]) -> dict[str, Array] | None:
        """The saved arrays of a state in the format wanted here; None if they are in another."""
        given = {}
        for name, key in zip(held, keys, strict=True):
            value = self._entry.get(key)
            if not isinstance(value, torch.Tensor):
                return None
            tensor = tensor_of(self._arrays[name], self._parameter)
            if value.dtype != tensor.dtype or value.shape != tensor.shape:
                return None
            given[name] = self._read(key)
        if codec.low and not self._order.same(self._tensor.lay):
            return None
        self._used.update(keys)
        return given

    def out_of_a_file(self) -> list[Action] | None:
        """What puts the entry, arrays of a file, into the arrays that are there.

        None unless it has all of them, each as it is kept here, and nothing else.
        """
        found: dict[str, Array] = {}
        for name, codec in self._store.codecs[self._k].items():
            held = [c.name for c in columns(name, codec) if c.name in self._arrays]
            keys = [self._names.of(column, self._arrays) for column in held]
            given = self._given(codec, held, keys)
            if given is None:
                return None
            found |= given
        for name in (*self._formula.rows, *self._formula.columns):
            value, here = self._entry.get(name), self._arrays[name]
            if not isinstance(value, torch.Tensor) or value.shape != here.shape:
                return None
            found[name] = self._read(name)
            self._used.add(name)
        self._used.update(self._formula.numbers)
        alike = all(one.dtype == self._arrays[name].dtype for name, one in found.items())
        filed = all(passing(one) for one in found.values())
        whole = {key for key, value in self._entry.items() if value is not None} <= self._used
        if not (alike and filed and whole):
            return None
        every = found.items()
        return [one for name, new in every for one in assignments(self._arrays[name], new)]

    def _alone(self, name: str, begun: bool) -> None:
        """Take the state of rows or of columns, which are kept in full."""
        value, here = self._entry.get(name), self._arrays[name]
        if value is None:
            if begun:
                raise ValueError(f"the saved state lacks {name!r}; it has {self._listed}.")
            return
        self._used.add(name)
        new = saved_array(value, f"the saved {name!r}", wide=True)
        if new.shape != here.shape or not value.is_floating_point():
            raise ValueError(
                f"the saved {name!r} has shape {tuple(value.shape)} and {value.dtype}; of this "
                f"parameter it is {here.dtype} of shape {here.shape}."
            )
        same = new.dtype == here.dtype and same_layout(new, here)
        if self._share and same and _lies_in(new, value):
            self._arrays[name], self._kept[name] = new, value
        else:
            here[...] = new

    def _numbers(self, name: str, begun: bool) -> Array | None:
        """The numbers of a state in whatever format they come, in the parameter's shape."""
        for key in (self._names.torch.get(name, name), name):
            value = self._entry.get(key)
            if isinstance(value, torch.Tensor) and (
                value.is_floating_point() or value.is_complex()
            ):
                self._used.add(key)
                return self._floats(key, value)
        if name + SCALE in self._entry:
            self._used |= {name, name + SCALE}
            return self._decoded(name)
        if begun and name == "average":
            # A run that takes up averaging starts from where it stands.
            return array(self._parameter.detach().to(torch.float32))
        return None

    def _floats(self, key: str, value: torch.Tensor) -> Array:
        parameter = self._parameter
        if value.shape != parameter.shape or value.is_complex() != parameter.is_complex():
            raise ValueError(
                f"the saved {key!r} has shape {tuple(value.shape)} and {value.dtype}, the "
                f"parameter {tuple(parameter.shape)} and {parameter.dtype}."
            )
        return saved_array(value, f"the saved {key!r}", wide=True)

    def _decoded(self, name: str) -> Array:
        given = {key: self._read(key) for key in (name, name + SCALE)}
        codec = self._codec(name, given[name])
        for key, shape in codes.shapes(codec, name, self._order).items():
            if given[key].shape != shape:
                raise ValueError(
                    f"the saved {key!r} has shape {given[key].shape}, not {shape}: it is of "
                    "another tensor."
                )
        return codes.decoded(codec, given, name, self._order)

    def _codec(self, name: str, given: Array) -> Codec:
        """The few-bit codec of saved codes: they have the parameter's shape, or half its size."""
        sign = kinds(self._formula)[name].sign
        codec = stored("int8" if given.shape == self._tensor.given.shape else "int4", sign)
        if given.dtype != np.dtype(codec.dtype):
            raise ValueError(f"the saved {name!r} has {given.dtype} codes, not {codec.dtype}.")
        return codec

    def _convert(self, name: str, value: Array) -> None:
        self._store.fill(self._k, name, self._arrays, self._tensor.lay.dense(value).ravel())


def _lies_in(given: Array, tensor: torch.Tensor) -> bool:
    """Whether an array lies where a tensor does, and was not copied from it."""
    return given.ctypes.data == tensor.data_ptr() and not tensor.requires_grad


def decoded(stepper: Stepper, k: int, parameter: torch.Tensor) -> Mapping[str, torch.Tensor]:
    """The states of tensor k as numbers under the rule's names: copies."""
    values = stepper.values(k)
    # `ascontiguousarray` would give a single number an axis.
    dense = {name: np.asarray(one, order="C") for name, one in values.items()}
    return {name: tensor_of(one, parameter) for name, one in dense.items()}
