"""A formula as functions of tensors: the kernel's own text, with the words bound to torch.

What depends on hyper-parameters and t alone is computed in float64 on the CPU, as in the kernel;
the body runs on whole tensors of any device, and `torch.compile` fuses it where it can.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from adamas import words
from adamas.kernel.bound import ELEMENTWISE, Bound
from adamas.kernel.formula import Formula
from adamas.kernel.totals import axes, counted, kept
from adamas.newton_schulz import iterated

WORDS: dict[str, Any] = {name: getattr(torch, name) for name in ELEMENTWISE}
NUMBERS: dict[str, Any] = {name: getattr(words, name) for name in words.__all__}


class TensorFormula:
    """`constants(...)` once a step and a tensor, and `body(p, g, *kept, *constants)` on tensors.

    Both are those of `Bound`, whose attributes these are. Raises ValueError for a formula that
    draws.
    """

    def __init__(self, formula: Formula) -> None:
        if formula.draws:
            raise ValueError(
                f"{formula.name} draws random numbers, which only parameters on the CPU have yet: "
                "step it there."
            )
        bound = Bound(formula)
        self.kept, self.makes, self._following = bound.kept, bound.makes, bound.following
        self.asks_first, self.reduces = bound.asks_first, bound.reduces
        self._once = bound.once(NUMBERS, np.float64)
        self.body: Callable[..., tuple[torch.Tensor, ...]] = bound.body(
            WORDS | REDUCED | {"orthogonalize": _orthogonalize}, _narrow
        )

    def constants(
        self, t: int, hypers: Mapping[str, float], scalars: Mapping[str, float]
    ) -> tuple[list[float], dict[str, float]]:
        """The body's constants at step `t`, and the new values of the scalar states made here.

        `hypers` are the numbers that the rule asks for; `rows` and `columns` may be among them.
        """
        given = {**hypers, **scalars, "t": t}
        # Both sides of a choice are evaluated, so the side not taken may divide by zero.
        with np.errstate(all="ignore"):
            found, following = self._once(**{k: np.float64(value) for k, value in given.items()})
        made = dict(zip(self._following, map(float, following), strict=True))
        return list(map(float, found)), made


def _narrow(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return value.to(like.dtype)


def widest(device: torch.device) -> torch.dtype:
    """The dtype of sums, and of what is computed of them: float64 where a device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


def _total(x: torch.Tensor, over: str) -> torch.Tensor:
    return x.sum(axes(x.ndim, over), keepdim=kept(over), dtype=widest(x.device))


def _norm(x: torch.Tensor, over: str) -> torch.Tensor:
    # Unlike a sum of squares it makes no wide copy of the tensor.
    dims, dtype = axes(x.ndim, over), widest(x.device)
    found: torch.Tensor = torch.linalg.vector_norm(x, 2, dims, kept(over), dtype=dtype)
    return found


REDUCED: dict[str, Callable[[torch.Tensor, str], torch.Tensor]] = {
    "total": _total,
    "norm": _norm,
    "mean": lambda x, over: _total(x, over) / counted(x.shape, over),
    "rms": lambda x, over: _norm(x, over) / counted(x.shape, over) ** 0.5,
}


def _orthogonalize(x: torch.Tensor, coefficients: str) -> torch.Tensor:
    # Of two dimensions at least: of a vector nothing is orthogonalized.
    made: torch.Tensor = iterated(x.reshape(len(x), math.prod(x.shape[1:])), coefficients)
    return made.reshape(x.shape)


def guarded(body: Callable[..., Any], kept: int) -> Callable[..., Any]:
    """`body` with the old values of p and `kept` states where its first argument says so.

    So too where a new value is above what its format holds, of which `limits` are the largest, or
    NaN; of a mask of one number that makes all old. The mask that comes of it follows the values.
    The parts of a complex number, `paired` in the last dimension, stay together.
    """

    def run(
        mask: torch.Tensor,
        limits: Sequence[float],
        paired: bool,
        p: torch.Tensor,
        g: torch.Tensor,
        *others: torch.Tensor,
    ) -> Any:
        made = body(p, g, *others)
        # Of what a tensor has one number of, a rule of single elements makes nothing here.
        for new, most in zip(made, limits, strict=False):
            wrong = ~(new.abs() <= most)
            wrong = wrong.any(-1, keepdim=True).expand_as(wrong) if paired and mask.ndim else wrong
            mask = mask | (wrong if mask.ndim else wrong.any())
        pairs = zip((p, *others[:kept]), made[: kept + 1], strict=True)
        olds = (torch.where(mask, old, new) for old, new in pairs)
        return (*olds, *made[kept + 1 :], mask)

    return run


def compiled(body: Callable[..., Any]) -> Callable[..., Any]:
    """`body` under torch.compile; line by line once that has failed, and for tensors on the CPU."""
    fused: list[Any] = []

    def run(p: torch.Tensor, *others: torch.Tensor) -> Any:
        if p.device.type in ("cpu", "meta") or fused == [None]:
            return body(p, *others)
        try:
            if not fused:
                fused.append(torch.compile(body, dynamic=True))
            return fused[0](p, *others)
        except Exception:
            # No compiler for this device; what is wrong with the formula itself shows again.
            fused[:] = [None]
            return body(p, *others)

    return run
