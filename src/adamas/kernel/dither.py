"""The random words of rounding, on arrays of any home: the kernels' own, bit for bit.

A step of a tensor has a key, which is a hash of the seed, the tensor's own number and the step; a
block has a hash of that key, its place and the number of the array that is rounded; its elements
add to it what their place in the block says (docs/decisions/0009-random-rounding.md). All of it is
arithmetic on arrays of int32 that wraps around: NumPy's, torch's, JAX's. A home whose arrays have
no operator `>>` or no method `reshape` gives `_down` and `_shaped` its own meaning by `rebound`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from adamas.codecs import BLOCK

GOLDEN, PURPOSE = -1640531535, 668265263
FIRST, SECOND = 0x7FEB352D, -2073254261


def wrapped(number: int) -> int:
    """The int32 that has the lowest 32 bits of `number`."""
    return ((number + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def whole(number: int) -> Any:
    """The same as an array of one int32, which wraps around without a warning."""
    return np.array([wrapped(number)], np.int32)


def mix(key: Any, number: Any, purpose: int) -> Any:
    """32 random bits for each `number`; one of `key` and `number` may be an int of 32 bits."""
    x = (number * GOLDEN ^ key) + wrapped(purpose * PURPOSE)
    x = (x ^ _down(x, 16)) * FIRST
    x = (x ^ _down(x, 15)) * SECOND
    return x ^ _down(x, 16)


def step_key(seed: Any, own: Any, step: Any) -> Any:
    """The key of a step, counted from 1, of the tensor with the number `own`.

    `own` and `step` are arrays of int32, `seed` is one or an int; each of them may be traced.
    """
    key = wrapped(seed) if isinstance(seed, int) else seed
    return mix(mix(key, own, 0), step, 1)


def words(
    key: Any, purpose: int, rows: int, width: int, count: Callable[[int], Any], first: int = 0
) -> Any:
    """A random int32 for each of `rows` times `width` elements, flat, in the order of memory.

    Blocks begin anew with every row, and count from `first` on. `count(n)` makes the int32 from 0
    to n - 1 of this home; `key` is one number, or an array of one.
    """
    blocks = -(-width // BLOCK)
    each = mix(key, count(rows * blocks) + first, purpose)
    every = _shaped(each, (-1, 1)) + count(BLOCK) * GOLDEN
    return _shaped(_shaped(every, (rows, blocks * BLOCK))[:, :width], (-1,))


def _down(x: Any, bits: int) -> Any:
    """A shift to the right that fills with zeros."""
    return (x >> bits) & ((1 << 32 - bits) - 1)


def _shaped(x: Any, shape: tuple[int, ...]) -> Any:
    return x.reshape(shape)


__all__ = ["mix", "step_key", "whole", "words", "wrapped"]
