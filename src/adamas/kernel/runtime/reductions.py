"""What is asked of a block of gradients before it is used: the largest, and the sum of squares.

Both are exact questions: `largest` compares bits, in which sizes of floats have the order of
integers and NaN is larger than infinity; squares of numbers of up to 32 bits are exact in float64
and added in an order that depends on nothing but the block.
"""

from typing import Any

from adamas.kernel.runtime import job as j
from adamas.kernel.runtime.operations import (
    compiled,
    compiled_as,
    float64,
    integers,
    interpreted,
    load_float32,
    load_float64,
    load_int64,
    number64,
    store_float64,
)

LANES = 16
# Loads that say nothing of what they do not meet: the same memory is written under another number.
ANY = 99
SIGNLESS = 0x7FFFFFFF
SIGNLESS64 = 0x7FFFFFFFFFFFFFFF


@compiled
def finite(x: Any) -> Any:
    """Whether a number is neither NaN nor infinite."""
    return x - x == 0


@compiled
def largest_float32(at: int, first: int, count: int) -> Any:
    """The largest magnitude of so many numbers; NaN if one is NaN."""
    integers.inline()
    most = integers.int32(0)
    for i in range(first, first + count):
        size = integers.both(integers.load_int32(at, i, ANY), integers.int32(SIGNLESS))
        most = integers.larger(most, size)
    return integers.number(most)


@compiled
def largest_float64(at: int, first: int, count: int) -> Any:
    """The largest magnitude of so many numbers; NaN if one is NaN."""
    integers.inline()
    most = 0
    for i in range(first, first + count):
        most = max(most, load_int64(at, i, ANY) & SIGNLESS64)
    return number64(most)


@compiled
def _largest_code(at: int, first: int, count: int) -> Any:
    integers.inline()
    most = integers.int32(0)
    for i in range(first, first + count):
        size = integers.both(integers.load_uint16(at, i, ANY), integers.int32(0x7FFF))
        most = integers.larger(most, size)
    return most


@compiled
def largest_float16(at: int, first: int, count: int) -> Any:
    """The largest magnitude of so many numbers, as a float32; NaN if one is NaN."""
    integers.inline()
    return integers.number_float16(_largest_code(at, first, count))


@compiled
def largest_bfloat16(at: int, first: int, count: int) -> Any:
    """The largest magnitude of so many numbers, as a float32; NaN if one is NaN."""
    integers.inline()
    return integers.number(integers.left(_largest_code(at, first, count), integers.int32(16)))


@compiled
def _read_bfloat16(at: int, i: int, scope: Any) -> Any:
    integers.inline()
    return integers.number(integers.left(integers.load_uint16(at, i, ANY), integers.int32(16)))


def _tally(name: str, load: Any, size: int) -> Any:
    """The function that adds squares to the sums of `clear`, number i of a block to sum i % 16."""
    whole: Any = None
    if not interpreted:
        from adamas.kernel.runtime.lanes import SQUARES

        whole = SQUARES[name]

    @compiled_as(f"tally_{name}")
    def tally(at: int, first: int, count: int, sums: int) -> None:
        if whole is not None and count == j.TILE:
            whole(at + size * first, sums)
        else:
            for i in range(count):
                x = float64(load(at, first + i, ANY))
                lane = i & (LANES - 1)
                store_float64(sums, lane, ANY, load_float64(sums, lane, ANY) + x * x)

    return tally


def _doubtful(name: str, size: int) -> Any:
    """The function that says whether a block must be looked at number by number."""
    if interpreted:
        return lambda at, first, count, factor, zero: True
    from adamas.kernel.runtime.lanes import DOUBTFUL

    whole = DOUBTFUL[name]

    @compiled_as(f"doubtful_{name}")
    def doubtful(at: int, first: int, count: int, factor: Any, zero: Any) -> Any:
        integers.inline()
        return count != j.TILE or whole(at + size * first, factor, zero)

    return doubtful


tally_float32 = _tally("float32", load_float32, 4)
tally_float64 = _tally("float64", load_float64, 8)
tally_float16 = _tally("float16", integers.load_float16, 2)
tally_bfloat16 = _tally("bfloat16", _read_bfloat16, 2)
doubtful_float32 = _doubtful("float32", 4)
doubtful_float64 = _doubtful("float64", 8)
doubtful_float16 = _doubtful("float16", 2)
doubtful_bfloat16 = _doubtful("bfloat16", 2)


@compiled
def clear(sums: int) -> None:
    """Set all sums to zero."""
    for lane in range(LANES):
        store_float64(sums, lane, ANY, 0.0)


@compiled
def total(sums: int) -> Any:
    """The sum of all sums, in their order."""
    found = 0.0
    for lane in range(LANES):
        found += load_float64(sums, lane, ANY)
    return found


@compiled
def squares(row: int, tally: Any) -> Any:
    """The sum of squares of a slice's gradient, block by block as a sweep meets them."""
    at, count = load_int64(row, j.GRADIENT, 0), load_int64(row, j.COUNT, 0)
    span, sums = load_int64(row, j.SPAN, 0), integers.scratch(128)
    clear(sums)
    for start in range(0, count, span):
        stop = min(start + span, count)
        for first in range(start, stop, j.TILE):
            tally(at, first, min(j.TILE, stop - first), sums)
    return total(sums)
