"""The PyTorch face on many small tensors and on a tiny model, where calls cost the most."""

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from adamas.lab.timing import Case, Side, take_turns
from benchmarks.record import Figure, Plan, Section
from benchmarks.sides import FRESH

if TYPE_CHECKING:
    pass

Make = Callable[[Any], Any]
OURS, FUSED = "adamas.torch", "torch fused"
# A bar for each case: what a step may cost beside torch's fused one.
CASES: dict[str, tuple[list[tuple[int, ...]], float]] = {
    "1,000 tensors of 256": ([(256,)] * 1000, 0.5),
    "a layer of 10 parameters": ([(1, 9), (1,)], 0.7),
}


def makers() -> dict[str, Make]:
    """AdamW of everybody."""
    from torch.optim import AdamW as Theirs

    from adamas.torch import AdamW

    return {
        OURS: AdamW,
        f"{OURS}, no check": lambda params: AdamW(params, on_nonfinite="allow"),
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
    for title, (shapes, bar) in CASES.items():
        sides = {name: fresh(make, shapes) for name, make in makers().items()}
        case = Case(title, take_turns(sides, plan.rounds))
        cases.append(case)
        figures += [
            Figure(f"{name} / {FUSED}, {title}", case.ratio(name, FUSED), bar)
            for name in sides
            if name.startswith(OURS)
        ]
    return Section(
        "Small tensors in PyTorch",
        "AdamW in float32 unless said, every gradient a new tensor at every step; setting `p.grad` "
        "is included.",
        cases,
        figures,
    )
