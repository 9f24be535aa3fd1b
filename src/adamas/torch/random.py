"""Rounding on other devices: the codecs' own text on tensors, with the kernels' random numbers.

Both are integer arithmetic of 32 bits that wraps around, so a tensor on any device is rounded to
the same bits as in a kernel.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from adamas.codecs import BLOCK, Codec
from adamas.engine.grid import Grid
from adamas.words import rebound

GOLDEN, PURPOSE = -1640531535, 668265263
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


def wrapped(number: int) -> int:
    """The int32 that has the lowest 32 bits of `number`."""
    return ((number + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def mix(key: int, number: int, purpose: int) -> int:
    """`mix` of `adamas.kernel.runtime.integers` on whole numbers."""
    x = (key ^ (number * GOLDEN)) + purpose * PURPOSE & 0xFFFFFFFF
    x = (x ^ x >> 16) * 0x7FEB352D & 0xFFFFFFFF
    x = (x ^ x >> 15) * 0x846CA68B & 0xFFFFFFFF
    return x ^ x >> 16


def step_key(seed: int, own: int, step: int) -> int:
    """The key of the random numbers of one parameter and step, counted from 1."""
    return mix(mix(seed, own, 0), step, 1)


def words(key: int, purpose: int, grid: Grid, first: int, device: torch.device) -> torch.Tensor:
    """A random int32 for every element, flat, in memory order; blocks count from `first` on."""
    blocks = torch.arange(first, first + grid.blocks, dtype=torch.int32, device=device)
    x = (blocks * GOLDEN ^ wrapped(key)) + wrapped(purpose * PURPOSE)
    x = (x ^ _down(x, 16)) * 0x7FEB352D
    x = (x ^ _down(x, 15)) * wrapped(0x846CA68B)
    x = x ^ _down(x, 16)
    dither = torch.arange(BLOCK, dtype=torch.int32, device=device) * GOLDEN
    every = (x[:, None] + dither).reshape(grid.rows, grid.row_blocks * BLOCK)
    return every[:, : grid.width].reshape(-1)


def _down(x: torch.Tensor, bits: int) -> torch.Tensor:
    """A shift to the right that fills with zeros."""
    return (x >> bits) & ((1 << 32 - bits) - 1)


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
