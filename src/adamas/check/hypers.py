"""Whose argument is which hyper-parameter, and the values at which rules are easy to tell apart."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from adamas.check.tables import table

Arguments = Mapping[str, Any]
NAMES: dict[str, list[str]] = table("names")["hypers"]
BETAS = (0.875, 0.96875, 0.9375)
EPS, DECAY, MOMENTUM = 2.0**-10, 2.0**-4, 0.875


def telling(defaults: Arguments) -> dict[str, Any]:
    """Values for those of these arguments that most optimizers have; the others stay as they are.

    A momentum or an eps that is off by default stays off.
    """
    known = table("names")["telling"]
    found = {name: known[name] for name in defaults if name in known}
    for name, value in defaults.items():
        on = real(value) and value > 0
        if name == "betas" and isinstance(value, tuple | list) and len(value) in (2, 3):
            found[name] = BETAS[: len(value)]
        elif on and (name.startswith("eps") or name in ("momentum", "beta")):
            found[name] = EPS if name.startswith("eps") else MOMENTUM
    return found


def real(value: Any) -> bool:
    """Whether a value is a plain number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _flat(arguments: Arguments) -> dict[str, float]:
    """Every number among arguments, entries of tuples as `betas[0]`."""
    found: dict[str, Any] = dict(arguments)
    for name, value in arguments.items():
        if isinstance(value, tuple | list):
            found |= {f"{name}[{i}]": one for i, one in enumerate(value)}
    return {name: float(value) for name, value in found.items() if real(value)}


def hypers(arguments: Arguments, wanted: Iterable[str]) -> dict[str, float]:
    """The hyper-parameters of a formula as these arguments have them; others are missing."""
    numbers = _flat(arguments)
    known = {name: NAMES.get(name, [name]) for name in wanted}
    return {
        name: numbers[next(key for key in keys if key in numbers)]
        for name, keys in known.items()
        if any(key in numbers for key in keys)
    }


def starts(arguments: Arguments) -> dict[str, float]:
    """Where states start that an argument sets."""
    numbers, known = _flat(arguments), table("names")["starts"].items()
    return {state: numbers[key] for state, keys in known for key in keys if key in numbers}


def argument(defaults: Arguments, hyper: str) -> str | None:
    """What an optimizer calls a hyper-parameter that is one argument of its own; None without."""
    return next((key for key in NAMES[hyper] if key in defaults), None)


def defaults_of(function: Any) -> dict[str, Any]:
    """The arguments of a constructor that have defaults, and a rate that has none, as None.

    Empty where Python cannot tell.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = {q.name: q.default for q in parameters if q.kind in named}
    known = {k: None if v is inspect.Parameter.empty else v for k, v in found.items()}
    return {k: v for k, v in known.items() if found[k] is v or k in table("names")["telling"]}
