"""The optimizer's state: named arrays per tensor, in memory and as a plain dict.

Every array has the shape of its parameter and exactly the dtype that was asked for. Loading checks
everything before it changes anything.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adamas.codecs import find
from adamas.engine.batch import Numbers
from adamas.engine.settings import Settings
from adamas.engine.tensors import Key, Tensor
from adamas.kernel.formula import Formula

FORMAT = 1


class NonFiniteError(FloatingPointError):
    """A gradient holds NaN or infinity; nothing was changed. `key` names the parameter."""

    def __init__(self, key: Key, message: str) -> None:
        super().__init__(message)
        self.key = key


class Store:
    """The state arrays of one optimizer; `arrays[k][name]` belongs to tensor k.

    `kind` is a storage format for all states, or a mapping from state names to formats. Raises
    ValueError naming a format or a state that does not exist.
    """

    def __init__(
        self,
        formula: Formula,
        tensors: Sequence[Tensor],
        numbers: Numbers,
        kind: str | Mapping[str, str],
    ) -> None:
        self._formula, self._tensors, self._numbers = formula, tensors, numbers
        if not isinstance(kind, str | Mapping):
            raise TypeError(f"state={kind!r} must be a format, such as 'float32', or a dict.")
        chosen = {} if isinstance(kind, str) else dict(kind)
        if unknown := set(chosen) - set(formula.states):
            raise ValueError(
                f"state={kind!r}: {formula.name} has no state {min(unknown)!r}; "
                f"it has {', '.join(formula.states) or 'none'}."
            )
        general = find(kind if isinstance(kind, str) else "float32").dtype
        self.arrays = [
            {
                name: tensor.state_like(
                    find(chosen[name]).dtype
                    if name in chosen
                    # float64 parameters keep float64 state.
                    else max(general, tensor.given.dtype.name)
                )
                for name in formula.states
            }
            for tensor in tensors
        ]
        for arrays in self.arrays:
            for name, array in arrays.items():
                if formula.initial[name]:
                    array.fill(formula.initial[name])

    def view(self) -> dict[Key, dict[str, Any]]:
        """Each tensor's live arrays, scalar states and step count."""
        return {
            tensor.key: {
                **self.arrays[k],
                **dict(zip(self._formula.scalars, self._numbers.scalars[k].tolist(), strict=True)),
                "step": int(self._numbers.steps[k]),
            }
            for k, tensor in enumerate(self._tensors)
        }

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


def _fits(key: Key, live: Mapping[str, Any], saved: Mapping[str, Any]) -> None:
    if live.keys() != saved.keys():
        wrong = sorted(live.keys() ^ saved.keys())
        raise ValueError(f"saved state of {key!r} differs from this rule's in {wrong}.")
    for name, value in live.items():
        other = np.asarray(saved[name])
        if name == "step":
            count(f"saved step of {key!r}", saved[name])
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
    if value < 0:
        raise ValueError(f"{what} is {value!r}, and must be at least 0.")
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
