"""Hyper-parameters: numbers or schedules, per group, changeable between any two steps.

The kernel reads them from a float64 table, so a change costs nothing and no number is ever rounded
to a storage dtype. A group is a plain dict, as in torch; it is checked when its values change.
"""

import difflib
import math
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np

Hyper: TypeAlias = float | Callable[[int], float]

# Keys of a group that are not hyper-parameters.
OWN = ("params", "names")


class Settings:
    """The param groups of one optimizer and the table the kernel reads.

    `defaults` are the rule's hyper-parameters with their default values, `given` what the caller
    set for all groups, each group's own entries win. Raises ValueError or TypeError naming the
    hyper-parameter, its value and the limit.
    """

    def __init__(
        self,
        rule: str,
        defaults: Mapping[str, float],
        given: Mapping[str, Hyper],
        groups: list[dict[str, Any]],
    ) -> None:
        self._rule = rule
        self._defaults = dict(defaults)
        self.names = tuple(defaults)
        self.groups = [{**defaults, **given, **group} for group in groups]
        self.table = np.zeros((len(groups), len(self.names)))
        self._read = _reader(self.names)
        self._seen: list[Any] = [None] * len(groups)
        self._moving = [False] * len(groups)
        self.refresh(1)

    def refresh(self, step: int) -> None:
        """Bring the table up to date for optimizer step `step`."""
        seen, moving = self._seen, self._moving
        for k, group in enumerate(self.groups):
            values = self._read(group)
            if moving[k] or values != seen[k]:
                self._write(k, group, values, step)

    def now(self, group: int) -> dict[str, float]:
        """The numbers that the last refresh found, schedules evaluated."""
        return dict(zip(self.names, self.table[group].tolist(), strict=True))

    def _write(self, k: int, group: dict[str, Any], values: tuple[Any, ...], step: int) -> None:
        for name in group:
            if name not in self._defaults and name not in OWN:
                raise TypeError(f"param group {k}: {self.unknown(name)}")
        numbers = [
            self._number(name, value(step) if callable(value) else value)
            for name, value in zip(self.names, values, strict=True)
        ]
        self.table[k] = numbers
        self._seen[k] = values
        self._moving[k] = any(callable(value) for value in values)

    def _number(self, name: str, value: Any) -> float:
        if isinstance(value, bool | str) or not hasattr(value, "__float__"):
            raise TypeError(f"{name}={value!r}: a hyper-parameter is a number or a schedule.")
        number = float(value)
        limit = check(name, number, self._defaults[name])
        if limit:
            raise ValueError(f"{self._rule}: {name}={value!r} is not allowed; {name} must {limit}.")
        return number

    def unknown(self, name: str) -> str:
        """What to say about a name that is not a hyper-parameter of the rule."""
        close = difflib.get_close_matches(name, self.names, 1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        if name == "betas":
            hint = "Write beta1=..., beta2=.... "
        return f"{self._rule} has no setting {name!r}. {hint}It has: {', '.join(self.names)}."


def check(name: str, number: float, default: float) -> str:
    """The limit that `number` breaks, or an empty text."""
    if not math.isfinite(number):
        return "be finite"
    if name.startswith("beta") and not 0 <= number < 1:
        return "be at least 0 and below 1"
    # A rule whose own default is negative means it.
    if number < 0 <= default:
        return "not be negative"
    return ""


def _reader(names: tuple[str, ...]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda group: tuple(group[name] for name in names)
