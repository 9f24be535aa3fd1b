"""Muon on single matrices and on a small transformer, beside torch's."""

import gc
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from adamas import rules
from adamas.bench.timing import Side
from adamas.kernel.processors import computes_bfloat16
from adamas.newton_schulz import iterated
from benchmarks.race import Pair, Race, race
from benchmarks.record import Plan, Section, compared

if TYPE_CHECKING:
    import torch

OURS, FEWER, THEIRS = "adamas.torch Muon", "adamas.torch Muon, bfloat16 products", "torch Muon"
LOOP = "five steps alone, torch float32"
SHAPES = [(512, 512), (1024, 1024), (2048, 512)]
# Six layers of width 384, and 4,096 tokens: 13.8 million parameters.
LAYERS, WIDTH, TOKENS = 6, 384, 4096
INT8 = f"{OURS}, int8"


def matrices(plan: Plan) -> Section:
    """Steps of Muon, whose products of matrices are nearly all of it."""
    native = computes_bfloat16()
    cases = [alone(shape, native, plan.rounds) for shape in SHAPES]
    cases.append(transformer(native, plan.rounds))
    pairs = [(case, pair) for case in cases for pair in pairs_of(case.samples)]
    said = "computes in bfloat16" if native else "has no instructions for bfloat16"
    return Section(
        "Muon",
        f"Jordan's Muon, default settings, on a processor that {said}. torch.optim.Muon rounds to "
        "bfloat16 always; adamas multiplies in float32 unless asked. "
        f"{LOOP.capitalize()}: the same five steps on the same matrix, each of three products, and "
        "nothing else. The transformer has "
        f"{LAYERS} layers of width {WIDTH}, {TOKENS:,} tokens and a last layer; matrices of layers "
        "are on Muon, all else on AdamW: one optimizer of adamas, two of torch, AdamW fused.",
        cases,
        [compared(case, *pair) for case, pair in pairs],
    )


def pairs_of(sides: Any) -> list[Pair]:
    """Each of ours beside torch's, and torch's plain float32 steps beside ours."""
    ours = [name for name in sides if name.startswith("adamas")]
    return [*((name, THEIRS) for name in ours), *([(OURS, LOOP)] if LOOP in sides else [])]


def alone(shape: tuple[int, int], native: bool, rounds: int) -> Race:
    """One matrix."""
    import torch

    from adamas.torch import optimizer

    torch.manual_seed(0)
    made = optimizer(rules.muon)
    kinds: dict[str, Callable[[Any], Any]] = {
        OURS: lambda p: made([{"params": [p]}]),
        THEIRS: lambda p: torch.optim.Muon([p], lr=0.02),
        **({FEWER: lambda p: made([{"params": [p]}], matmul="bfloat16")} if native else {}),
    }
    g, sides = torch.randn(shape), dict[str, Side]()
    for name, make in kinds.items():
        p = torch.nn.Parameter(torch.ones(shape))
        p.grad = g.clone()
        sides[name] = _stepped(make(p), p)
    unit = g / g.norm()
    sides[LOOP] = Side(partial(iterated, unit, "jordan"), unit.numpy)
    found = race(f"{shape[0]:,} x {shape[1]:,}", sides, pairs_of(sides), rounds, g.numel())
    del sides
    gc.collect()
    return found


def transformer(native: bool, rounds: int) -> Race:
    """All parameters of a small language model."""
    import torch

    from adamas.torch import Muon

    def ours(**more: Any) -> Side:
        net = model()
        return _stepped(Muon(net, adamw={"lr": 3e-4}, **more), *net.parameters())

    def theirs() -> Side:
        net = model()
        hidden = [p for name, p in net.named_parameters() if name.startswith("h.") and p.ndim > 1]
        rest = [p for p in net.parameters() if all(p is not one for one in hidden)]
        both = [torch.optim.Muon(hidden, lr=0.02), torch.optim.AdamW(rest, lr=3e-4, fused=True)]

        def step() -> None:
            for one in both:
                one.step()

        return Side(step, _shown(hidden[0]))

    sides = {OURS: ours(), INT8: ours(state="int8"), THEIRS: theirs()}
    if native:
        sides[FEWER] = ours(matmul="bfloat16")
    elements = sum(p.numel() for p in model().parameters())
    return race(
        f"a transformer of {elements / 1e6:.1f} M", sides, pairs_of(sides), rounds, elements
    )


def model() -> "torch.nn.Module":
    """Embedding, layers and last layer with a gradient each; nothing is ever run forward."""
    import torch
    from torch import nn

    torch.manual_seed(0)

    def layer() -> nn.Module:
        names = ("query", "key", "value", "out")
        parts: dict[str, nn.Module] = {name: nn.Linear(WIDTH, WIDTH) for name in names}
        parts |= {"up": nn.Linear(WIDTH, 4 * WIDTH), "down": nn.Linear(4 * WIDTH, WIDTH)}
        return nn.ModuleDict({**parts, "norm": nn.LayerNorm(WIDTH)})

    net = nn.ModuleDict(
        {
            "wte": nn.Embedding(TOKENS, WIDTH),
            "h": nn.ModuleList([layer() for _ in range(LAYERS)]),
            "lm_head": nn.Linear(WIDTH, TOKENS, bias=False),
        }
    )
    for p in net.parameters():
        p.grad = torch.randn_like(p)
    return net


def _stepped(optimizer: Any, *params: "torch.Tensor") -> Side:
    optimizer.step()
    return Side(optimizer.step, _shown(params[0]))


def _shown(p: "torch.Tensor") -> Callable[[], Any]:
    return lambda: p.detach().numpy()


if __name__ == "__main__":
    for one in matrices(Plan(rounds=7)).figures:
        print(f"{one.what}: {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]")
