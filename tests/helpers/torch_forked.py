"""Steps around data loaders whose workers are forks, for a process of their own."""

from typing import Any

import numpy as np
import torch
from torch import nn

import adamas
from adamas.torch import SGD


class Squares(torch.utils.data.Dataset[Any]):
    """Numbers that the workers make by steps of their own."""

    def __len__(self) -> int:
        """Eight of them."""
        return 8

    def __getitem__(self, index: int) -> float:
        """One, after a step of a NumPy optimizer in the worker: its threads are its own."""
        p = np.full(1 << 18, 2.0, np.float32)
        adamas.SGD(p, lr=0.25, threads=2).step(p * 2)
        return float(p[0] + p[-1] + index)


def fork_after_steps() -> None:
    """Step, load with workers that step, step again."""
    p = nn.Parameter(torch.ones(1 << 18))
    p.grad = torch.ones_like(p)
    opt = SGD([p], lr=0.5, threads=2)
    opt.step()
    loader = torch.utils.data.DataLoader(
        Squares(), num_workers=2, collate_fn=list, multiprocessing_context="fork", timeout=60
    )
    found = []
    for numbers in loader:
        found += numbers
        opt.step()
    assert found == [2.0 + k for k in range(8)]
    assert bool((p == 1 - 0.5 * 9).all())


if __name__ == "__main__":
    fork_after_steps()
