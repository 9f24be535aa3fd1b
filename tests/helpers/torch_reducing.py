"""Rules that reduce on several ranks, as a program: `python torch_reducing.py SCENARIO`.

Beside `torch_ranks`, by which ranks are started. Any failed assertion makes it fail.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.distributed.tensor import DTensor

import adamas.torch
from adamas.words import maximum, mean, minimum, norm, rms, sqrt, where
from torch_ranks import cut, on_ranks

# Cuts through blocks, through groups of rows, between both; ranks without a row.
SHAPES = {
    "square": (64, 64), "long": (1000, 48), "narrow": (10, 3), "vector": (257,),
    "cube": (7, 5, 3), "few": (4, 4096),
}  # fmt: skip
# Rows of a few elements share blocks, and few bits are rounded in those of the shard.
WHOLE_ROWS = ("square", "few")
States = dict[str, dict[str, torch.Tensor]]


def lamb(p, g, m, v, *, t, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.1):  # type: ignore[no-untyped-def]
    """You et al. 2020, Algorithm 2."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    u = m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps) + weight_decay * p
    ratio = norm(p) / norm(u) if norm(p) * norm(u) > 0 else 1.0
    return p - lr * ratio * u, m, v


def adafactor(p, g, r, c, *, t, lr=1e-2, decay=0.8, eps=1e-30, eps2=1e-3, clip=1.0):  # type: ignore[no-untyped-def]
    """Shazeer & Stern 2018, Algorithm 4."""
    beta = 1 - t ** (-decay)
    s = g * g + eps
    r = beta * r + (1 - beta) * mean(s, over="row")
    c = beta * c + (1 - beta) * mean(s, over="column")
    u = g / sqrt(r / mean(r) * c)
    u = u / maximum(1.0, rms(u) / clip)
    return p - lr * maximum(eps2, rms(p)) * u, r, c


def cautious(p, g, m, v, *, t, lr=1e-2, beta1=0.9, beta2=0.99, eps=1e-8):  # type: ignore[no-untyped-def]
    """Liang et al. 2024, with what is left of the update scaled up again."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    kept = where(m * g > 0, 1.0, 0.0)
    u = m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps) * kept
    return p - lr * u / maximum(mean(kept), 1e-3), m, v


def overall(p, g, m, *, lr=1e-2, beta=0.9, clip=1.0):  # type: ignore[no-untyped-def]
    """Momentum whose update, of all tensors together, has a largest norm."""
    m = beta * m + g
    return p - lr * m * minimum(1.0, clip / norm(m, over="all")), m


RULES = {rule.__name__: rule for rule in (lamb, adafactor, cautious, overall)}
# What each case steps: the rule, the dtype of parameters, the format of states.
CASES = [
    *((name, torch.float32, "float32") for name in RULES),
    ("adafactor", torch.float64, "float32"),
    ("overall", torch.float64, "float32"),
    ("lamb", torch.float32, "int8"),
]


def drawn(name: str, seed: int, dtype: torch.dtype) -> torch.Tensor:
    """Numbers that depend on the name and the seed."""
    made = torch.Generator().manual_seed(1000 * seed + list(SHAPES).index(name))
    return torch.randn(SHAPES[name], generator=made).to(dtype)


def module(dtype: torch.dtype, mesh: Any) -> nn.ParameterDict:
    """Named parameters, sharded over a mesh if there is one; the last is whole on every rank."""
    made = {n: nn.Parameter(cut(drawn(n, 0, dtype), mesh)) for n in SHAPES}
    return nn.ParameterDict({**made, "whole": nn.Parameter(drawn("cube", 0, dtype))})


def give(net: nn.ParameterDict, step: int, mesh: Any) -> None:
    """The gradients of a step; one parameter has none in the second."""
    for name, p in net.items():
        g = drawn("cube" if name == "whole" else name, step + 1, p.dtype)
        p.grad = g if name == "whole" else cut(g, mesh)
    if step == 1:
        net["narrow"].grad = None


def full(value: torch.Tensor) -> torch.Tensor:
    """All of a tensor."""
    return value.full_tensor() if isinstance(value, DTensor) else value.detach().clone()


def run(case: tuple[str, torch.dtype, str], mesh: Any = None) -> States:
    """Parameters and states after four steps."""
    name, dtype, state = case
    net = module(dtype, mesh)
    given = {"state": lambda key, array: state if key in WHOLE_ROWS else "float32"}
    opt = adamas.torch.optimizer(RULES[name])(net.named_parameters(), seed=5, **given)
    for step in range(4):
        give(net, step, mesh)
        opt.step()
    return {
        n: {"p": full(p), **{k: full(v) for k, v in opt.state[p].items()}} for n, p in net.items()
    }


def same(found: States, expected: States, case: Any) -> None:
    """The same bits, in arrays of the same names and shapes."""
    for name, entry in expected.items():
        assert found[name].keys() == entry.keys(), (case, name)
        for key, value in entry.items():
            got = found[name][key].reshape(value.shape)
            assert torch.equal(got, value), (case, name, key)


def bits() -> None:
    """One, two and four ranks have the bits of one process."""
    expected = [run(case) for case in CASES]

    def work(mesh: Any) -> None:
        for case, known in zip(CASES, expected, strict=True):
            same(run(case, mesh), known, case)

    for ranks in (1, 2, 4):
        on_ranks(ranks, work)


SCENARIOS: dict[str, Callable[[], None]] = {"bits": bits}

if __name__ == "__main__":
    # Threads of torch do not survive the forks.
    torch.set_num_threads(1)
    SCENARIOS[sys.argv[1]]()
