"""State under the names that torch gives it, and its way between storage formats.

A moment kept in one array of floats is called what `torch.optim` calls it (`exp_avg`), so that both
read each other's state. Codes mean nothing without their scales, and `torch.optim` would take them
for numbers: a state in few bits keeps the rule's own name.
"""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import torch

from adamas.engine.loading import MOST_STEPS
from adamas.engine.tensors import Array
from adamas.homes.signature import Signature
from adamas.homes.torch import moments
from adamas.kernel.formula import Formula
from adamas.kernel.layout import MEMORY_ORDER, REST, SCALE

Entry = Mapping[str, Any]

# The key of the random numbers by which a parameter and its state are rounded.
ROUNDING = "rounding"
# How many steps a parameter had done when a momentum began with a first step of its own.
BEFORE = "steps_before"
# What an entry of `optimizer.state` holds besides the states of a rule.
COUNTERS = frozenset({"step", BEFORE, ROUNDING, "stepped", MEMORY_ORDER, "p" + REST})


class Names:
    """How the states of one rule are called in `optimizer.state[p]`.

    `states` are those of its elements, rows and columns, `scalars` the numbers that a tensor has
    once. Vectors keep some of the states otherwise than matrices, under the same names.
    """

    def __init__(
        self,
        signature: Signature,
        rule: Formula,
        states: tuple[str, ...],
        scalars: tuple[str, ...] = (),
    ) -> None:
        known = moments(signature, rule)
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
        if state is None or self.torch[state] == state:
            return state is not None
        # Numbers under torch's name would be the state; an empty tensor stands for codes.
        numbers = entry.get(self.torch[state])
        return not (isinstance(numbers, torch.Tensor) and numbers.numel())

    def of(self, name: str, arrays: Mapping[str, Array]) -> str:
        """The key of the engine's array `name`; `arrays` are all of the same tensor."""
        state = name.partition(".")[0]
        coded = any(other.startswith(f"{state}.") for other in arrays)
        return name if coded else self.torch.get(state, name)


def counted(what: str, value: Any) -> int:
    """`value` as a number of steps; raises ValueError or TypeError that names it."""
    number = scalar(what, value)
    if not (0 <= number < MOST_STEPS and number % 1 == 0):
        raise ValueError(f"{what} is {number}; it must be whole, at least 0 and below 2**53.")
    return int(number)


def scalar(what: str, value: Any) -> int | float:
    """A saved number; raises TypeError or ValueError for anything but a real number of its own."""
    if isinstance(value, torch.Tensor):
        if value.numel() != 1 or value.is_complex() or value.device.type == "meta":
            raise ValueError(
                f"{what} is a {value.dtype} tensor of shape {tuple(value.shape)} on "
                f"{value.device}, not one real number."
            )
        value = value.item()
    if not isinstance(value, Real):
        raise TypeError(f"{what} is {type(value).__name__}, not a number.")
    if isinstance(value, Integral):
        number = int(value)
        if abs(number) >= 1 << 64:
            raise ValueError(f"{what} has {number.bit_length()} bits; it may have 64.")
        return number
    return float(value)


def steps_of(entry: Entry) -> int:
    """The step count of a saved entry; torch's SGD keeps none, and then a state counts as one.

    Raises ValueError or TypeError for what counts no steps.
    """
    if "step" in entry:
        return counted("a saved step", entry["step"])
    return int(any(isinstance(value, torch.Tensor) for value in entry.values()))


def scalars_of(entry: Entry, names: tuple[str, ...]) -> dict[str, float]:
    """Those of the numbers a tensor has once that `entry` holds; raises what `scalar` raises."""
    return {
        name: float(scalar(f"the saved {name!r}", entry[name])) for name in names & entry.keys()
    }


def before(entry: Entry) -> int:
    """The steps that `step` does not count; raises ValueError or TypeError for what counts none."""
    return counted(f"a saved {BEFORE}", entry.get(BEFORE, 0))


def steps_done(entry: Entry) -> int:
    """All steps of a parameter, whenever its momentum began: the clock of schedules."""
    return steps_of(entry) + before(entry)


def begun_anew(entry: Entry) -> dict[str, Any]:
    """State before the first gradient, which starts a momentum; rounding goes on as it was."""
    found = {key: entry[key] for key in entry.keys() & {ROUNDING, "p" + REST}}
    if steps := steps_done(entry):
        found[BEFORE] = torch.tensor(steps)
    return {"step": 0, **found} if found else {}
