"""Laying out the engine for the parameters that have state, with the state they have.

Done at the first step and whenever `Watch` finds that something is not what it was.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from adamas.engine.cpus import Threads, taken
from adamas.engine.storage import choosing
from adamas.engine.tensors import Array
from adamas.engine.threads import Action, straight
from adamas.kernel.layout import REST
from adamas.torch import arguments, keys
from adamas.torch.core import Core, Live
from adamas.torch.devices import TensorCore
from adamas.torch.options import RENAMED, chosen, refuse_dtype
from adamas.torch.plans import Plan
from adamas.torch.shards import sharded, whole_like
from adamas.torch.states import ROUNDING

if TYPE_CHECKING:
    from adamas.torch.base import Optimizer

AnyCore = Core | TensorCore


# State made inside somebody's inference_mode must be usable outside of it.
@torch.inference_mode(False)
def rebuild(
    optimizer: "Optimizer",
    entries: Mapping[torch.Tensor, Any],
    share: bool = True,
    plan: Plan | None = None,
    after: Sequence[Action] = (),
) -> None:
    """Lay out the engine anew, with the state of `entries`, and do `after`; on an error nothing.

    Of live state (`share`) what others keep there stays there; `entries` from a file are refused if
    they hold more than this optimizer keeps. `plan` is what the groups ask for, unless it is given.
    """
    plan = plan or optimizer._plans.of(optimizer.param_groups)
    if share and optimizer._core is not None:
        publish(optimizer, optimizer._core)
    aside = {p: foreign for p, foreign in strangers(optimizer, plan) if foreign} if share else {}
    if aside:
        own = {p: {k: v for k, v in entries[p].items() if k not in aside[p]} for p in aside}
        entries = {**entries, **own}
    if share and plan.rule is not optimizer._plan.rule:
        entries = switched(optimizer, plan, entries)
    found = keys.assigned(named(optimizer), optimizer._keys, entries, optimizer._options["seed"])
    live = [
        Live(p, label, k, found[p])
        for k, p, label in every(optimizer)
        if p.grad is not None or entries.get(p)
    ]
    core = _made(optimizer, plan, live, entries, share) if live else None
    actions: list[Action] = []
    if core is not None:
        if core.rounds and found != optimizer._keys:
            keys.hold(found, optimizer._options["seed"], optimizer)
            optimizer._keys = found
        if optimizer._core is not None and share and type(core) is type(optimizer._core):
            core.inherit(optimizer._core)
        for k, one in enumerate(core.live):
            entry = optimizer.state[one.parameter]
            made = core.entry(k)
            made.update(aside.get(one.parameter, {}))
            actions += [entry.clear, partial(entry.update, made)]
    ended = [p for p, entry in entries.items() if isinstance(entry, dict) and not entry and share]
    for p in filter(optimizer.state.get, ended):
        if core is None or all(one.parameter is not p for one in core.live):
            actions.append(partial(optimizer.state.__setitem__, p, aside.get(p, {})))
    # An exception of a signal handler in between would leave entries without their state.
    actions.append(partial(vars(optimizer).update, {"_core": core, "_plan": plan}))
    straight([*actions, *after])
    optimizer._watch.learn(core, {p: frozenset(found) for p, found in aside.items()})


def publish(optimizer: "Optimizer", core: AnyCore) -> None:
    """Keep in `optimizer.state` which rows were stepped, where that began or ended with a step.

    Asked again before state is read, because a signal handler may have raised after the step.
    """
    if found := core.news():
        same = optimizer._watch.gradients() is not None
        actions: list[Action] = []
        for p, stepped in found.items():
            if (entry := optimizer.state.get(p)) is not None:
                given = {} if stepped is None else {"stepped": stepped}
                actions += [partial(entry.pop, "stepped", None), partial(entry.update, given)]
        straight([*actions, core.published])
        if same:
            optimizer._watch.learn(core, optimizer._watch.foreign)


def strangers(optimizer: "Optimizer", plan: Plan) -> Iterator[tuple[torch.Tensor, dict[str, Any]]]:
    """Each parameter that has an entry in `optimizer.state`, with what others keep in it."""
    for group in optimizer.param_groups:
        for p in group["params"]:
            if entry := optimizer.state.get(p):
                yield p, plan.names.foreign(entry)


def switched(
    optimizer: "Optimizer", plan: Plan, entries: Mapping[torch.Tensor, Any]
) -> dict[torch.Tensor, Any]:
    """The live state of one rule as that of another; raises ValueError for what it never kept."""
    made = dict(entries)
    for p, entry in entries.items():
        lacking = plan.names.lacking(entry) if isinstance(entry, dict) and entry else None
        if lacking and optimizer.home.late:
            made[p] = begun_anew(entry)
        elif lacking:
            raise ValueError(
                f"{optimizer.home.name}: param groups were changed to {plan.formula.name} after "
                f"steps without its {lacking!r}; change them before the first step."
            )
    return made


def begun_anew(entry: Mapping[str, Any]) -> dict[str, Any]:
    """State before the first gradient, which starts a momentum; rounding goes on as it was."""
    found = {key: entry[key] for key in entry.keys() & {ROUNDING, "p" + REST}}
    return {"step": 0, **found} if found else {}


def _made(
    optimizer: "Optimizer",
    plan: Plan,
    live: list[Live],
    entries: Mapping[torch.Tensor, Any],
    share: bool,
) -> AnyCore:
    for one in live:
        refuse_dtype(one.parameter, one.key)
    options = dict(optimizer._options)
    options["state"] = _of_wholes(_of_groups(optimizer, live), live)
    del options["state_by_name"]
    options |= {ours: options.pop(torchs) for ours, torchs in RENAMED.items()}
    options["maximize"] = plan.maximize
    # A momentum of torch's SGD moves every row in every step: `Optimizer._update` does the rest.
    spread = optimizer.home.late and plan.formula.states
    options["rows"] = options["rows"] or ("exact" if spread else "lazy")
    options["threads"] = taken(options["threads"], torch.get_num_threads())
    numbers = [arguments.numbers(optimizer.home, plan.formula, g) for g in optimizer.param_groups]
    on_cpu = all(one.parameter.device.type == "cpu" for one in live)
    kind = Core if on_cpu and not optimizer._anywhere else TensorCore
    return kind(plan.formula, plan.names, live, numbers, options, entries, share)


def _of_groups(optimizer: "Optimizer", live: list[Live]) -> Any:
    """The `state` option, with what groups and names say of their own parameters."""
    options, groups = optimizer._options, optimizer.param_groups
    spoken = options["state_by_name"] or callable(options["state"])
    if not spoken and not any("state" in group for group in groups):
        return options["state"]
    names = called(optimizer)
    members = {one.key: groups[one.group] for one in live}

    def choose(key: Any, given: Array) -> Any:
        return chosen(options, members[key], names[key], given)

    return choose


def _of_wholes(state: Any, live: list[Live]) -> Any:
    """The `state` option asked about whole parameters where shards lie here: all ranks agree."""
    shards = {one.key: one.parameter for one in live if sharded(one.parameter)}
    if not shards or isinstance(state, dict):
        return state
    choose = choosing(state)
    if choose is None:
        return state

    def chosen(key: Any, given: Array) -> Any:
        return choose(key, whole_like(shards[key], given) if key in shards else given)

    return chosen


def threads(optimizer: "Optimizer") -> Threads:
    """How many threads the parameters on the CPU are stepped with, or would be now."""
    if isinstance(optimizer._core, Core):
        return optimizer._core.engine.threads
    return taken(optimizer._options["threads"], torch.get_num_threads())


def every(optimizer: "Optimizer") -> list[tuple[int, torch.Tensor, str]]:
    """Every parameter with its group and what it is called in messages; no two are alike."""
    groups = [k for k, group in enumerate(optimizer.param_groups) for _ in group["params"]]
    return [(k, p, label) for k, (label, (p, _)) in zip(groups, _labelled(optimizer), strict=True)]


def called(optimizer: "Optimizer") -> dict[str, str]:
    """The name of every parameter, or its place, by what it is called in messages."""
    return {label: name or label for label, (_, name) in _labelled(optimizer)}


def names(optimizer: "Optimizer", index: int) -> list[str]:
    """The names of the parameters of a group, or their places."""
    group = optimizer.param_groups[index]
    if "param_names" in group:
        return list(group["param_names"])
    return [f"{index}.{k}" for k in range(len(group["params"]))]


def named(optimizer: "Optimizer") -> list[tuple[torch.Tensor, str | None]]:
    """Every parameter with its name, or None."""
    return [
        (p, name)
        for group in optimizer.param_groups
        for p, name in zip(
            group["params"],
            group.get("param_names") or [None] * len(group["params"]),
            strict=True,
        )
    ]


def _labelled(optimizer: "Optimizer") -> list[tuple[str, tuple[torch.Tensor, str | None]]]:
    """Every parameter with its name or None, and before them a label: the name, or the place.

    Two groups may hold equal names, which then get their place as well.
    """
    places = [
        f"{k}.{i}"
        for k, group in enumerate(optimizer.param_groups)
        for i in range(len(group["params"]))
    ]
    pairs = named(optimizer)
    counts = Counter(name for _, name in pairs)
    return [
        (place if name is None else name if counts[name] == 1 else f"{name} ({place})", (p, name))
        for place, (p, name) in zip(places, pairs, strict=True)
    ]
