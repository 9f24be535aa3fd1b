"""States of `torch.optim`, `adamas.torch`, `bitsandbytes` and `schedulefree`: one form of dict.

Parameters are called by `param_names` where the optimizer was made of named ones, by their number
otherwise. Tensors are read as arrays and made by the target's own parameters; torch is not
imported.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from adamas.homes import factored
from adamas.homes.bitsandbytes import NESTED, opened
from adamas.homes.known import plain
from adamas.homes.neutral import Entry, Group, Neutral, numbers, scalar
from adamas.homes.writers import End
from adamas.kernel.layout import MEMORY_ORDER, REST, SCALE
from adamas.schedule import parse

COUNTS = ("rounding", MEMORY_ORDER)
# The steps before a momentum of adamas.torch.SGD began, which `step` does not count.
BEFORE = "steps_before"
SHARED = ("lr_max", "weight_sum")
# Classes that count no steps.
STEPLESS = ("torch.SGD", "torch.Muon")
# How a tensor of another dtype is made of one, by NumPy's name.
MAKERS = {
    "float32": "float", "float64": "double", "int8": "char", "uint8": "byte", "int16": "short",
    "int64": "long", "bool": "bool",
}  # fmt: skip


def read(state: Any, end: End) -> Neutral:
    """What a state dict holds; ValueError that names what it should have."""
    known = set(end.signature.moments.values())
    if not isinstance(state, Mapping) or not {"state", "param_groups"} <= state.keys():
        raise ValueError(
            f"the state of {end.title} is what state_dict() gives, a dict of 'state' and "
            f"'param_groups'; this is {type(state).__name__}."
        )
    found = Neutral([])
    for saved in state["param_groups"]:
        if state["state"]:
            _training(saved)
        names = list(saved.get("param_names", saved["params"]))
        rule = _rule(end, saved)
        entries = [state["state"].get(number) for number in saved["params"]]
        hypers = _hypers(end, rule, saved)
        if end.title == factored.TITLE and "eps1" not in hypers:
            hypers |= factored.eps(entries, end.live)
        fixed = frozenset() if "rule" in saved else end.fixed(rule)
        # Whether adamas.torch averages, only its own loading knows.
        takes, averages = frozenset(hypers), None if "rule" in saved else False
        ours = end.home.name == "adamas.torch"
        found.groups.append(Group(names, rule, hypers, end.title, takes, fixed, averages, ours))
        found.seed = saved.get("seed", found.seed)
        called = {
            value: key for key, value in end.home.states(end.signature, end.formula(rule)).items()
        }
        for name, entry in zip(names, entries, strict=True):
            if entry:
                entry = factored.opened(name, entry) if end.title == factored.TITLE else entry
                made = _entry(name, entry, called, saved)
                found.state[name] = _checked(made, end, rule, known)
    return found


def _checked(entry: Entry, end: End, rule: str, known: set[str]) -> Entry:
    """An entry that the class writes, without states of its other rules; ValueError otherwise."""
    states = end.formula(rule).initial.keys()
    held = {name.partition(".")[0] for name in entry} - {"step", "average", "stepped", "p", *COUNTS}
    strange, lacking = held - states - known, states - held
    if strange or (lacking and held & states):
        names = end.home.states(end.signature, end.formula(rule))
        raise ValueError(
            f"this is no state of {end.title}, which keeps "
            f"{', '.join(names.get(one, one) for one in states) or 'none'}: it "
            f"{f'has {min(strange)}' if strange else f'lacks {min(lacking)}'}. Options that choose "
            "a rule are in its param groups; name the class that wrote it."
        )
    return {name: value for name, value in entry.items() if name not in held - states}


def _rule(end: End, group: Mapping[str, Any]) -> str:
    """The rule of a group; ValueError where it was saved by another class."""
    rule = end.rule(group)
    if (saved := group.get("rule", plain(rule))) != plain(rule):
        raise ValueError(
            f"this is the state of rule {saved!r}, and {end.title} computes {plain(rule)!r}."
        )
    return rule


def _training(group: Mapping[str, Any]) -> None:
    """Refuse a state of schedule-free training that is not where gradients are taken."""
    if group.get("train_mode") is False:
        raise ValueError(
            "the optimizer is in eval mode, and its parameters are averages, not where gradients "
            "are taken. Call optimizer.train() first."
        )
    if group.get("k", 0) < group.get("warmup_steps", 0):
        raise ValueError("schedulefree is warming up, which adamas leaves to a schedule of lr.")


def _hypers(end: End, rule: str, group: Mapping[str, Any]) -> dict[str, Any]:
    known = end.hypers(rule, {**end.signature.defaults, **group})
    if end.home.name == "adamas.torch":
        places = {name: end.signature.sources.get(name, (name, None)) for name in known}
        texts = group.get("schedules", {})
        named = {n: n if place is not None else key for n, (key, place) in places.items()}
        known |= {name: texts[key] for name, key in named.items() if key in texts}
    up = {"maximize": True} if group.get("maximize") else {}
    return up | {k: _number(k, v) for k, v in known.items()}


def _number(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value
    return "a schedule" if callable(value) else scalar(name, value)


def _entry(
    name: Any, entry: Mapping[str, Any], called: Mapping[str, str], group: Mapping[str, Any]
) -> Entry:
    entry = opened(entry) if entry.keys() & {"state1", NESTED} else entry
    aside = {"step", BEFORE, *group.get("foreign_state", ())}
    # A tensor without axes is a state only where the parameter has none either.
    axes = any(len(getattr(value, "shape", ())) for value in entry.values())
    counts = [int(scalar(key, entry[key])) for key in ("step", BEFORE) if key in entry]
    found: Entry = {"step": sum(counts)} if counts else {}
    for key, value in entry.items():
        if key in aside or value is None:
            continue
        array = numbers(f"{key} of {name!r}", value)
        if str(getattr(value, "dtype", "")) == "torch.bfloat16" and "rounding" in entry:
            array = (array.view(np.uint32) >> 16).astype(np.uint16)
        single = key in COUNTS or (axes and not array.shape)
        found[called.get(key, key)] = array.item() if single else array
    if "k" in group:
        found |= {"step": group["k"], **{name: group[name] for name in SHARED}}
    return found


def blank(end: End) -> Neutral:
    """What `end.live` is made for."""
    found = read({**end.live.state_dict(), "state": {}}, end)
    for one, group in zip(found.groups, end.live.param_groups, strict=True):
        pairs = zip(one.names, group["params"], strict=True)
        found.shapes |= {name: tuple(p.shape) for name, p in pairs}
    return found


def write(found: Neutral, end: End) -> dict[str, Any]:
    """A state dict that `end.live` loads, of tensors of the kind that its parameters are."""
    saved = end.live.state_dict()
    state, groups = dict(saved["state"]), []
    every = zip(saved["param_groups"], end.live.param_groups, found.groups, strict=True)
    for old, live, one in every:
        # What adamas' schedules have put into the group is written over.
        group = {key: value for key, value in old.items() if key != "scheduled"}
        for hyper, value in one.hypers.items():
            key, place = end.signature.sources.get(hyper, (hyper, None))
            if isinstance(value, str):
                # A schedule by its text, beside its number in the last step.
                text, named = value, hyper if place is not None else key
                group["schedules"] = {**group.get("schedules", {}), named: text}
                value = parse(text)(max(found.counted(), 1))
            if place is not None:
                value = (*group[key][:place], value, *group[key][place + 1 :])
            group[key] = value
        if found.seed is not None and "seed" in group:
            group["seed"] = found.seed
        groups.append(group)
        called = end.home.states(end.signature, end.formula(one.rule))
        for name, number, p in zip(one.names, old["params"], live["params"], strict=True):
            state.pop(number, None)
            if name in found.state:
                entry = dict(found.state[name])
                if "k" in group:
                    group |= {"k": entry.pop("step")} | {key: entry.pop(key) for key in SHARED}
                elif end.title not in STEPLESS:
                    entry = {"step": 1, **entry}
                if end.title == factored.TITLE:
                    entry = factored.closed(name, entry, p.ndim)
                state[number] = _tensors(entry, called, p)
    return {**saved, "state": state, "param_groups": groups}


def _tensors(entry: Entry, called: Mapping[str, str], p: Any) -> dict[str, Any]:
    empty = p.detach().new_empty(0)
    made: dict[str, Any] = {}
    for name, value in entry.items():
        coded = name.endswith((SCALE, REST)) or name + SCALE in entry
        key = name if coded else called.get(name, name)
        if not isinstance(value, np.ndarray):
            kind = empty.cpu().long() if key in COUNTS else empty.cpu().float()
            made[key] = kind.new_tensor(value)
        elif value.dtype == np.uint16:
            bits = empty.short().new_tensor(value.view(np.int16))
            made[key] = bits.view(empty.bfloat16().dtype)
        else:
            made[key] = getattr(empty, MAKERS[value.dtype.name])().new_tensor(value)
    return made
