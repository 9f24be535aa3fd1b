"""States of `adamas.Optimizer`, which are the neutral form but for their groups."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from adamas.engine.loading import FORMAT
from adamas.homes import few_bits
from adamas.homes.known import identity
from adamas.homes.neutral import Group, Neutral
from adamas.homes.writers import End


def read(state: Any, end: End) -> Neutral:
    """What a state dict holds; ValueError for what is none."""
    if not isinstance(state, Mapping) or state.get("format") != FORMAT:
        raise ValueError(
            f"an adamas state is what state_dict() gives, with 'format': {FORMAT}; this is "
            f"{type(state).__name__}."
        )
    if not state.get("train_mode", True):
        raise ValueError(
            "the optimizer is in eval mode, and its parameters are averages, not where gradients "
            "are taken. Call optimizer.train() first."
        )
    groups = []
    for saved in state["param_groups"]:
        hypers = {k: v for k, v in saved.items() if k not in ("params", "rule", "dialect")}
        rule = _rule(state, saved, end)
        names, takes = list(saved["params"]), frozenset(hypers)
        groups.append(Group(names, rule, hypers, "adamas", takes, averages="ema" in hypers))
    entries = {
        name: {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in entry.items()}
        for name, entry in state["state"].items()
    }
    return Neutral(groups, entries, {}, state.get("seed"), state.get("steps"))


def _rule(state: Mapping[str, Any], group: Mapping[str, Any], end: End) -> str:
    """The rule of a group; ValueError where it is not that of the optimizer."""
    if "dialect" in group:
        return str(group["dialect"])
    # Where groups name their rules, each has its own.
    told = str(group.get("rule", state["rule"]))
    if end.live is None:
        return told.removesuffix("_with_average")
    if told != end.live.formula.name:
        raise ValueError(
            f"this is the state of rule {told!r}, and the optimizer computes "
            f"{end.live.formula.name!r}."
        )
    return identity(end.live.formula)


def blank(end: End) -> Neutral:
    """What `end.live` is made for."""
    found = read({**end.live.state_dict(copy=False), "state": {}}, end)
    for group in end.live.param_groups:
        for name, array in zip(group["names"], group["params"], strict=True):
            found.shapes[name] = tuple(array.shape)
    return found


def write(found: Neutral, end: End) -> dict[str, Any]:
    """A state dict that `end.live` loads."""
    saved: dict[str, Any] = end.live.state_dict()
    formula = end.live.formula
    for group, one in zip(saved["param_groups"], found.groups, strict=True):
        group |= one.hypers
    for name, live in saved["state"].items():
        if name in found.state:
            entry = {"step": 1, **found.state[name]}
        else:
            entry = {"step": 0, **few_bits.begun(live, formula, found.shapes[name])}
        if _form(entry) != _form(live):
            plain = few_bits.plain(entry, formula, found.shapes[name])
            entry = few_bits.like(plain, end.live.storage[name], live, formula)
        saved["state"][name] = {**live, **entry}
    seed = {} if found.seed is None else {"seed": found.seed}
    return {**saved, "steps": found.counted(), **seed}


def _form(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The dtypes of an entry, which say in which formats it is."""
    return {k: getattr(v, "dtype", None) for k, v in entry.items() if k != "stepped"}
