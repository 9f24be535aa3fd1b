"""The engine for the parameters that have state: which one, and with which of the options."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from adamas.engine.cpus import taken
from adamas.engine.storage import choosing
from adamas.engine.tensors import Array
from adamas.torch.called import Groups, called
from adamas.torch.engines import Engine, Live
from adamas.torch.joint_engine import JointEngine
from adamas.torch.kernel_engine import KernelEngine
from adamas.torch.options import RENAMED, chosen, refuse_dtype
from adamas.torch.plans import Entries, GroupPlans, Plan
from adamas.torch.shards import sharded, whole_like
from adamas.torch.tensor_engine import JointTensorEngine, TensorEngine


def made(
    plans: GroupPlans, seed: int, groups: Groups, live: list[Live], entries: Entries, share: bool,
    anywhere: bool,
) -> Engine:  # fmt: skip
    """An engine over `live`, parameters of `groups`, with the state of `entries`.

    `anywhere` takes the one for all devices even where kernels would do. Raises what the engines
    raise for a parameter that cannot be updated, or a state that does not fit.
    """
    for one in live:
        refuse_dtype(one.parameter, one.key)
    kernels = all(one.parameter.device.type == "cpu" for one in live) and not anywhere
    if len(plans.rules) == 1:
        plan, options = plans.first, _options(plans.first, seed, groups, live)
        rest = live, list(map(plan.numbers, groups)), options, entries, share
        kind = KernelEngine if kernels else TensorEngine
        return kind(plan.formula, plan.names, *rest)
    among = [one.parameter for one in live]
    steppers, tensors, places = list[KernelEngine](), list[TensorEngine](), list[list[int]]()
    owners: dict[int, tuple[KernelEngine, int]] = {}
    for plan, mine in plans.rules.items():
        if not (own := [k for k, one in enumerate(live) if one.group in mine]):
            continue
        options = _options(plan, seed, groups, [live[k] for k in own])
        local = [replace(live[k], group=mine.index(live[k].group)) for k in own]
        numbers = [plan.numbers(groups[k]) for k in mine]
        places.append(own)
        if kernels:
            part = KernelEngine(
                plan.formula, plan.names, local, numbers, options, entries, share, among
            )
            steppers.append(part)
            owners |= {k: (part, i) for i, k in enumerate(mine)}
        else:
            tensors.append(
                TensorEngine(plan.formula, plan.names, local, numbers, options, entries, share)
            )
    if kernels:
        return JointEngine(steppers, places, live, owners)
    every = [plan.numbers(group) for plan, group in zip(plans.each, groups, strict=True)]
    return JointTensorEngine(tensors, places, live, every)


def _options(plan: Plan, seed: int, groups: Groups, live: Sequence[Live]) -> dict[str, Any]:
    """The options of an engine for parameters of one rule, in the engine's words."""
    options = {**plan.given, "seed": seed, "maximize": plan.maximize}
    options["state"] = _of_wholes(_of_groups(plan.given, groups, live), live)
    del options["state_by_name"]
    options |= {ours: options.pop(torchs) for ours, torchs in RENAMED.items()}
    # A momentum of torch's SGD moves every row in every step: `Driver.step` does the rest.
    spread = plan.signature.late and plan.formula.states
    options["rows"] = options["rows"] or ("exact" if spread else "lazy")
    options["threads"] = taken(options["threads"], torch.get_num_threads())
    return options


def _of_groups(options: Mapping[str, Any], groups: Groups, live: Sequence[Live]) -> Any:
    """The `state` option, with what groups and names say of their own parameters."""
    spoken = options["state_by_name"] or callable(options["state"])
    if not spoken and not any("state" in group for group in groups):
        return options["state"]
    names = called(groups)
    members = {one.key: groups[one.group] for one in live}

    def choose(key: Any, given: Array) -> Any:
        return chosen(options, members[key], names[key], given)

    return choose


def _of_wholes(state: Any, live: Sequence[Live]) -> Any:
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
