"""Steps with a gradient that is not finite, and what must come of them: blocks kept, others moved.

Which elements form one block is written here a second time, by the words of decision 0004.
"""

from typing import Any

import numpy as np
import pytest

import adamas
from few_bits import Cut
from stepping import Array, named

CODED = ("bfloat16", "int8", "int4")


def numbers(shape: Any, dtype: str, seed: int) -> Array:
    """Random numbers; uint16 are the bits of bfloat16."""
    found = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    if dtype == "uint16":
        return (found.view(np.uint32) >> 16).astype(np.uint16)
    return found.astype(dtype)


def bad(dtype: str, value: float) -> Any:
    """A number that is not finite, in a gradient's dtype."""
    if dtype == "uint16":
        return np.uint16(np.array(value, np.float32).view(np.uint32) >> 16)
    return np.dtype(dtype).type(value)


def blocks(shape: tuple[int, ...], coded: bool) -> Array:
    """The number of every element's block, in the order of memory.

    128 elements each; where something is coded, rows of 64 elements or more begin anew.
    """
    size = int(np.prod(shape))
    return Cut(shape).numbers()[0] if coded else np.arange(size) // 128


def arrays(optimizer: adamas.Optimizer) -> dict[str, Array]:
    """Copies of every array of an optimizer, by the parameter's name and its own."""
    found = {f"{name}": array.copy() for name, array in named(optimizer).items()}
    for name, entry in optimizer.state.items():
        for key, value in entry.items():
            if isinstance(value, np.ndarray):
                found[f"{name} {key}"] = value.copy()
    return found


def numbers_of(optimizer: adamas.Optimizer) -> dict[str, float]:
    """Counts and scalar states."""
    found = {"steps": float(optimizer.steps)}
    for name, entry in optimizer.state.items():
        for key, value in entry.items():
            if not isinstance(value, np.ndarray):
                found[f"{name} {key}"] = value
    return found


def kept(array: Array, block: Array, lost: Array, order: Any) -> Array:
    """Which entries of an array belong to lost blocks: elements, scales, or bytes of int4 codes.

    `block` numbers the blocks of all elements in the order of memory; `lost` names blocks.
    """
    gone = np.isin(block, lost)
    if array.size == block.size:
        return gone.reshape(array.shape, order=order)
    lengths = np.bincount(block)
    each = np.isin(np.arange(len(lengths)), lost)
    if array.size == len(lengths):
        return each.reshape(array.shape)
    return np.repeat(each, (lengths + 1) // 2).reshape(array.shape)


def check(
    optimizer: adamas.Optimizer,
    twin: adamas.Optimizer,
    steps: tuple[Any, Any],
    where: dict[str, tuple[Array, Array]],
    order: Any = "C",
) -> adamas.NonFiniteError:
    """Step both, the twin with finite numbers in place of the others; nothing else may differ.

    `where` names for every spoilt parameter its blocks and those that are lost.
    """
    before = arrays(optimizer)
    with pytest.raises(adamas.NonFiniteError) as raised:
        optimizer.step(steps[0])
    assert twin.step(steps[1])
    after, other = arrays(optimizer), arrays(twin)
    for name, found in after.items():
        expected = other[name]
        if (key := name.split()[0]) in where:
            mask = kept(found, *where[key], order)
            expected = np.where(mask, before[name], expected)
        assert found.tobytes() == expected.tobytes(), name
    assert numbers_of(optimizer) == numbers_of(twin)
    out = sum(int(np.isin(block, lost).sum()) for block, lost in where.values())
    assert raised.value.left == out
    return raised.value
