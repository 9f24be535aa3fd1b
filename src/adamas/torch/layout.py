"""Laying out the engine for the parameters that have state, with the state they have.

Done at the first step and whenever `Watch` finds that something is not what it was.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch

from adamas.engine.storage import careful
from adamas.engine.tensors import Array
from adamas.torch import arguments
from adamas.torch.core import Core, Live
from adamas.torch.devices import TensorCore
from adamas.torch.shards import sharded, whole_like
from adamas.torch.states import chooser

if TYPE_CHECKING:
    from adamas.torch.base import Optimizer

AnyCore = Core | TensorCore


def rebuild(
    optimizer: "Optimizer", entries: Mapping[torch.Tensor, Any], share: bool = True
) -> None:
    """Lay out the engine anew, with the state of `entries`; on an error nothing changes.

    Of live state (`share`) what others keep there stays there; `entries` from a file are refused if
    they hold more than this optimizer keeps.
    """
    aside = {p: foreign for p, foreign in strangers(optimizer) if foreign} if share else {}
    if aside:
        own = {p: {k: v for k, v in entries[p].items() if k not in aside[p]} for p in aside}
        entries = {**entries, **own}
    live = [
        Live(p, key, k, place)
        for place, (k, p, key) in enumerate(every(optimizer), optimizer._first_place)
        if p.grad is not None or entries.get(p)
    ]
    core = _made(optimizer, live, entries, share) if live else None
    if core is not None:
        if optimizer._core is not None and share and type(core) is type(optimizer._core):
            core.inherit(optimizer._core)
        for k, one in enumerate(core.live):
            entry = optimizer.state[one.parameter]
            made = core.entry(k)
            entry.clear()
            entry.update(made)
            entry.update(aside.get(one.parameter, {}))
    optimizer._core = core
    optimizer._watch.learn(core, {p: frozenset(found) for p, found in aside.items()})


def strangers(optimizer: "Optimizer") -> Iterator[tuple[torch.Tensor, dict[str, Any]]]:
    """Each parameter that has an entry in `optimizer.state`, with what others keep in it."""
    for group in optimizer.param_groups:
        for p in group["params"]:
            if entry := optimizer.state.get(p):
                yield p, optimizer._names.foreign(entry)


def _made(
    optimizer: "Optimizer", live: list[Live], entries: Mapping[torch.Tensor, Any], share: bool
) -> AnyCore:
    options = dict(optimizer._options)
    keys = [key for _, _, key in every(optimizer)]
    options["state"] = chooser(options["state"], options.pop("state_by_name"), keys)
    options["state"] = _of_wholes(options["state"], live)
    options["zero_grads"] = options.pop("zero_grad_in_step")
    options["maximize"] = bool(optimizer.defaults["maximize"])
    options["threads"] = options["threads"] or torch.get_num_threads()
    numbers = [
        arguments.numbers(optimizer.home, optimizer.formula, g) for g in optimizer.param_groups
    ]
    on_cpu = all(one.parameter.device.type == "cpu" for one in live)
    kind = Core if on_cpu and not optimizer._anywhere else TensorCore
    return kind(optimizer.formula, optimizer._names, live, numbers, options, entries, share)


def _of_wholes(state: Any, live: list[Live]) -> Any:
    """The `state` option asked about whole parameters where shards lie here: all ranks agree."""
    shards = {one.key: one.parameter for one in live if sharded(one.parameter)}
    if not shards or isinstance(state, dict):
        return state
    choose = careful(state) if state in ("int8", "int4") else state
    if not callable(choose):
        return choose

    def chosen(key: Any, given: Array) -> Any:
        return choose(key, whole_like(shards[key], given) if key in shards else given)

    return chosen


def every(optimizer: "Optimizer") -> list[tuple[int, torch.Tensor, str]]:
    """Every parameter with its group and its name."""
    return [
        (k, p, key)
        for k, group in enumerate(optimizer.param_groups)
        for p, key in zip(group["params"], names(optimizer, k), strict=True)
    ]


def names(optimizer: "Optimizer", index: int) -> list[str]:
    """What the parameters of a group are called in messages: their names, or their place."""
    group = optimizer.param_groups[index]
    if "param_names" in group:
        return list(group["param_names"])
    return [f"{index}.{k}" for k in range(len(group["params"]))]
