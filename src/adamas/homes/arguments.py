"""Arguments of a constructor, checked as early as they are known, in Keras' words."""

import re
from collections.abc import Mapping
from typing import Any

from adamas.engine.settings import check, real, seeded
from adamas.homes.signature import Signature
from adamas.kernel.formula import Formula

FORMATS = ("float32", "bfloat16")

seed = seeded


def checked(signature: Signature, name: str, value: Any) -> Any:
    """An argument as it is kept; raises TypeError or ValueError naming it."""
    default = signature.defaults[name]
    if isinstance(default, bool):
        return truth(signature, name, value)
    if name == "learning_rate" and callable(value):
        return value
    if value is None and not default:
        return None
    number = real(f"{signature.name}: {name}", value, "a number is wanted")
    ours = next((k for k, (v, _) in signature.sources.items() if v == name), name)
    if limit := check(ours, number, default or 0.0):
        raise ValueError(f"{signature.name}: {name}={value!r} is not allowed; it must {limit}.")
    return number if name == "learning_rate" else value


def truth(signature: Signature, name: str, value: Any) -> bool:
    """An argument that is True or False; raises TypeError naming it."""
    if not isinstance(value, bool):
        raise TypeError(f"{signature.name}: {name}={value!r} is not True or False.")
    return value


def patterns(signature: Signature, name: str, given: Mapping[str, Any]) -> tuple[str, ...]:
    """The patterns of an argument, one of which may stand alone; raises TypeError, ValueError."""
    value = given[name]
    found = (value,) if isinstance(value, str) else tuple(value or ())
    for one in found:
        if not isinstance(one, str):
            raise TypeError(f"{signature.name}: {name} takes regular expressions, not {one!r}.")
        try:
            re.compile(one)
        except re.error as error:
            raise ValueError(
                f"{signature.name}: {name}: {one!r} is no regular expression: {error}."
            ) from None
    return found


def storage(given: Any, formula: Formula) -> Any:
    """The `state` option; raises ValueError naming what cannot be had."""
    named = dict(given) if isinstance(given, Mapping) else dict.fromkeys(formula.states, given)
    if unknown := [name for name in named if name not in formula.states]:
        states = ", ".join(formula.states) or "none"
        raise ValueError(
            f"{formula.name} has no state {unknown[0]!r} of elements; it has: {states}."
        )
    for value in named.values():
        if value in ("int8", "int4"):
            raise ValueError(
                f"state={value!r}: the variables of a Keras optimizer have the shape of their "
                "parameter and one dtype, which leaves no place for the scales of few-bit codes. "
                'Use "bfloat16" here, or int8 in adamas.torch, adamas.jax and NumPy.'
            )
        if value not in FORMATS:
            raise ValueError(f"state={value!r} is not one of {', '.join(map(repr, FORMATS))}.")
    return dict(given) if isinstance(given, Mapping) else given
