"""Whole arrays of codes, encoded and decoded with the same text that kernels are made of."""

from collections.abc import Mapping

import numpy as np

from adamas.codecs import BLOCK, Codec
from adamas.engine.grid import Array, Grid, Order
from adamas.kernel.layout import REST, SCALE, columns

# Random words that round to nearest: one half in the bits that a codec takes.
HALF = -(1 << 31)
HALVES = {"bfloat16_random": 1 << 15, "split8": 1 << 7}
# `mean4` adds floats: near the largest one, or to a NaN, NumPy would warn of what is meant.
quiet = np.errstate(all="ignore")


def lowest(codec: Codec) -> int:
    """The scale of a block of zeros."""
    assert codec.low is not None
    return int(codec.low(np.zeros(1, np.int32))[0])


@quiet
def decode(codec: Codec, arrays: Mapping[str, Array], name: str, grid: Grid) -> Array:
    """The float32 numbers of array `name`, flat, in memory order."""
    codes = arrays[name]
    assert codec.decode is not None
    if codec.beside:
        rest = arrays[name + REST].ravel().astype(np.int32)
        return _floats(codec.decode(codes.ravel().astype(np.int32), rest))
    if codec.low is None:
        return _floats(codec.decode(codes.ravel().astype(np.int32), 0))
    flat = _unpacked(codes, grid) if codec.bits == 4 else codes.ravel()
    lows = _spread(arrays[name + SCALE].astype(np.int32), grid)
    found = _floats(codec.decode(flat.astype(np.int32), lows))
    found[lows == 0] = np.nan
    return found


def decoded(codec: Codec, arrays: Mapping[str, Array], name: str, order: Order) -> Array:
    """The float32 numbers of `name` in the shape of `order`; `arrays` are as a state keeps them."""
    flat = {
        c.name: arrays[c.name] if c.flat else order.dense(arrays[c.name]).ravel()
        for c in columns(name, codec)
    }
    return order.turned(decode(codec, flat, name, order.grid))


def shapes(codec: Codec, name: str, order: Order) -> dict[str, tuple[int, ...]]:
    """The shape of every array in which a state keeps `name`."""
    return {
        column.name: (order.grid.length(column),) if column.flat else order.shape
        for column in columns(name, codec)
    }


@quiet
def encode(codec: Codec, name: str, values: Array, grid: Grid) -> dict[str, Array]:
    """Flat float32 `values` as the columns of `name`, rounded to nearest, all of them flat."""
    assert codec.encode is not None
    bits = np.ascontiguousarray(values, np.float32).view(np.int32)
    random = np.full(bits.shape, HALVES.get(codec.name, HALF), np.int32)
    code, *others = columns(name, codec)
    if codec.rest:
        rest = codec.rest(bits, random).astype(codec.beside)
        codes = codec.encode(bits, 0, random)
        return {name: codes.astype(codec.dtype), others[0].name: rest}
    if codec.low is None:
        return {name: codec.encode(bits, 0, random).astype(codec.dtype)}
    lows = codec.low(_most(bits & 0x7FFFFFFF, grid))
    codes = codec.encode(bits, _spread(lows, grid), random).astype(codec.dtype)
    # What a lost block holds does not matter, but it must not depend on the machine.
    codes[_spread(lows, grid) == 0] = 0
    flat = _packed(codes, grid) if code.bits == 4 else codes
    return {name: flat, others[0].name: lows.astype(np.uint8)}


def at_floor(codec: Codec, codes: Array, grid: Grid) -> float:
    """The share of codes of blocks that stand for the smallest size there is, 0 for a mean."""
    flat = _unpacked(codes, grid) if codec.bits == 4 else codes.view(np.uint8)
    return float(np.count_nonzero(lowest_codes(codec)[flat]) / max(1, flat.size))


def lowest_codes(codec: Codec) -> Array:
    """For every code whether it stands for the smallest size there is."""
    assert codec.decode is not None
    every = np.arange(1 << codec.bits, dtype=np.int32)
    # In whatever octave the codes begin, the same ones are the lowest.
    sizes = codec.decode(every, np.int32(100)) & 0x7FFFFFFF
    return np.asarray(sizes == sizes[0])


def _floats(bits: Array) -> Array:
    return np.asarray(bits, np.int32).view(np.float32).copy()


def _starts(grid: Grid) -> Array:
    """The first element of every block."""
    row = np.arange(0, grid.width, BLOCK)
    return (np.arange(grid.rows)[:, None] * grid.width + row).ravel()


def _lengths(grid: Grid) -> Array:
    return np.diff(np.append(_starts(grid), grid.rows * grid.width))


def _spread(lows: Array, grid: Grid) -> Array:
    return np.repeat(lows, _lengths(grid))


def _most(bits: Array, grid: Grid) -> Array:
    return np.maximum.reduceat(bits, _starts(grid)) if bits.size else bits


def _places(grid: Grid) -> tuple[Array, Array]:
    """For each element of a packed tensor: its byte, and whether it is the upper half of it."""
    lengths = _lengths(grid)
    halves = (lengths + 1) // 2
    within = np.arange(grid.rows * grid.width) - np.repeat(_starts(grid), lengths)
    half, first = np.repeat(halves, lengths), np.repeat(np.cumsum(halves) - halves, lengths)
    return first + within % np.maximum(half, 1), within >= half


def _unpacked(codes: Array, grid: Grid) -> Array:
    byte, upper = _places(grid)
    return np.where(upper, codes[byte] >> 4, codes[byte] & 15)


def _packed(codes: Array, grid: Grid) -> Array:
    byte, upper = _places(grid)
    packed = np.zeros(grid.rows * grid.row_bytes, np.uint8)
    packed[byte[~upper]] = codes[~upper]
    packed[byte[upper]] |= codes[upper] << 4
    return packed
