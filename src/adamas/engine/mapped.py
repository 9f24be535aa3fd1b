"""Arrays out of a file are copied in pieces, and each piece of the file is let go behind it.

A memory map that was read stays in memory as long as there is room: a state beside its own copy.
"""

import mmap
from functools import partial
from typing import Any
from weakref import WeakSet

import numpy as np

from adamas.engine.tensors import Array, address
from adamas.engine.threads import Action, assigning

# Bytes that are copied before their pages are let go.
PIECE = 1 << 22
# Fewer are not worth the call.
LEAST = 1 << 16


class Passing(mmap.mmap):
    """The memory map of a file that is read once, and that nobody writes into."""

    def __init__(self, *_: Any, **__: Any) -> None:
        _living.add(self)


_living: "WeakSet[Passing]" = WeakSet()


def _lying(array: Array) -> tuple[Passing, int] | None:
    """The map in which an array lies, whoever made the array of it, and how far from its begin."""
    place = address(array)
    for one in _living:
        begin = address(np.frombuffer(one, np.uint8))
        if begin <= place < begin + len(one) and hasattr(one, "madvise"):
            return one, place - begin
    return None


def passing(array: Array) -> bool:
    """Whether an array lies in the memory map of a file that is read once."""
    return not array.size or _lying(array) is not None


def assignments(array: Array, value: Array) -> list[Action]:
    """The actions that set all of `array` to `value`, which may lie in a file; see `straight`.

    Other memory maps are somebody's own: to let go of them could undo what was written there.
    """
    found = _lying(value) if value.nbytes >= LEAST and value.flags.c_contiguous else None
    if found is None:
        return [assigning(array, value)]
    base, start = found
    row = value.nbytes // len(value)
    rows, actions = max(1, PIECE // row), list[Action]()
    for begin in range(0, len(value), rows):
        part = slice(begin, begin + rows)
        actions.append(assigning(array[part], value[part]))
        first = start + begin * row
        page = first % mmap.PAGESIZE
        size = row * len(value[part]) + page
        actions.append(partial(base.madvise, mmap.MADV_DONTNEED, first - page, size))
    return actions
