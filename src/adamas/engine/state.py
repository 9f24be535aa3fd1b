"""The optimizer's state: named arrays per tensor, in memory and as a plain dict.

Every array has exactly the dtype that was asked for, and the shape of its parameter, but for codes
of four bits and the scales of blocks, which are flat. Loading checks everything before it changes
anything.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adamas.engine import codes
from adamas.engine.batch import Numbers
from adamas.engine.settings import Settings
from adamas.engine.storage import Spec, Storage
from adamas.engine.tensors import Array, Key, Tensor
from adamas.kernel.formula import Formula
from adamas.kernel.layout import columns

FORMAT = 1
# Kernels compute with the step as a float64, which counts so far.
MOST_STEPS = 1 << 53


class NonFiniteError(FloatingPointError):
    """A gradient holds NaN or infinity; nothing was changed. `key` names the parameter."""

    def __init__(self, key: Key, message: str) -> None:
        super().__init__(message)
        self.key = key


class Store:
    """The state arrays of one optimizer; `arrays[k]` belongs to tensor k, `codecs[k]` decodes it.

    Raises what `Storage` raises.
    """

    def __init__(
        self,
        formula: Formula,
        tensors: Sequence[Tensor],
        numbers: Numbers,
        state: Spec,
        master: int | None,
    ) -> None:
        self._formula, self._tensors, self._numbers = formula, tensors, numbers
        storage = Storage(formula, state, master)
        self.formats = [storage.formats(tensor) for tensor in tensors]
        self.codecs = [
            storage.codecs(tensor, formats)
            for tensor, formats in zip(tensors, self.formats, strict=True)
        ]
        self.arrays = [self._made(tensor, k) for k, tensor in enumerate(tensors)]

    def _made(self, tensor: Tensor, index: int) -> dict[str, Array]:
        made: dict[str, Array] = {}
        for name, codec in self.codecs[index].items():
            for column in columns(name, codec):
                if column.name != "p":
                    array = codes.empty(codec, column, tensor.grid)
                    made[column.name] = tensor.state_like(column.dtype) if array is None else array
            if initial := self._formula.initial.get(name):
                self._fill(index, name, made, np.full(tensor.work.size, initial), made)
        return made

    def _fill(
        self, index: int, name: str, into: dict[str, Array], values: Array, like: dict[str, Array]
    ) -> None:
        """Encode flat `values`, in memory order, into the arrays of state `name`."""
        codec, tensor = self.codecs[index][name], self._tensors[index]
        if codec.encode is None:
            into[name][...] = tensor.turned(values)
            return
        for column, flat in codes.encode(codec, name, values, tensor.grid).items():
            shaped = like[column].shape == tensor.given.shape
            into[column][...] = tensor.turned(flat) if shaped else flat

    def values(self, index: int, name: str) -> Array:
        """The numbers of state `name` as an array in the parameter's shape, decoded if need be."""
        codec, tensor = self.codecs[index][name], self._tensors[index]
        arrays = self.arrays[index]
        if codec.decode is None:
            return arrays[name].copy("K")
        flat = {
            key: tensor.dense(array).ravel() if array.shape == tensor.given.shape else array
            for key, array in arrays.items()
        }
        return tensor.turned(codes.decode(codec, flat, name, tensor.grid))

    def view(self) -> dict[Key, dict[str, Any]]:
        """Each tensor's live arrays, scalar states and step count."""
        return {
            tensor.key: {
                **self.arrays[k],
                **dict(zip(self._formula.scalars, self._numbers.scalars[k].tolist(), strict=True)),
                "step": int(self._numbers.steps[k]),
                **({"rounding": int(self._numbers.keys[k])} if self.rounds(k) else {}),
            }
            for k, tensor in enumerate(self._tensors)
        }

    def rounds(self, index: int) -> bool:
        """Whether a tensor has anything that is rounded at random; then its key is state too."""
        return any(codec.encode for codec in self.codecs[index].values())

    def copy(self) -> dict[Key, dict[str, Any]]:
        """The same with arrays of its own."""
        return {
            key: {
                name: value.copy("K") if isinstance(value, np.ndarray) else value
                for name, value in entry.items()
            }
            for key, entry in self.view().items()
        }

    def fitting(
        self, saved: Mapping[Key, Mapping[str, Any]], strict: bool
    ) -> dict[int, Mapping[str, Any]]:
        """The saved entry of each tensor index; raises an error that names what does not fit."""
        live = self.view()
        if strict and saved.keys() != live.keys():
            wrong = sorted(live.keys() ^ saved.keys(), key=str)
            raise ValueError(f"saved state and parameters differ in {wrong}; or use strict=False.")
        entries = {}
        for k, (key, entry) in enumerate(live.items()):
            if key in saved:
                _fits(key, entry, saved[key])
                entries[k] = saved[key]
        return entries

    def take(self, entries: Mapping[int, Mapping[str, Any]]) -> None:
        """Take over entries that `fitting` has passed."""
        for k, entry in entries.items():
            for name, array in self.arrays[k].items():
                np.copyto(array, entry[name])
            self._numbers.scalars[k] = [float(entry[name]) for name in self._formula.scalars]
            self._numbers.steps[k] = int(entry["step"])
            if "rounding" in entry:
                self._numbers.keys[k] = int(entry["rounding"])


def _fits(key: Key, live: Mapping[str, Any], saved: Mapping[str, Any]) -> None:
    if live.keys() != saved.keys():
        wrong = sorted(live.keys() ^ saved.keys())
        raise ValueError(f"saved state of {key!r} differs from this rule's in {wrong}.")
    for name, value in live.items():
        other = np.asarray(saved[name])
        if name in ("step", "rounding"):
            count(f"saved {name} of {key!r}", saved[name])
        elif not isinstance(value, np.ndarray):
            if other.ndim or other.dtype.kind not in "fiu":
                raise TypeError(f"saved {name} of {key!r} must be a number, not {saved[name]!r}.")
        elif (other.shape, other.dtype) != (value.shape, value.dtype):
            raise ValueError(
                f"saved {name} of {key!r} is {other.dtype}{list(other.shape)}, "
                f"here it is {value.dtype}{list(value.shape)}."
            )


def count(what: str, value: Any) -> int:
    """`value` as a number of steps; raises TypeError or ValueError naming it."""
    array = np.asarray(value)
    if array.ndim or array.dtype.kind not in "iu":
        raise TypeError(f"{what} must be a whole number, not {value!r}.")
    if not 0 <= value < MOST_STEPS:
        raise ValueError(f"{what} is {value!r}, and must be at least 0 and below 2**53.")
    return int(value)


def unpacked(saved: Mapping[str, Any], rule: str) -> tuple[int, Sequence[Mapping[str, Any]]]:
    """The step count and the param groups of a saved dict of `rule`, whose outside is checked."""
    if not isinstance(saved, Mapping):
        raise TypeError(f"a state dict is a dict, not {type(saved).__name__}.")
    if saved.get("format") != FORMAT or saved.get("rule") != rule:
        raise ValueError(
            f"this is the state of rule {saved.get('rule')!r} (format {saved.get('format')!r})"
            f", not of {rule!r} (format {FORMAT})."
        )
    if lost := [name for name in ("steps", "state", "param_groups") if name not in saved]:
        raise ValueError(f"the state dict lacks {lost[0]!r}.")
    return count("steps", saved["steps"]), saved["param_groups"]


def paired(
    groups: Sequence[Mapping[str, Any]], saved: Sequence[Mapping[str, Any]], strict: bool
) -> list[Mapping[str, Any] | None]:
    """For each group the saved one with its parameters, in whatever order the groups come.

    If not `strict`, the saved one that has any of them, or None.
    """
    pairs: list[Mapping[str, Any] | None] = []
    for group in groups:
        names = set(group["names"])
        same = [old for old in saved if names == set(old.get("params", ()))]
        if not same and not strict:
            same = [old for old in saved if names & set(old.get("params", ()))]
        if strict and not same:
            raise ValueError(f"no saved param group holds {group['names']}; or use strict=False.")
        pairs.append(same[0] if same else None)
    return pairs


def describe(value: Any) -> float | str:
    """A hyper-parameter as a plain dict can hold it: a number, or the text of a schedule."""
    if not callable(value):
        return float(value)
    return getattr(value, "__qualname__", None) or repr(value)


def described(settings: Settings, group: Mapping[str, Any]) -> dict[str, Any]:
    """A param group as a plain dict can hold it: names and hyper-parameters."""
    hypers = {name: describe(group[name]) for name in settings.names}
    return {"params": list(group["names"]), **hypers}


def merged(
    settings: Settings, group: Mapping[str, Any], saved: Mapping[str, Any]
) -> dict[str, float]:
    """The hyper-parameters that `group` takes from `saved`; schedules must be the same ones."""
    taken: dict[str, float] = {}
    for name in settings.names:
        if name not in saved:
            raise ValueError(f"saved param group lacks {name!r}.")
        live, value = group[name], saved[name]
        if callable(live) or isinstance(value, str):
            if describe(live) != value:
                raise ValueError(
                    f"saved {name} is {value!r}, this optimizer has {describe(live)!r}; "
                    f"make the optimizer with the same {name} before loading."
                )
        else:
            taken[name] = settings.number(name, value)
    return taken
