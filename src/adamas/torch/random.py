"""Rounding on other devices: the codecs' own text on tensors, with the kernels' random numbers.

Both are integer arithmetic of 32 bits that wraps around, so a tensor on any device is rounded to
the same bits as in a kernel.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from adamas.codecs import Codec
from adamas.engine.grid import Grid
from adamas.kernel import dither
from adamas.words import rebound

WORDS = {
    "where": torch.where,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "is_nan": lambda bits: bits.view(torch.float32).isnan(),
}


@cache
def on_tensors(function: Callable[..., Any]) -> Callable[..., torch.Tensor]:
    """A codec's function with its words bound to torch."""
    return rebound(function, WORDS)


def step_key(seed: int, own: int, step: int) -> int:
    """The key of the random numbers of one parameter and step, counted from 1."""
    return int(dither.step_key(seed, dither.whole(own), dither.whole(step))[0])


def words(key: int, purpose: int, grid: Grid, first: int, device: torch.device) -> torch.Tensor:
    """A random int32 for every element, flat, in memory order; blocks count from `first` on."""

    def count(n: int) -> torch.Tensor:
        return torch.arange(n, dtype=torch.int32, device=device)

    made: torch.Tensor = dither.words(key, purpose, grid.rows, grid.width, count, first)
    return made


def decoded(codec: Codec, given: torch.Tensor, rest: torch.Tensor | None) -> torch.Tensor:
    """The float32 numbers of a bfloat16 tensor, with its correction bits where it has them."""
    if rest is None:
        return given.to(torch.float32)
    assert codec.decode is not None
    codes = given.view(torch.int16).to(torch.int32)
    return on_tensors(codec.decode)(codes, rest.to(torch.int32)).view(torch.float32)


def encoded(
    codec: Codec, values: torch.Tensor, random: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Float32 `values` as bfloat16, and what that lacks if `codec` keeps it."""
    assert codec.encode is not None
    bits = values.contiguous().view(torch.int32)
    codes = on_tensors(codec.encode)(bits, 0, random).to(torch.int16).view(torch.bfloat16)
    if codec.rest is None:
        return codes, None
    rest = on_tensors(codec.rest)(bits, random)
    return codes, rest.to(torch.int16 if codec.beside == "int16" else torch.int8)
