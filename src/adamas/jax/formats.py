"""What `state=` says in JAX: how each state of a formula is kept."""

import functools
from collections.abc import Mapping
from typing import Any

from adamas.codecs import stored
from adamas.engine.storage import SMALL
from adamas.jax.coded import Bfloat16, Scaled
from adamas.jax.keeping import Format, Plain
from adamas.kernel.formula import Formula
from adamas.kernel.kinds import kinds

kinds_of = functools.lru_cache(256)(kinds)
FORMATS = ("float32", "bfloat16", "int8")


def formats(
    formula: Formula, state: str | Mapping[str, str], fields: Mapping[str, str]
) -> dict[str, Format]:
    """How each state of a formula is kept, where the user says `state`.

    That is a format for all states that bear few bits, or a dict of formats by the name of a state
    or of its field in `fields`. Raises TypeError or ValueError naming what there is.
    """
    known, small = kinds_of(formula), 0
    if isinstance(state, str):
        _check(state)
        codecs = {name: stored(state, kind.name) for name, kind in known.items()}
        small = SMALL if state == "int8" else 0
    elif isinstance(state, Mapping):
        named = _named(formula, state, fields)
        codecs = {name: stored(form, known[name].sign) for name, form in named.items()}
    else:
        raise TypeError(
            f"state={state!r} must be a format, one of {', '.join(FORMATS)}, or a dict of formats "
            "by the names of states."
        )
    rowwise = formula.rowwise
    found: dict[str, Format] = dict.fromkeys(formula.initial, Plain())
    for name, codec in codecs.items():
        if codec.encode:
            found[name] = Scaled(codec, rowwise, small) if codec.low else Bfloat16(rowwise)
    return found


def _named(formula: Formula, state: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, str]:
    """The formats of the states of elements that a dict names."""
    own, found = {fields[name]: name for name in formula.initial}, {}
    for given, form in state.items():
        _check(form)
        name = own.get(given, given)
        if name not in formula.initial:
            raise ValueError(
                f"state={dict(state)!r}: {formula.name} has no state {given!r}; "
                f"it has {', '.join(own) or 'none'}."
            )
        if name in formula.states:
            found[name] = form
        elif form != "float32":
            raise ValueError(
                f"state={dict(state)!r}: of {given!r} there is less than one number an element, "
                "and it is kept in full; leave it out."
            )
    return found


def _check(form: Any) -> None:
    if form == "int4":
        raise ValueError(
            "state='int4' is not to be had in JAX: its codes are made by adding floats, which XLA "
            "rounds to zero where they are denormal, so that they would not be NumPy's. Choose "
            "state='int8'."
        )
    if form not in FORMATS:
        raise ValueError(f"state={form!r}: adamas.jax keeps {', '.join(FORMATS)}.")
