"""Sides that only the full comparison needs: fresh gradients, torch on huge pages, a plain loop."""

import itertools
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from adamas import AdamW
from adamas.lab.peers import ONE, Array, Halves, torch_held
from adamas.lab.timing import Side

if TYPE_CHECKING:
    import torch

FRESH = 64


def _fresh(grads: Sequence[Array]) -> list[list[Array]]:
    """Lists of new array objects on the same memory: what is new each step is not the traffic."""
    return [[g[...] for g in grads] for _ in range(FRESH)]


def adamas_fresh_side(grads: Sequence[Array]) -> Side:
    """AdamW of adamas, given array objects that it did not see in the step before."""
    params = [np.ones_like(g) for g in grads]
    optimizer = AdamW(params)
    given = itertools.cycle(_fresh(grads))
    return Side(lambda: optimizer.step(next(given)), lambda: params[0])


def torch_fresh_side(grads: Sequence[Array]) -> Side:
    """Fused AdamW of torch; every step each `grad` is a new tensor, as after `zero_grad`."""
    import torch

    params = [torch.nn.Parameter(torch.ones(g.shape)) for g in grads]
    optimizer = torch.optim.AdamW(params, lr=1e-3, weight_decay=1e-2, fused=True)
    given = itertools.cycle([[torch.from_numpy(g) for g in each] for each in _fresh(grads)])

    def step() -> None:
        for p, g in zip(params, next(given), strict=True):
            p.grad = g
        optimizer.step()

    return Side(step, lambda: params[0].detach().numpy())


def torch_huge_side(grads: Sequence[Array]) -> Side:
    """Fused AdamW of torch on memory of NumPy, which asks for huge pages where torch does not.

    torch steps about a tenth faster on them, so this is torch at its best.
    """
    import torch

    return _huge([torch.from_numpy(np.ones_like(g)) for g in grads], map(torch.from_numpy, grads))


def torch_bfloat16_huge_side(grads: Sequence[Halves]) -> Side:
    """The same with parameters, gradients and state in bfloat16."""
    import torch

    kind = torch.bfloat16
    params = [torch.from_numpy(np.full_like(g, ONE)).view(kind) for g in grads]
    return _huge(params, (torch.from_numpy(g).view(kind) for g in grads))


def _huge(values: "Sequence[torch.Tensor]", grads: "Iterable[torch.Tensor]") -> Side:
    import torch

    params = [torch.nn.Parameter(value) for value in values]
    for p, g in zip(params, grads, strict=True):
        p.grad = g
    optimizer = torch.optim.AdamW(params, lr=1e-3, weight_decay=1e-2, fused=True)
    optimizer.step()
    for p in params:
        for name in ("exp_avg", "exp_avg_sq"):
            kept = optimizer.state[p][name]
            copy = torch.from_numpy(np.empty(kept.nbytes, np.uint8)).view(kept.dtype)
            optimizer.state[p][name] = copy.view(kept.shape).copy_(kept)
    held = partial(torch_held, optimizer)
    return Side(optimizer.step, lambda: params[0].detach().float().numpy(), held)


def loop_side(grads: Sequence[Array]) -> Side:
    """The traffic of the memory limit in a plain parallel Numba loop: a witness without adamas."""
    arrays = [(np.ones_like(g), g, np.zeros_like(g), np.zeros_like(g)) for g in grads]

    @numba.njit(parallel=True)  # type: ignore[untyped-decorator]
    def loop(p: Any, g: Any, m: Any, v: Any) -> None:
        for i in numba.prange(p.size):
            m[i] += g[i]
            v[i] -= g[i]
            p[i] -= m[i]

    def step() -> None:
        for each in arrays:
            loop(*each)

    return Side(step, lambda: arrays[0][0])
