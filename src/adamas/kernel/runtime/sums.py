"""Sums whose order is fixed: by the block, then by the tensor or the row, however it is split.

A block of 128 is added in 16 lanes side by side, and the lanes in pairs; what is missing of the
last block counts as zeros. The parts, one number for each block, are kept until all are there, and
then added in the same way. So the bits depend neither on threads nor on slices, and where several
processes hold parts of a tensor, each writes its own and all are there after one exchange.
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
    store_float32,
    store_float64,
)
from adamas.kernel.runtime.reductions import ANY, LANES

BYTES = 8 * j.TILE


def _block(name: str, load: Any, squared: bool) -> Any:
    """The function that adds up the 128 numbers at an address, or their squares."""
    if not interpreted:
        from adamas.kernel.runtime.lanes import ADDED

        return ADDED[name, squared]

    def added(at: int) -> Any:
        lanes = [float64(0.0)] * LANES
        for i in range(j.TILE):
            x = float64(load(at, i, ANY))
            lanes[i % LANES] += x * x if squared else x
        while len(lanes) > 1:
            half = len(lanes) // 2
            lanes = [lanes[k] + lanes[k + half] for k in range(half)]
        return lanes[0]

    return added


def _part(name: str, load: Any, store: Any, squared: bool) -> Any:
    """The function that keeps a block's part of a sum: what it adds up to, or each number.

    `at` has room for a whole block, of which `count` numbers are there.
    """
    whole, text = _block(name, load, squared), "squares" if squared else "numbers"

    @compiled_as(f"few_of_{text}_{name}")
    def few(at: int, count: int, region: int, block: int, element: int, each: int) -> None:
        if each != 0:
            for i in range(count):
                x = float64(load(at, i, ANY))
                store_float64(region, element + i, ANY, x * x if squared else x)
        else:
            for i in range(count, j.TILE):
                store(at, i, ANY, 0.0)
            store_float64(region, block, ANY, whole(at))

    @compiled_as(f"part_of_{text}_{name}")
    def part(at: int, count: int, region: int, block: int, element: int, each: int) -> None:
        integers.inline()
        if count == j.TILE and each == 0:
            store_float64(region, block, ANY, whole(at))
        else:
            few(at, count, region, block, element, each)

    return part


numbers_float32 = _part("float32", load_float32, store_float32, False)
numbers_float64 = _part("float64", load_float64, store_float64, False)
squares_float32 = _part("float32", load_float32, store_float32, True)
squares_float64 = _part("float64", load_float64, store_float64, True)
_whole = _block("float64", load_float64, False)


@compiled
def _rest(at: int, count: int) -> Any:
    """What fewer than 128 numbers add up to."""
    room = integers.scratch(1024)
    for i in range(j.TILE):
        store_float64(room, i, ANY, load_float64(at, i, ANY) if i < count else 0.0)
    return _whole(room)


@compiled
def fold(at: int, count: int) -> Any:
    """What `count` numbers add up to, block by block."""
    total, whole = 0.0, count // j.TILE
    for k in range(whole):
        total += _whole(at + BYTES * k)
    if count > j.TILE * whole:
        total += _rest(at + BYTES * whole, count - j.TILE * whole)
    return total


@compiled
def fold_few(at: int, count: int) -> Any:
    """What `count` numbers add up to, one after another: the blocks of a row."""
    total = 0.0
    for k in range(count):
        total += load_float64(at, k, ANY)
    return total


@compiled
def fold_leaves(place: int, region: int) -> Any:
    """The sum over a tensor of what its blocks, or its elements, have added to it."""
    blocks = load_int64(place, j.BLOCKS, ANY)
    if load_int64(place, j.EACH, ANY) != 0:
        count = load_int64(place, j.ROWS, ANY) * load_int64(place, j.COLUMNS, ANY)
        to = region + 8 * count
        for k in range(blocks):
            at, left = region + BYTES * k, count - j.TILE * k
            store_float64(to, k, ANY, _whole(at) if left >= j.TILE else _rest(at, left))
        return fold(to, blocks)
    return fold(region, blocks)


@compiled
def _add_rows(region: int, columns: int, first: int, last: int, step: int) -> None:
    """Add rows of numbers, `first + step` to below `last`, to the row `first`, one by one."""
    to = region + 8 * columns * first
    for k in range(first + step, last, step):
        row = region + 8 * columns * k
        for i in range(columns):
            store_float64(to, i, 0, load_float64(to, i, 0) + load_float64(row, i, 1))


@compiled
def fold_columns(place: int, region: int) -> None:
    """The sum of each column, in the memory of its first part."""
    rows, columns = load_int64(place, j.ROWS, ANY), load_int64(place, j.COLUMNS, ANY)
    groups, step = (rows + j.GROUP - 1) // j.GROUP, 1
    if load_int64(place, j.ROW_BY_ROW, ANY) != 0:
        for k in range(groups):
            _add_rows(region, columns, j.GROUP * k, min(j.GROUP * (k + 1), rows), 1)
        step = j.GROUP
    _add_rows(region, columns, 0, groups * step, step)


@compiled
def row_of(place: int, row: int) -> Any:
    """Which part of the sums of its columns a row, counted here, is added to."""
    number = load_int64(place, j.FIRST_ROW, ANY) + row
    return number if load_int64(place, j.ROW_BY_ROW, ANY) != 0 else number // j.GROUP


@compiled
def begins(place: int, row: int) -> Any:
    """Whether a row, counted here, is the first of such a part."""
    number = load_int64(place, j.FIRST_ROW, ANY) + row
    return load_int64(place, j.ROW_BY_ROW, ANY) != 0 or number % j.GROUP == 0
