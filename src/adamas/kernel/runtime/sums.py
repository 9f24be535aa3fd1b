"""Sums whose order is fixed: by the block, then by the tensor or the row, however it is split.

A block of 128 is added in 16 lanes side by side, and the lanes in pairs; what is missing of the
last block counts as zeros. The parts, one number for each block, are kept until all are there, and
then added in the same way. So the bits depend neither on threads nor on slices, and where several
processes hold parts of a tensor, each writes its own and all are there after one exchange.
"""

from typing import Any

from adamas.kernel.runtime import job as j
from adamas.kernel.runtime.operations import (
    abs,
    compiled,
    compiled_as,
    float32,
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
# Between them nothing is lost of sums of squares in float32: far from both ends of its range.
SMALLEST, LARGEST = 2.0**-90, 2.0**126
LOADS = {
    "float32": (load_float32, store_float32),
    "float64": (load_float64, store_float64),
}


def _added(name: str, lanes: str, squared: bool) -> Any:
    """The function that adds up the 128 numbers at an address, or their squares."""
    if not interpreted:
        from adamas.kernel.runtime.lanes import ADDED

        return ADDED[name, lanes, squared]
    load, kind = LOADS[name][0], float32 if lanes == "float32" else float64

    def added(at: int) -> Any:
        sums = [kind(0.0)] * LANES
        for i in range(j.TILE):
            x = kind(load(at, i, ANY))
            sums[i % LANES] += x * x if squared else x
        sums = [float64(one) for one in sums]
        while len(sums) > 1:
            half = len(sums) // 2
            sums = [sums[k] + sums[k + half] for k in range(half)]
        return sums[0]

    return added


def _leaf(name: str, squared: bool) -> Any:
    """The same, in float32 where that loses last digits of the sum of magnitudes only.

    Each lane then adds 8 numbers, in half the time; beyond the range of float32 float64 does it.
    """
    exact = _added(name, "float64", squared)
    if name == "float64":
        return exact
    quick = _added(name, "float32", squared)

    @compiled_as(f"leaf_of_{'squares' if squared else 'numbers'}")
    def leaf(at: int) -> Any:
        integers.inline()
        total = quick(at)
        size = total if squared else abs(total)
        fits = size < LARGEST and (size > SMALLEST or not squared)
        return total if fits else exact(at)

    return leaf


def _part(name: str, squared: bool) -> Any:
    """The function that keeps a block's part of a sum and returns it, or keeps each number.

    `at` has room for a whole block, of which `count` numbers are there, and zeros behind them if
    `clean`.
    """
    load, store = LOADS[name]
    leaf, text = _leaf(name, squared), "squares" if squared else "numbers"

    @compiled_as(f"clear_{text}_{name}")
    def clear(at: int, count: int) -> None:
        for i in range(count, j.TILE):
            store(at, i, ANY, 0.0)

    @compiled_as(f"each_of_{text}_{name}")
    def keep(at: int, count: int, region: int, element: int) -> None:
        for i in range(count):
            store_float64(region, element + i, ANY, float64(load(at, i, ANY)))

    @compiled_as(f"part_of_{text}_{name}")
    def part(
        at: int, count: int, clean: bool, region: int, block: int, element: int, each: int
    ) -> Any:
        integers.inline()
        if count < j.TILE and not clean:
            clear(at, count)
        total = leaf(at)
        if each != 0:
            keep(at, count, region, element)
        else:
            store_float64(region, block, ANY, total)
        return total

    return part


def _fold_leaves(name: str, squared: bool) -> Any:
    """The function that adds up what the blocks of a tensor, or its elements, have kept."""
    store, leaf, text = LOADS[name][1], _leaf(name, squared), "squares" if squared else "numbers"
    number = float32 if name == "float32" else float64

    @compiled_as(f"fold_{text}_{name}")
    def fold_all(place: int, region: int) -> Any:
        blocks = load_int64(place, j.BLOCKS, ANY)
        if load_int64(place, j.EACH, ANY) == 0:
            return fold(region, blocks)
        count = load_int64(place, j.ROWS, ANY) * load_int64(place, j.COLUMNS, ANY)
        room, to = integers.scratch(1024), region + 8 * count
        for k in range(blocks):
            for i in range(j.TILE):
                at = j.TILE * k + i
                x = load_float64(region, at, ANY) if at < count else 0.0
                store(room, i, ANY, number(x))
            store_float64(to, k, ANY, leaf(room))
        return fold(to, blocks)

    return fold_all


def _room(name: str, size: int) -> Any:
    """The function that says where a block of an array may be added up: a short one in a copy."""
    load, store = LOADS[name]

    @compiled_as(f"room_{name}")
    def room(at: int, first: int, count: int, to: int) -> Any:
        integers.inline()
        if count == j.TILE:
            return at + size * first
        for i in range(count):
            store(to, i, ANY, load(at, first + i, ANY))
        return to

    return room


room_float32, room_float64 = _room("float32", 4), _room("float64", 8)
_whole = _added("float64", "float64", False)


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


numbers_float32, squares_float32 = _part("float32", False), _part("float32", True)
numbers_float64, squares_float64 = _part("float64", False), _part("float64", True)
fold_numbers_float32 = _fold_leaves("float32", False)
fold_squares_float32 = _fold_leaves("float32", True)
fold_numbers_float64 = _fold_leaves("float64", False)
fold_squares_float64 = _fold_leaves("float64", True)


@compiled
def fold_few(at: int, count: int) -> Any:
    """What `count` numbers add up to, one after another: the blocks of a row."""
    total = 0.0
    for k in range(count):
        total += load_float64(at, k, ANY)
    return total


@compiled
def together(place: int) -> Any:
    """How many rows are added up at once: where each is kept for itself, one."""
    return 1 if load_int64(place, j.ROW_BY_ROW, ANY) != 0 else j.FEW


@compiled
def _add(to: int, row: int, count: int) -> None:
    """Add `count` numbers to others, each to its own."""
    for i in range(count):
        store_float64(to, i, 0, load_float64(to, i, 0) + load_float64(row, i, 1))


def _add_few(name: str) -> Any:
    """The function that adds what a few rows add up to, to the sums of their group."""
    load = LOADS[name][0]

    @compiled_as(f"add_few_{name}")
    def add_few(place: int, row: int, region: int, first: int, room: int, count: int) -> None:
        columns = load_int64(place, j.COLUMNS, ANY)
        number = load_int64(place, j.FIRST_ROW, ANY) + row
        if load_int64(place, j.ROW_BY_ROW, ANY) != 0:
            part, begins = number, True
        else:
            part, begins = number // j.GROUP, number % j.GROUP == 0
        to = region + 8 * (part * columns + first)
        for i in range(count):
            before = 0.0 if begins else load_float64(to, i, 0)
            store_float64(to, i, 0, before + float64(load(room, i, 1)))

    return add_few


def _fold_columns(name: str) -> Any:
    """The function that adds up each column, in the memory of its first part."""
    number = float32 if name == "float32" else float64

    @compiled_as(f"fold_columns_{name}")
    def fold_columns(place: int, region: int) -> None:
        rows, columns = load_int64(place, j.ROWS, ANY), load_int64(place, j.COLUMNS, ANY)
        row, parts, step = 8 * columns, (rows + j.GROUP - 1) // j.GROUP, 1
        if load_int64(place, j.ROW_BY_ROW, ANY) != 0:
            step = j.GROUP
            for first in range(0, rows, j.FEW):
                # As `add_few` has them: a few in the dtype of the arithmetic, then in float64.
                to = region + row * first
                for i in range(columns):
                    total = number(load_float64(to, i, ANY))
                    for k in range(1, min(j.FEW, rows - first)):
                        total += number(load_float64(to + row * k, i, ANY))
                    store_float64(to, i, ANY, float64(total))
                if first % j.GROUP != 0:
                    _add(region + row * (first // j.GROUP * j.GROUP), to, columns)
        for k in range(1, parts):
            _add(region, region + row * step * k, columns)

    return fold_columns


add_few_float32, add_few_float64 = _add_few("float32"), _add_few("float64")
fold_columns_float32, fold_columns_float64 = _fold_columns("float32"), _fold_columns("float64")
