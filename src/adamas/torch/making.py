"""The engine for the parameters that have state: which one, and with which of the options."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from adamas.engine.cpus import taken
from adamas.engine.storage import choosing
from adamas.engine.tensors import Array
from adamas.torch.called import Groups, called
from adamas.torch.engines import Engine, Live
from adamas.torch.kernel_engine import KernelEngine
from adamas.torch.options import RENAMED, chosen, refuse_dtype
from adamas.torch.plans import Entries, Plan
from adamas.torch.shards import sharded, whole_like
from adamas.torch.tensor_engine import TensorEngine


def made(
    plan: Plan, seed: int, groups: Groups, live: list[Live], entries: Entries, share: bool,
    anywhere: bool,
) -> Engine:  # fmt: skip
    """An engine over `live`, parameters of `groups`, with the state of `entries`.

    `anywhere` takes the one for all devices even where kernels would do. Raises what the engines
    raise for a parameter that cannot be updated, or a state that does not fit.
    """
    for one in live:
        refuse_dtype(one.parameter, one.key)
    options = {**plan.given, "seed": seed, "maximize": plan.maximize}
    options["state"] = _of_wholes(_of_groups(plan.given, groups, live), live)
    del options["state_by_name"]
    options |= {ours: options.pop(torchs) for ours, torchs in RENAMED.items()}
    # A momentum of torch's SGD moves every row in every step: `Driver.step` does the rest.
    spread = plan.signature.late and plan.formula.states
    options["rows"] = options["rows"] or ("exact" if spread else "lazy")
    options["threads"] = taken(options["threads"], torch.get_num_threads())
    on_cpu = all(one.parameter.device.type == "cpu" for one in live)
    kind = KernelEngine if on_cpu and not anywhere else TensorEngine
    numbers = list(map(plan.numbers, groups))
    return kind(plan.formula, plan.names, live, numbers, options, entries, share)


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
