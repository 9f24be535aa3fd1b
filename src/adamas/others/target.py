"""The optimizer that a file shall be of, made for parameters that nobody has to give."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from adamas.classes import CLASSES
from adamas.engine.options import formula_of
from adamas.homes.continuing import known as is_schedule
from adamas.homes.known import identity, plain, shipped
from adamas.homes.neutral import Group, Neutral
from adamas.homes.signature import Signature
from adamas.homes.writers import HOMES, End
from adamas.others.keras_built import built, made_of
from adamas.schedule import parse

TORCH = ("torch", "adamas.torch")
# Options by which a class computes several rules; one at a time is tried.
CHOICES: tuple[dict[str, Any], ...] = (
    {}, {"amsgrad": True}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True},
    {"centered": True}, {"decoupled_weight_decay": True}, {"state": "float32"},
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What a target shall be besides: its storage format, and the arguments of the source."""

    state: str | None = None
    like: Mapping[str, Any] | None = None


def class_of(home: str, rule: str) -> tuple[str, dict[str, Any]] | None:
    """A class of a home that computes a rule, and the options that choose it; None for none."""
    there = next(one for one in HOMES if one.name == home)
    # A class that needs no options comes before one that has an option for it.
    for options in CHOICES:
        for name, signature in there.classes.items():
            if home == "torch" and not _in_torch(name):
                continue
            if options.keys() <= signature.defaults.keys():
                try:
                    found = End(there, name, {}).rule(options)
                except (ValueError, TypeError):
                    continue
                if found == rule:
                    return name, options
    return None


def _in_torch(name: str) -> bool:
    import torch

    return hasattr(torch.optim, name)


def made(end: End, found: Neutral, shapes: Mapping[Any, tuple[int, ...]], wanted: Wanted) -> Any:
    """The optimizer of `end` for the parameters of `found`, whose shapes are these.

    Raises ValueError for a class that there is not, or that cannot be made for them.
    """
    name = end.home.name
    if name in TORCH:
        return _torch(end, found, shapes, wanted)
    if name == "adamas":
        return _numpy(end, found, shapes, wanted)
    if name in ("keras", "adamas.keras"):
        [one, *others] = found.groups
        if any(other.hypers != one.hypers for other in others):
            raise ValueError("Keras has one group, and the source has several")
        options = {**_arguments(end.signature, one.hypers), **end.given}
        names = [str(n) for group in found.groups for n in group.names]
        return built(
            made_of(end, options), names, [shapes[n] for g in found.groups for n in g.names]
        )
    if name in ("optax", "adamas.jax"):
        return _jax(end, found, shapes)
    raise ValueError(f"{end.title} cannot be a file's target")


def _arguments(signature: Signature, hypers: Mapping[str, Any]) -> dict[str, Any]:
    """The hyper-parameters of a rule as arguments of a class."""
    options: dict[str, Any] = {}
    for name, value in _numbers(hypers).items():
        key, place = signature.sources.get(name, (name, None))
        if key in signature.defaults and place is None:
            options[key] = value
        elif key in signature.defaults and place is not None:
            whole = options.get(key, signature.defaults[key])
            options[key] = (*whole[:place], value, *whole[place + 1 :])
    return options


def _dtype(found: Neutral, group: Group) -> str:
    entries = (found.state.get(name, {}) for name in group.names)
    wide = (v.dtype == np.float64 for one in entries for v in one.values() if hasattr(v, "dtype"))
    return "float64" if any(wide) else "float32"


def _torch(end: End, found: Neutral, shapes: Mapping[Any, Any], wanted: Wanted) -> Any:
    import torch

    if end.home.name == "torch":
        module: Any = torch.optim
    else:
        import adamas.torch as module
    signature = end.signature
    if not hasattr(module, end.name):
        raise ValueError(f"{end.title} is no class of this torch {torch.__version__}")
    groups = []
    for number, group in enumerate(found.groups):
        kind = getattr(torch, _dtype(found, group))
        pairs = [(n, torch.nn.Parameter(torch.empty(shapes[n], dtype=kind))) for n in group.names]
        named = all(isinstance(n, str) for n in group.names)
        # What torch has as an option that the rule does not have as a number.
        old = wanted.like["param_groups"][number] if wanted.like else {}
        same = {k: v for k, v in old.items() if k in signature.defaults and not _tensor(v)}
        options = {**same, **_arguments(signature, group.hypers), **end.given}
        if wanted.state and end.home.name == "adamas.torch":
            options["state"] = wanted.state
        groups.append({"params": pairs if named else [p for _, p in pairs], **options})
    if wanted.state and end.home.name == "adamas.torch":
        state = {"state": groups[0].pop("state")}
        groups = [{k: v for k, v in one.items() if k != "state"} for one in groups]
        live: Any = getattr(module, end.name)(groups, **state)
    else:
        live = getattr(module, end.name)(groups)
    # Schedule-free rules are converted where gradients are taken.
    getattr(live, "train", dict)()
    return live


def _tensor(value: Any) -> bool:
    return hasattr(value, "layout")


def _jax(end: End, found: Neutral, shapes: Mapping[Any, tuple[int, ...]]) -> Any:
    """The state of a transformation before its first step, for a tree of these parameters."""
    import jax.numpy as jnp

    if end.home.name == "optax":
        import optax as module
    else:
        import adamas.jax as module
    make = getattr(module, end.name, None) or getattr(getattr(module, "contrib", None), end.name)
    params: dict[str, Any] = {}
    for name in found.names:
        *outer, last = str(name).split(".")
        here = params
        for part in outer:
            here = here.setdefault(part, {})
        here[last] = jnp.zeros(shapes[name], jnp.float32)
    try:
        return make(**end.given).init(params)
    except TypeError as error:
        lr = found.groups[0].hypers.get("lr")
        known = f"{end.title}({lr if isinstance(lr, float) else 1e-3})"
        raise ValueError(f'{end.title} wants its arguments: --to "{known}"') from error


def _numpy(end: End, found: Neutral, shapes: Mapping[Any, Any], wanted: Wanted) -> Any:
    import adamas

    rule, name = found.groups[0].rule, end.name
    if not name:
        name = next((n for n, one in CLASSES.items() if identity(formula_of(one)) == rule), "")
    formula: Any = formula_of(CLASSES[name]) if name in CLASSES else shipped(rule)
    if formula is None or end.name not in ("", *CLASSES):
        raise ValueError(f"{end.name or plain(rule)!r} is no class of adamas; say one with --to")
    groups = []
    for group in found.groups:
        kept = {k: v for k, v in _numbers(group.hypers).items() if k in formula.hypers}
        arrays = {n: np.zeros(shapes[n], _dtype(found, group)) for n in group.names}
        groups.append({"params": arrays, **kept})
    options: dict[str, Any] = {"state": wanted.state} if wanted.state else {}
    first = found.groups[0].hypers
    options |= {key: first[key] for key in ("ema", "maximize") if key in first}
    make: Any = getattr(adamas, name) if name else partial(adamas.Optimizer, formula)
    return make(groups, **options)


def _numbers(hypers: Mapping[str, Any]) -> dict[str, Any]:
    """Hyper-parameters as numbers and schedules, without what is neither."""
    texts = {name for name, value in hypers.items() if isinstance(value, str)}
    return {
        name: parse(value) if name in texts else value
        for name, value in hypers.items()
        if name not in texts or is_schedule(value)
    }
