"""The PyTorch face on many small tensors and on a tiny model, where calls cost the most."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from adamas.lab.timing import Side
from benchmarks.race import race
from benchmarks.record import Plan, Section, compared
from benchmarks.sides import FRESH

Make = Callable[[Any], Any]
OURS, FUSED = "adamas.torch", "torch fused"
CASES: dict[str, list[tuple[int, ...]]] = {
    "1,000 tensors of 256": [(256,)] * 1000,
    "a layer of 10 parameters": [(1, 9), (1,)],
}


def makers() -> dict[str, Make]:
    """AdamW of everybody."""
    from torch.optim import AdamW as Theirs

    from adamas.torch import AdamW

    return {
        OURS: AdamW,
        f"{OURS} int8": lambda params: AdamW(params, state="int8"),
        FUSED: lambda params: Theirs(params, fused=True),
        "torch foreach": lambda params: Theirs(params, foreach=True),
        "torch default": Theirs,
    }


def fresh(make: Make, shapes: Sequence[tuple[int, ...]]) -> Side:
    """An optimizer that is given new gradient tensors at every step, as after `zero_grad`."""
    import torch

    params = [torch.nn.Parameter(torch.ones(shape)) for shape in shapes]
    memory = [torch.full(shape, 0.5) for shape in shapes]
    given = itertools.cycle([[g.view(g.shape) for g in memory] for _ in range(FRESH)])
    optimizer = make(params)

    def step() -> None:
        for p, g in zip(params, next(given), strict=True):
            p.grad = g
        optimizer.step()

    return Side(step, lambda: params[0].detach().numpy())


def torch_small(plan: Plan) -> Section:
    """Small tensors through the PyTorch face."""
    cases, figures = [], []
    for title, shapes in CASES.items():
        sides = {name: fresh(make, shapes) for name, make in makers().items()}
        pairs = [(name, FUSED) for name in sides if name != FUSED]
        case = race(title, sides, pairs, plan.rounds)
        cases.append(case)
        figures += [compared(case, *pair) for pair in pairs if pair[0].startswith(OURS)]
    return Section(
        "Small tensors in PyTorch",
        "AdamW in float32 unless said, every gradient a new tensor at every step; setting `p.grad` "
        "is included.",
        cases,
        figures,
    )
