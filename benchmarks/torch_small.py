"""The PyTorch face on many small tensors and on a tiny model, where calls cost the most."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from adamas.bench.peers import torch_optimizer
from adamas.bench.timing import Side
from benchmarks.race import race
from benchmarks.record import Plan, Section, compared
from benchmarks.shared import beside
from benchmarks.sides import fresh_tensors

if TYPE_CHECKING:
    import torch

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


def fresh_sides(shapes: Sequence[tuple[int, ...]]) -> dict[str, Side]:
    """Everybody on the same parameters and memory of gradients; of float32 also the same state."""
    import torch

    values = [torch.ones(shape) for shape in shapes]
    memory = [torch.full(shape, 0.5) for shape in shapes]
    made = {name: torch_optimizer(values, memory, make) for name, make in makers().items()}
    for name in [name for name in made if name.startswith("torch")]:
        beside(made[OURS], made[name])
    return {name: _fresh(each, memory) for name, each in made.items()}


def _fresh(optimizer: Any, memory: "Sequence[torch.Tensor]") -> Side:
    params = optimizer.param_groups[0]["params"]
    step = fresh_tensors(params, [g.numpy() for g in memory], optimizer.step)
    return Side(step, lambda: params[0].detach().numpy())


def torch_small(plan: Plan) -> Section:
    """Small tensors through the PyTorch face."""
    cases, figures = [], []
    for title, shapes in CASES.items():
        sides = fresh_sides(shapes)
        pairs = [(name, FUSED) for name in sides if name != FUSED]
        case = race(title, sides, pairs, plan.rounds)
        cases.append(case)
        figures += [compared(case, *pair) for pair in pairs if pair[0].startswith(OURS)]
    return Section(
        "Small tensors in PyTorch",
        "AdamW in float32 unless said, every gradient a new tensor at every step; setting `p.grad` "
        "is included. Parameters, gradients and state in float32 are the same memory for all.",
        cases,
        figures,
    )
