"""The state of an optimizer of one home becomes one of another, by name.

Every home has two functions, to the neutral form and from it; between them stands the question
whether the other home would go on exactly.
"""

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from adamas.homes import few_bits, of_adamas, of_keras, of_optax, of_torch
from adamas.homes.continuing import continued
from adamas.homes.known import plain, shipped
from adamas.homes.neutral import Key, Names, Neutral, checked, renamed
from adamas.homes.writers import End, end_of

FORMS: dict[str, ModuleType] = {
    **dict.fromkeys(("torch", "adamas.torch", "bitsandbytes", "schedulefree"), of_torch),
    **dict.fromkeys(("optax", "adamas.jax"), of_optax),
    **dict.fromkeys(("keras", "adamas.keras"), of_keras),
    "adamas": of_adamas,
}
# Homes of states in few bits, or kept once a row, which they check themselves.
OURS = {"adamas", "adamas.torch"}


def converted(state: Any, source: Any, target: Any, names: Names, dialect: str) -> Any:
    """What `adamas.convert` returns and raises."""
    if dialect not in ("exact", "ignore"):
        raise ValueError(f'dialect={dialect!r} must be "exact" or "ignore".')
    here, there = end_of(source), end_of(target)
    found: Neutral = FORMS[here.home.name].read(state, here)
    if there.home.name == "adamas" and there.live is None:
        return renamed(found, names, [], _few(found)).as_dict()
    blank = _blank(there)
    found = renamed(found, names, blank.names, _few(found))
    if there.home.name not in OURS:
        found = _decoded(found, blank)
    if not {here.home.name, there.home.name} <= OURS:
        laid = {here.home.name, there.home.name} <= {*OURS, "torch"}
        checked(found, blank.shapes, _few(found) if laid else {})
    found = continued(replace(found, shapes=blank.shapes), blank, dialect == "ignore")
    return FORMS[there.home.name].write(found, there)


def _few(found: Neutral) -> dict[Key, tuple[set[str], set[str]]]:
    """The states of each parameter that have a number for each row, and for each column."""
    formulas = [(one.names, shipped(one.rule)) for one in found.groups]
    rules = [(n, ({*f.rows}, {*f.columns})) for n, f in formulas if f and (f.rows or f.columns)]
    return {name: few for names, few in rules for name in names}


def _blank(target: End) -> Neutral:
    """What the target is made for."""
    if target.home.name == "bitsandbytes":
        raise ValueError("bitsandbytes is read only; a torch optimizer of adamas has 8 bits, too.")
    if target.live is None and target.home.name not in ("optax", "adamas.jax"):
        raise ValueError(
            f"{target.title} as a target is the optimizer itself, which knows its parameters; or "
            '"adamas" for plain arrays by name.'
        )
    found: Neutral = FORMS[target.home.name].blank(target)
    return found


def _decoded(found: Neutral, target: Neutral) -> Neutral:
    """The same with codes as the numbers that they stand for."""
    state = dict(found.state)
    for group in found.groups:
        for name in (n for n in group.names if _coded(found.state.get(n, {}))):
            if (formula := shipped(group.rule)) is None:
                own = plain(group.rule)
                raise ValueError(f"rule {own!r} is a user's own, and no other home has it.")
            state[name] = few_bits.plain(state[name], formula, target.shapes[name])
    return replace(found, state=state)


def _coded(entry: dict[str, Any]) -> bool:
    arrays = (v for v in entry.values() if isinstance(v, np.ndarray))
    return "rounding" in entry or any(v.dtype.kind in "iu" for v in arrays)
