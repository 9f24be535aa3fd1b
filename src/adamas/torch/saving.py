"""State dicts in torch's own form, matched by name where parameters have names.

A state dict of `torch.optim` goes in and comes out: the groups have torch's keys, plain states its
names and shapes, and `step` is a float32 tensor. Loading checks everything before it changes
anything, and keeps the storage that this optimizer was made with: `torch.optim` casts what it loads
to the parameter's dtype instead (pytorch #43706).
"""

from collections.abc import Mapping, Sequence, Set
from functools import partial
from typing import Any

import torch

from adamas.engine.routing import listed
from adamas.engine.settings import seeded
from adamas.engine.threads import Action
from adamas.torch import arguments
from adamas.torch.called import found
from adamas.torch.driver import Driver
from adamas.torch.foreign import readable
from adamas.torch.plans import Plan
from adamas.torch.scheduled import taking
from adamas.torch.shards import sharded
from adamas.torch.states import COUNTERS, steps_of

# Up to here float32, in which torch keeps the step, counts every step.
EXACT = 1 << 24
# The key of a saved group that lists what wrappers keep in the state of its parameters.
ASIDE = "foreign_state"
# Keys of a saved group that say which parameters are in it, by the types of what they list.
NAMING: dict[str, Any] = {"params": int | str, "param_names": str}


def state_dict(driver: Driver, *, decode: bool = False) -> dict[str, Any]:
    """The state and the groups of its owner, with numbers in place of the parameters."""
    numbers: dict[int, int] = {}
    owner = driver.owner
    driver.lift()
    plan = driver.plans.of(owner.param_groups)
    groups, foreign = [], dict(plan.strangers(owner.param_groups, owner.state))
    for one, group in zip(plan.each, owner.param_groups, strict=True):
        for p in group["params"]:
            numbers.setdefault(id(p), len(numbers))
        packed = {
            key: _owned(value) for key, value in group.items() if key not in ("params", "state")
        }
        packed["rule"], packed["seed"] = one.formula.name, driver.seed
        packed["params"] = [numbers[id(p)] for p in group["params"]]
        if aside := {key for p in group["params"] for key in foreign.get(p, ())}:
            packed[ASIDE] = sorted(aside)
        groups.append(packed)
    entries: dict[Any, Any] = {p: e for p, e in owner.state.items() if e is not None and e != {}}
    engine = driver.engine
    if engine is not None and (decode or any(sharded(one.parameter) for one in engine.live)):
        read = engine.decoded if decode else engine.saved
        entries |= {
            one.parameter: {**read(k), **foreign.get(one.parameter, {})}
            for k, one in enumerate(engine.live)
        }
    late = [g["params"] for one, g in zip(plan.each, owner.param_groups, strict=True) if one.late]
    if late:
        of = {id(p) for params in late for p in params}
        kept = {p: COUNTERS | foreign.get(p, {}).keys() for p in entries if id(p) in of}
        entries = {p: _unbegun(e, kept[p]) if p in kept else e for p, e in entries.items()}
    state = {
        numbers.get(id(p), p): {key: _saved(key, value) for key, value in entry.items()}
        if id(p) in numbers
        else entry
        for p, entry in entries.items()
    }
    return {"state": state, "param_groups": groups}


def _unbegun(entry: Mapping[str, Any], kept: Set[str]) -> Mapping[str, Any]:
    """`entry`, without the zeros of a momentum to come: `torch.optim` would go on from them."""
    return entry if steps_of(entry) else {k: value for k, value in entry.items() if k in kept}


def _saved(key: str, value: Any) -> Any:
    if key == "step":
        return value.to(torch.float32) if value < EXACT else value.clone()
    # A number of its own storage: saved views bring the numbers of all parameters along.
    return value.clone() if isinstance(value, torch.Tensor) and value.ndim == 0 else value


def _owned(value: Any) -> Any:
    """A setting that nobody else can change in place."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if type(value) in (list, tuple):
        return type(value)(map(_owned, value))
    return {k: _owned(v) for k, v in value.items()} if type(value) is dict else value


def load_state_dict(driver: Driver, saved: Any) -> None:
    """Take over `saved`; raises ValueError or TypeError for what does not fit, changing nothing."""
    owner = driver.owner
    groups, state = parts(opened(saved))
    pairs = _paired(owner.param_groups, groups)
    taken = [_settings(driver, group, old) for group, old, _ in pairs]
    merged = [{**group, **new} for (group, _, _), new in zip(pairs, taken, strict=True)]
    plan = driver.plans.of(merged)
    entries: dict[torch.Tensor, Mapping[str, Any]] = {}
    known = {number for _, _, ids in pairs for number in ids}
    others = {key: value for key, value in state.items() if key not in known}
    if lost := [key for key in others if isinstance(key, int)]:
        raise ValueError(f"the saved state is of parameter {lost[0]}, too, which no group has.")
    of: dict[torch.Tensor, Plan] = {}
    for one, (group, old, ids) in zip(plan.each, pairs, strict=True):
        of |= dict.fromkeys(group["params"], one)
        foreign = set(_list(old.get(ASIDE, ()), f"{ASIDE!r} of a saved group"))
        for p, number in zip(group["params"], ids, strict=True):
            if entry := _dict(state.get(number, {}), f"the saved state of parameter {number}"):
                own = {key: value for key, value in entry.items() if key not in foreign}
                entries[p] = readable(own, one.formula, one.names, p)
                others[p] = {key: _copy(entry[key]) for key in entry.keys() & foreign}
    entries = {p: found for p, e in entries.items() if (found := _late(of[p], p, e))}
    after: list[Action] = [
        partial(group.update, new) for group, new in zip(owner.param_groups, taken, strict=True)
    ]
    after += [partial(driver.scheduled.saw, group) for group in owner.param_groups]
    for p in owner.state:
        if p not in entries and getattr(p, "grad", None) is None:
            after.append(partial(owner.state.pop, p))
    seed = seeded(groups[0].get("seed", driver.seed))
    if not driver.refill(entries, (plan, seed), after):
        driver.rebuild(entries, (plan, seed), after)
    _keep(owner.state, others)


def opened(saved: Any) -> dict[str, Any]:
    """A shallow copy of a state dict; TypeError for what is no dict."""
    return dict(_dict(saved, "a state dict"))


def _late(plan: Plan, p: torch.Tensor, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """`entry`, or where a momentum was switched on before the file was written, one to begin it."""
    held = {key: value for key, value in entry.items() if value is not None}
    begins = plan.late and plan.names.lacking(held)
    return plan.begun(p, held) if begins and held.keys() <= {*COUNTERS, "average"} else entry


def parts(saved: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Mapping[Any, Any]]:
    """The groups and the state of a state dict, of the types that they must have."""
    if lost := [key for key in ("state", "param_groups") if key not in saved]:
        raise ValueError(f"the state dict lacks {lost[0]!r}; it has {', '.join(map(str, saved))}.")
    groups = []
    for k, given in enumerate(_list(saved["param_groups"], "'param_groups'")):
        group = dict(_dict(given, f"saved param group {k}"))
        if "params" not in group:
            raise ValueError(f"saved param group {k} lacks 'params'.")
        for key in group.keys() & NAMING.keys():
            group[key] = _list(group[key], f"{key!r} of saved param group {k}")
            if odd := [one for one in group[key] if not isinstance(one, NAMING[key])]:
                raise TypeError(f"{key!r} of saved param group {k} holds {odd[0]!r}.")
        if "param_names" in group and len(group["param_names"]) != len(group["params"]):
            raise ValueError(f"saved param group {k} has not a name for each of its 'params'.")
        groups.append(group)
    return groups, _dict(saved["state"], "'state'")


def _dict(value: Any, what: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{what} is {type(value).__name__}, not a dict.")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{what} is {type(value).__name__}, not a list.")
    return list(value)


def _keep(state: dict[Any, Any], others: Mapping[Any, Any]) -> None:
    """Put what somebody else kept in the state beside what this optimizer keeps."""
    for key, value in others.items():
        if isinstance(key, torch.Tensor):
            state[key].update(value)
        else:
            state[key] = value


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


Pair = tuple[dict[str, Any], dict[str, Any], list[int]]


def _paired(groups: Sequence[dict[str, Any]], saved: Sequence[dict[str, Any]]) -> list[Pair]:
    """Each group with the saved one that belongs to it, and the saved ids of its parameters."""
    if len(groups) != len(saved):
        raise ValueError(
            f"loaded state dict has a different number of parameter groups: {len(saved)}, "
            f"the optimizer has {len(groups)}"
        )
    if all("param_names" in group for group in [*groups, *saved]):
        return _by_name(groups, saved)
    for k, (group, old) in enumerate(zip(groups, saved, strict=True)):
        if len(group["params"]) != len(old["params"]):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                f"optimizer's group: {len(old['params'])} parameters in group {k}, not "
                f"{len(group['params'])}"
            )
    return [(group, old, list(old["params"])) for group, old in zip(groups, saved, strict=True)]


def _by_name(groups: Sequence[dict[str, Any]], saved: Sequence[dict[str, Any]]) -> list[Pair]:
    """Pairs of groups with the same names; where several have them, in their own order."""
    left = list(saved)
    pairs: list[Pair] = []
    for k, group in enumerate(groups):
        wanted = list(group["param_names"])
        # The group in the same place first, so that groups of equal names keep their order.
        near = sorted(left, key=lambda old: old is not saved[k])
        matched = ((old, found(wanted, old["param_names"])) for old in near)
        old, places = next(((old, m) for old, m in matched if m is not None), (None, None))
        if old is None or places is None:
            raise ValueError(_other_names(wanted, left))
        left = [one for one in left if one is not old]
        pairs.append((group, old, [old["params"][place] for place in places]))
    return pairs


def _other_names(wanted: list[str], saved: Sequence[dict[str, Any]]) -> str:
    names = set(wanted)
    there = max((set(old["param_names"]) for old in saved), key=lambda one: len(names & one))
    return (
        "loaded state dict has other parameters in a group: it lacks "
        f"{sorted(names - there)} and has {sorted(map(str, there - names))} instead"
    )


def _settings(driver: Driver, group: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """What a group takes over from a saved one; raises ValueError if it is of another rule."""
    takes = driver.of(group)
    kept = {"params", "param_names", "rule", "seed", "state", ASIDE}
    # bitsandbytes has betas in every class; momentum and alpha stay as this optimizer has them.
    kept |= {"betas"} - takes.defaults.keys()
    own = {key: _owned(value) for key, value in old.items() if key not in kept}
    new = arguments.folded(takes, own, group, strict=False)
    # How a step is run is this optimizer's own business.
    new = {k: v for k, v in new.items() if k not in ("foreach", "fused", "capturable")}
    merged = {**group, **new}
    wanted = driver.plans.of([merged]).first.formula.name
    if (rule := old.get("rule", wanted)) != wanted:
        there = f" (of {listed(group['param_names'])})" if "param_names" in group else ""
        raise ValueError(
            f"this is the state of rule {rule!r}, and param groups{there} ask for {wanted!r}."
        )
    driver.plans.check_group(merged)
    return taking(takes, group, new)
