"""The optimizer's state: named arrays per tensor, in memory and as a plain dict.

Every array has exactly the dtype that was asked for, and the shape of its parameter, but for codes
of four bits and the scales of blocks, which are flat, in the memory order that stands beside them.
Loading checks everything before it changes anything.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adamas.engine import codes
from adamas.engine.batch import Numbers
from adamas.engine.first import FirstSteps, check
from adamas.engine.grid import Order
from adamas.engine.orders import order_of, ordered
from adamas.engine.settings import Settings
from adamas.engine.starts import fill_rows, numbers_of, starting
from adamas.engine.storage import Spec, Storage
from adamas.engine.tensors import Array, Key, Tensor
from adamas.kernel.formula import Formula
from adamas.kernel.layout import MEMORY_ORDER, columns

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
        first: FirstSteps,
        state: Spec,
        master: int | None,
    ) -> None:
        self._formula, self._tensors, self._numbers = formula, tensors, numbers
        self.first = first
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
                self.fill(index, name, made, np.full(tensor.work.size, initial))
        return made

    def fill(self, index: int, name: str, into: dict[str, Array], values: Array) -> None:
        """Encode flat `values`, in memory order, into the arrays of state `name`."""
        codec, tensor = self.codecs[index][name], self._tensors[index]
        if codec.encode is None:
            into[name][...] = tensor.lay.turned(values)
            return
        encoded = codes.encode(codec, name, values, tensor.grid)
        for column in columns(name, codec):
            flat = encoded[column.name]
            into[column.name][...] = flat if column.flat else tensor.lay.turned(flat)

    def values(self, index: int, name: str) -> Array:
        """The numbers of state `name` as an array in the parameter's shape, decoded if need be."""
        codec, arrays = self.codecs[index][name], self.arrays[index]
        self.show(index)
        if codec.decode is None:
            return arrays[name].copy("K")
        return codes.numbers(codec, arrays, name, self._tensors[index].lay)

    def show(self, index: int) -> None:
        """Let what was never stepped read as what its first step begins from."""
        tensor, starts = self._tensors[index], self._formula.starts
        rows = len(tensor.given) if tensor.given.ndim else 1
        chosen = self.first.unstepped(index, rows) if starts else None
        if chosen is None:
            return
        arrays, codecs = self.arrays[index], self.codecs[index]
        p = numbers_of(tensor, codecs["p"], arrays)
        names, group = self._formula.hypers, self._numbers.groups[index]
        hypers = dict(zip(names, self._numbers.hypers[group].tolist(), strict=True))
        for name, start in starts.items():
            values = starting(start, p, hypers)
            if chosen.all():
                self.fill(index, name, arrays, values)
            else:
                fill_rows(codecs[name], name, tensor, arrays, chosen, values)

    def view(self) -> dict[Key, dict[str, Any]]:
        """Each tensor's live arrays, scalar states and step count; which rows were stepped if some.

        What was never stepped reads as what its first step begins from.
        """
        for k in range(len(self._tensors)):
            self.show(k)
        stepped = self.first.stepped
        return {
            tensor.key: {
                **self.arrays[k],
                **dict(zip(self._formula.scalars, self._numbers.scalars[k].tolist(), strict=True)),
                "step": int(self._numbers.steps[k]),
                **({"rounding": int(self._numbers.keys[k])} if self.rounds(k) else {}),
                **self._axes(k),
                **({"stepped": stepped[k]} if k in stepped else {}),
            }
            for k, tensor in enumerate(self._tensors)
        }

    def _axes(self, index: int) -> dict[str, int]:
        """The memory order, where what is kept means nothing without it."""
        tensor = self._tensors[index]
        known = ordered(tensor, self.codecs[index])
        return {MEMORY_ORDER: tensor.lay.number} if known else {}

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
                shapes = self._shapes(k, self._order(k, saved[key]))
                own = {"stepped"} if self.first.asked else set()
                _fits(key, _without(entry, own), _without(saved[key], own), shapes)
                check(saved[key].get("stepped"), self._tensors[k])
                entries[k] = saved[key]
        return entries

    def _order(self, index: int, entry: Mapping[str, Any]) -> Order:
        """The memory order of a saved entry of tensor `index`."""
        lay = self._tensors[index].lay
        known = ordered(self._tensors[index], self.codecs[index])
        return order_of(entry, self._formula.states, lay) if known else lay

    def _shapes(self, index: int, order: Order) -> dict[str, tuple[int, ...]]:
        """The shapes of the arrays of tensor `index`, were its memory in this order."""
        every = self.codecs[index].items()
        return {k: v for name, codec in every for k, v in codes.shapes(codec, name, order).items()}

    def take(self, entries: Mapping[int, Mapping[str, Any]]) -> None:
        """Take over entries that `fitting` has passed."""
        for k, entry in entries.items():
            self._copy_in(k, entry, self._order(k, entry))
            self._numbers.scalars[k] = [float(entry[name]) for name in self._formula.scalars]
            self._numbers.steps[k] = int(entry["step"])
            if "rounding" in entry:
                self._numbers.keys[k] = int(entry["rounding"])
            self.first.put(k, entry.get("stepped"))

    def _copy_in(self, index: int, entry: Mapping[str, Any], order: Order) -> None:
        """Copy arrays in `order`; codes in blocks of another order are decoded and encoded anew."""
        arrays, tensor = self.arrays[index], self._tensors[index]
        same = order.same(tensor.lay)
        for name, codec in self.codecs[index].items():
            held = [c.name for c in columns(name, codec) if c.name in arrays]
            if codec.low and not same:
                numbers = codes.numbers(codec, {key: entry[key] for key in held}, name, order)
                self.fill(index, name, arrays, tensor.lay.dense(numbers).ravel())
                continue
            for key in held:
                np.copyto(arrays[key], entry[key])


def _without(entry: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in names}


def _fits(
    key: Key,
    live: Mapping[str, Any],
    saved: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    if wrong := sorted((live.keys() ^ saved.keys()) - {MEMORY_ORDER}):
        raise ValueError(f"saved state of {key!r} differs from this rule's in {wrong}.")
    for name, value in live.items():
        if name == MEMORY_ORDER:
            continue
        other = np.asarray(saved[name])
        if name in ("step", "rounding"):
            count(f"saved {name} of {key!r}", saved[name])
        elif not isinstance(value, np.ndarray):
            if other.ndim or other.dtype.kind not in "fiu":
                raise TypeError(f"saved {name} of {key!r} must be a number, not {saved[name]!r}.")
        elif (other.shape, other.dtype) != (shapes[name], value.dtype):
            raise ValueError(
                f"saved {name} of {key!r} is {other.dtype}{list(other.shape)}, "
                f"here it is {value.dtype}{list(shapes[name])}."
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
