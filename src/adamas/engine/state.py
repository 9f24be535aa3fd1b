"""The optimizer's state: named arrays per tensor, in memory and as a plain dict.

Every array has the shape of its parameter and exactly the dtype that was asked for. Loading checks
everything before it changes anything.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adamas.codecs import find
from adamas.engine.batch import Numbers
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

    def load(self, saved: Mapping[Key, Mapping[str, Any]], strict: bool) -> None:
        """Take over `saved`, all of it or, after an error that names what does not fit, nothing."""
        keys = {tensor.key for tensor in self._tensors}
        if strict and saved.keys() != keys:
            wrong = sorted(keys ^ saved.keys(), key=str)
            raise ValueError(f"saved state and parameters differ in {wrong}; or use strict=False.")
        live = self.view()
        common = [key for key in live if key in saved]
        for key in common:
            _fits(key, live[key], saved[key])
        for k, tensor in enumerate(self._tensors):
            if tensor.key not in saved:
                continue
            entry = saved[tensor.key]
            for name, array in self.arrays[k].items():
                np.copyto(array, entry[name])
            self._numbers.scalars[k] = [float(entry[name]) for name in self._formula.scalars]
            self._numbers.steps[k] = entry["step"]


def _fits(key: Key, live: Mapping[str, Any], saved: Mapping[str, Any]) -> None:
    if live.keys() != saved.keys():
        wrong = sorted(live.keys() ^ saved.keys())
        raise ValueError(f"saved state of {key!r} differs from this rule's in {wrong}.")
    for name, value in live.items():
        if not isinstance(value, np.ndarray):
            if not np.isscalar(saved[name]):
                raise TypeError(f"saved {name} of {key!r} must be a number, not {saved[name]!r}.")
            continue
        other = np.asarray(saved[name])
        if (other.shape, other.dtype) != (value.shape, value.dtype):
            raise ValueError(
                f"saved {name} of {key!r} is {other.dtype}{list(other.shape)}, "
                f"here it is {value.dtype}{list(value.shape)}."
            )


def describe(value: Any) -> float | str:
    """A hyper-parameter as a plain dict can hold it: a number, or the text of a schedule."""
    if not callable(value):
        return float(value)
    return getattr(value, "__qualname__", None) or repr(value)


def merged(
    names: Sequence[str], group: Mapping[str, Any], saved: Mapping[str, Any]
) -> dict[str, Any]:
    """The hyper-parameters that `group` takes from `saved`; schedules must be the same ones."""
    taken: dict[str, Any] = {}
    for name in names:
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
            taken[name] = value
    return taken
