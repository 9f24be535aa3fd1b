"""Scenarios of `torch_ranks` with three rules: AdamW, Lion, and one that makes whole matrices."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from torch import nn

import torch_ranks
from adamas.torch import AdamW
from adamas.words import orthogonalize


def matrices(p: Any, g: Any, m: Any, *, lr: float = 0.03, beta: float = 0.9) -> Any:
    """Momentum of which the nearest orthogonal matrix is taken: ranks put its rows together."""
    m = beta * m + (1 - beta) * g
    return p - lr * orthogonalize(m), m


# "rows", and the first layer's weight, are AdamW's; "short" is not always sharded.
ROUTES = {
    "few|short|bias": {"rule": "lion", "lr": 0.01},
    "narrow|^2": matrices,
    "": {"rule": "adamw", "weight_decay": 0.1},
}


def make(routes: Any, net: nn.Module, state: str, **more: Any) -> AdamW:
    """An optimizer of large steps by several rules."""
    params = net.named_parameters()
    return AdamW(params, lr=0.03, routes=routes, state=state, seed=5, **more)


def ruled(name: str, ranks: int, state: str) -> None:
    """The scenario of this name, by three rules."""
    # Some also step shards as other devices do, where there are no matrices.
    left = {} if name in ("guard", "first") else {"narrow|^2": matrices}
    routes = {key: rule for key, rule in ROUTES.items() if key in left or rule is not matrices}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_ranks, "make", partial(make, routes))
        torch_ranks.SCENARIOS[name](ranks, state)


SCENARIOS: dict[str, Callable[[int, str], None]] = {
    f"ruled-{name}": partial(ruled, name)
    for name in ("clip", "nonfinite", "guard", "first", "checkpoint", "fsdp")
}
