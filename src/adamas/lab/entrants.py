"""Who takes part: an optimizer is a text such as `adam`, `adam:beta1=0.8` or `mine.py:signum`.

A text, because it goes into the plan, into every record and to worker processes; each of them finds
the same formula behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from math import inf
from typing import Any

import numpy as np

import adamas
from adamas.cli_text.core_words import told
from adamas.kernel.formula import Formula
from adamas.lab.needs import LabError
from adamas.show import find_rule

# Where the grid of learning rates is centred; other rules at their own default. Two decades to
# either side held the optimum of these four on every built-in problem or led to an extension.
CENTRES = {"sgd": 1e-1, "momentum": 3e-2, "rmsprop": 1e-3, "adam": 1e-3, "adagrad": 1e-2}


@dataclass(frozen=True)
class Entrant:
    """An optimizer with the hyper-parameters that its text fixes; the learning rate is searched."""

    text: str
    formula: Formula
    hypers: dict[str, Any]

    @property
    def default_lr(self) -> float:
        """Return the learning rate that the rule itself declares."""
        return self.formula.hypers["lr"]

    @property
    def centre(self) -> float:
        """Return the middle of the grid of learning rates."""
        return CENTRES.get(self.text.partition(":")[0], self.default_lr)

    @property
    def fingerprint(self) -> str:
        """Return a hash of what is computed, so that an edited rule is a new optimizer."""
        return sha256(f"{self.formula.key}{sorted(self.settings.items())}".encode()).hexdigest()

    @property
    def settings(self) -> dict[str, float]:
        """Return every hyper-parameter but lr, as it is used."""
        return {k: v for k, v in {**self.formula.hypers, **self.hypers}.items() if k != "lr"}


# What texts mean while a comparison runs that was handed functions or files from Python.
_HANDED: dict[str, Entrant] = {}


def hand(entrants: Mapping[str, Entrant]) -> dict[str, Entrant]:
    """Let texts mean these optimizers in this process; return those that were handed before."""
    before = dict(_HANDED)
    _HANDED.clear()
    _HANDED.update(entrants)
    entrant.cache_clear()
    return before


@cache
def entrant(text: str) -> Entrant:
    """Return the optimizer that `text` names: `rule`, `rule:key=value,...`, `file.py:function`.

    Raises `LabError` for a rule or a hyper-parameter that does not exist.

    >>> entrant("adam:beta1=0.8").hypers
    {'beta1': 0.8}
    """
    if text in _HANDED:
        return _HANDED[text]
    parts = text.split(":")
    size = 2 if parts[0].endswith(".py") else 1
    try:
        formula = find_rule(":".join(parts[:size]))
    except ValueError as error:
        raise LabError("error.plain", reason=told(error)) from error
    pairs = [_hyper(pair, formula) for part in parts[size:] for pair in part.split(",")]
    return entered(text, formula, pairs)


def entered(text: str, formula: Formula, pairs: Sequence[tuple[str, float]] = ()) -> Entrant:
    """Return a formula with some hyper-parameters as an optimizer called `text`.

    Raises `LabError` if there is no learning rate to search, or a value is not allowed.
    """
    if "lr" not in formula.hypers:
        raise LabError("error.no_lr", text=text)
    if not 0 < formula.hypers["lr"] < inf:
        raise LabError("error.default_lr", text=text, lr=formula.hypers["lr"])
    chosen: dict[str, Any] = dict(pairs)
    if len(chosen) < len(pairs):
        raise LabError("error.hyper_twice", text=text)
    try:
        adamas.Optimizer(formula, np.zeros(1), **chosen)
    except (TypeError, ValueError) as error:
        raise LabError("error.plain", reason=told(error)) from error
    return Entrant(text, formula, chosen)


def _hyper(pair: str, formula: Formula) -> tuple[str, float]:
    name, _, value = (piece.strip() for piece in pair.partition("="))
    free = [known for known in formula.hypers if known != "lr"]
    if name not in free:
        raise LabError("error.hyper_unknown", rule=formula.name, pair=pair, names=", ".join(free))
    try:
        number = float(value)
    except ValueError:
        number = inf
    if not -inf < number < inf:
        raise LabError("error.hyper_number", name=name, value=value)
    return name, number
