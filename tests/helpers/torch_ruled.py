"""The scenarios of `torch_ranks` with two rules in one optimizer: AdamW, and Lion for some.

`python torch_ruled.py SCENARIO RANKS STATE`.
"""

import sys
from typing import Any

import torch
from torch import nn

import torch_ranks
from adamas.torch import AdamW

# "rows" and "narrow", and the first layer's weight, are AdamW's; "short" is not always sharded.
ROUTES = {"few|short|bias|^2": {"rule": "lion", "lr": 0.01}, "": "adamw"}


def make(net: nn.Module, state: str, **more: Any) -> AdamW:
    """An optimizer of large steps by two rules."""
    params = net.named_parameters()
    options = {"weight_decay": 0.1, "state": state, "seed": 5, **more}
    return AdamW(params, lr=0.03, routes=ROUTES, **options)


if __name__ == "__main__":
    torch_ranks.make = make
    # Threads of torch do not survive the forks.
    torch.set_num_threads(1)
    torch_ranks.SCENARIOS[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
