"""The scenarios of `torch_ranks` with three rules: AdamW, Lion, and one that makes whole matrices.

`python torch_ruled.py SCENARIO RANKS STATE`.
"""

import sys
from typing import Any

import torch
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


def make(net: nn.Module, state: str, **more: Any) -> AdamW:
    """An optimizer of large steps by three rules."""
    params = net.named_parameters()
    return AdamW(params, lr=0.03, routes=ROUTES, state=state, seed=5, **more)


if __name__ == "__main__":
    torch_ranks.make = make
    if sys.argv[1] in ("guard", "first"):
        # These also step shards as other devices do, where there are no matrices.
        del ROUTES["narrow|^2"]
    # Threads of torch do not survive the forks.
    torch.set_num_threads(1)
    torch_ranks.SCENARIOS[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
