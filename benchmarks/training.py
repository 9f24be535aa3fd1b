"""A user's own rules beside built-in ones, and a whole step with clipping and averaging."""

import gc
from collections.abc import Sequence

import numpy as np

import adamas
from adamas import rules
from adamas.lab.peers import Array, adamas_side, gradients
from adamas.lab.timing import Side
from benchmarks.own_rules import grams, signum, yogi
from benchmarks.race import race
from benchmarks.record import Plan, Section, compared

PAIRS = (
    ("signum", signum, "momentum", rules.momentum),
    ("yogi", yogi, "adam", rules.adam),
    ("grams", grams, "adamw", rules.adamw),
)


def own_rules(plan: Plan) -> Section:
    """Rules of a user's own beside the built-in rule that reads and writes as many arrays."""
    grads, cases, figures = gradients([plan.size]), [], []
    for name, own, builtin_name, builtin in PAIRS:
        sides = {
            builtin_name: adamas_side(grads, adamas.rule(builtin)),
            name: adamas_side(grads, adamas.rule(own)),
        }
        pair, title = (name, builtin_name), f"{name} and {builtin_name}"
        case = race(title, sides, [pair], plan.rounds, plan.size)
        cases.append(case)
        figures.append(compared(case, *pair, f"{name} / {builtin_name}"))
        del sides
        gc.collect()
    return Section(
        "Rules of one's own",
        "Each beside the built-in rule of the same traffic: Signum (2018) 20 bytes a parameter, "
        "Yogi (2018) and Grams (2024) 28. The three are the file `own_rules.py`.",
        cases,
        figures,
    )


def whole_step(plan: Plan) -> Section:
    """Clipping, AdamW and an average of the parameters: one step, or three calls of torch."""
    grads = gradients([plan.size])
    sides = {
        "adamas, one step": adamas_side(grads, clip_norm=1.0, ema=0.999),
        "torch, three calls": torch_calls(grads),
    }
    ours, theirs = sides
    case = race("clip, AdamW, average", sides, [(ours, theirs)], plan.rounds, plan.size)
    return Section(
        "A whole training step",
        "adamas with `clip_norm=1.0, ema=0.999`; torch with `clip_grad_norm_`, fused AdamW and "
        "`_foreach_lerp_`, which is what its `AveragedModel` calls.",
        [case],
        [compared(case, ours, theirs, "adamas / torch's three calls")],
    )


def torch_calls(grads: Sequence[Array]) -> Side:
    """What users call in torch: `clip_grad_norm_`, fused AdamW, the lerp of `AveragedModel`."""
    import torch

    params = [torch.nn.Parameter(torch.ones(g.shape)) for g in grads]
    averages = [p.detach().clone() for p in params]
    for p, g in zip(params, grads, strict=True):
        p.grad = torch.from_numpy(np.array(g))
    optimizer = torch.optim.AdamW(params, lr=1e-3, weight_decay=1e-2, fused=True)

    def step() -> None:
        torch.nn.utils.clip_grad_norm_(params, 1.0, foreach=True)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, list[torch.Tensor](params), 0.001)

    return Side(step, lambda: params[0].detach().numpy())
