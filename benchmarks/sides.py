"""What only the full comparison needs: fresh gradients, torch on huge pages, a plain loop."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from adamas.bench.peers import Array, Halves, torch_optimizer, torch_sided
from adamas.bench.timing import Side

if TYPE_CHECKING:
    import torch

FRESH = 64


def fresh_arrays(grads: Sequence[Array]) -> Iterator[list[Array]]:
    """Lists of new array objects on the same memory: what is new each step is not the traffic."""
    return itertools.cycle([[g[...] for g in grads] for _ in range(FRESH)])


def fresh_tensors(
    params: "Sequence[torch.Tensor]", grads: Sequence[Array], step: Callable[[], object]
) -> Callable[[], None]:
    """A step before which each `grad` becomes a new tensor on the same memory."""
    import torch

    given = itertools.cycle([[torch.from_numpy(g) for g in grads] for _ in range(FRESH)])

    def fresh_step() -> None:
        for p, g in zip(params, next(given), strict=True):
            p.grad = g
        step()

    return fresh_step


def torch_bfloat16_huge_side(grads: Sequence[Halves], params: Sequence[Halves]) -> Side:
    """Fused AdamW of torch in bfloat16, all of it in NumPy's memory.

    That asks for huge pages where torch does not, and torch steps up to a tenth faster there.
    """
    import torch

    kind = torch.bfloat16
    values, given = [[torch.from_numpy(x).view(kind) for x in each] for each in (params, grads)]
    optimizer = torch_optimizer(values, given, fused=True)
    optimizer.step()
    for p in optimizer.param_groups[0]["params"]:
        for name in ("exp_avg", "exp_avg_sq"):
            kept = optimizer.state[p][name]
            copy = torch.from_numpy(np.empty(kept.nbytes, np.uint8)).view(kept.dtype)
            optimizer.state[p][name] = copy.view(kept.shape).copy_(kept)
    return torch_sided(optimizer)


def loop_over(arrays: Sequence[tuple[Array, Array, Array, Array]]) -> Side:
    """The traffic of the memory limit in a plain parallel Numba loop: a witness without adamas.

    `arrays` are parameter, gradient and both moments, several times.
    """
    flat = [tuple(x.reshape(-1) for x in each) for each in arrays]

    @numba.njit(parallel=True)  # type: ignore[untyped-decorator]
    def loop(p: Any, g: Any, m: Any, v: Any) -> None:
        for i in numba.prange(p.size):
            m[i] += g[i]
            v[i] = abs(v[i] - g[i])
            p[i] -= m[i]

    def step() -> None:
        for each in flat:
            loop(*each)

    return Side(step, lambda: arrays[0][0])
