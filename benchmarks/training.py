"""A user's own rules beside built-in ones, and a whole step with clipping and averaging."""

import gc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from adamas import rules
from adamas.bench.peers import Array, gradients, ones, torch_optimizer, torch_sided
from adamas.bench.timing import Side
from benchmarks.own_rules import grams, signum, yogi
from benchmarks.race import race
from benchmarks.record import Plan, Section, compared
from benchmarks.shared import Ground, beside

if TYPE_CHECKING:
    import torch

PAIRS = (
    ("signum", signum, "momentum", rules.momentum),
    ("yogi", yogi, "adam", rules.adam),
    ("grams", grams, "adamw", rules.adamw),
)


def own_rules(plan: Plan) -> Section:
    """Rules of a user's own beside the built-in rule that reads and writes as many arrays."""
    grads, cases, figures = gradients([plan.size]), [], []
    for name, own, builtin_name, builtin in PAIRS:
        both = two_rules(grads, builtin, own)
        sides = dict(zip((builtin_name, name), map(torch_sided, both), strict=True))
        pair, title = (name, builtin_name), f"{name} and {builtin_name}"
        case = race(title, sides, [pair], plan.rounds, plan.size)
        cases.append(case)
        figures.append(compared(case, *pair, f"{name} / {builtin_name}"))
        del both, sides
        gc.collect()
    return Section(
        "Rules of one's own",
        "Each beside the built-in rule of the same traffic: Signum (2018) 20 bytes a parameter, "
        "Yogi (2018) and Grams (2024) 28. The three are the file `own_rules.py`. Both rules of a "
        "pair, through `adamas.torch`, step the same parameters and keep the same state.",
        cases,
        figures,
    )


def two_rules(
    grads: Sequence[Array], builtin: Callable[..., Any], own: Callable[..., Any]
) -> tuple[Any, Any]:
    """An optimizer of each rule, on the same parameters, gradients and state."""
    import torch

    from adamas.torch import optimizer

    values, given = [list(map(torch.from_numpy, each)) for each in (ones(grads), grads)]
    first, second = (torch_optimizer(values, given, optimizer(rule)) for rule in (builtin, own))
    beside(first, second)
    return first, second


def whole_step(plan: Plan) -> Section:
    """Clipping, AdamW and an average of the parameters: one step, or three calls of torch."""
    sides = whole_sides(gradients([plan.size]))
    ours, theirs = sides
    case = race("clip, AdamW, average", sides, [(ours, theirs)], plan.rounds, plan.size)
    return Section(
        "A whole training step",
        "adamas with `clip_norm=1.0, ema=0.999`; torch with `clip_grad_norm_`, fused AdamW and "
        "`_foreach_lerp_`, which is what its `AveragedModel` calls. Both on the same parameters, "
        "gradients, moments and averages, in NumPy's memory.",
        [case],
        [compared(case, ours, theirs, "adamas / torch's three calls")],
    )


def whole_sides(grads: Sequence[Array]) -> dict[str, Side]:
    """Both, in the same memory; torch clips the gradients where they lie."""
    import torch

    ground = Ground(grads, clip_norm=1.0, ema=0.999)
    averages = [torch.from_numpy(entry["average"]) for entry in ground.optimizer.state.values()]
    theirs = three_calls(ground.settled(fused=True), averages)
    return {"adamas, one step": ground.adamas(), "torch, three calls": theirs}


def torch_calls(grads: Sequence[Array]) -> Side:
    """The same three calls on copies of the gradients and memory of their own."""
    import torch

    values = [torch.ones(g.shape) for g in grads]
    given = [torch.from_numpy(np.array(g)) for g in grads]
    optimizer = torch_optimizer(values, given, fused=True)
    return three_calls(optimizer, [value.clone() for value in values])


def three_calls(optimizer: Any, averages: "list[torch.Tensor]") -> Side:
    """What users call in torch: `clip_grad_norm_`, fused AdamW, the lerp of `AveragedModel`."""
    import torch

    params = optimizer.param_groups[0]["params"]

    def step() -> None:
        torch.nn.utils.clip_grad_norm_(params, 1.0, foreach=True)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, list[torch.Tensor](params), 0.001)

    return Side(step, lambda: params[0].detach().numpy())
