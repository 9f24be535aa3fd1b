"""The bytes of an array in C order, a piece at a time, so that nothing large is copied."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Bytes of a piece: what is copied at once where an array does not lie as the file has it.
PIECE = 1 << 23


def pieces(array: NDArray[Any]) -> Iterator[memoryview]:
    r"""Views of its memory, little-endian and in C order; copies only where it lies otherwise.

    >>> [bytes(one) for one in pieces(np.arange(6, dtype="i1").reshape(2, 3).T)]
    [b'\x00\x03\x01\x04\x02\x05']
    """
    plain = array.dtype.newbyteorder("<")
    if array.flags.c_contiguous and array.dtype == plain:
        flat = array.reshape(-1).view(np.uint8).data
        for begin in range(0, len(flat), PIECE):
            yield flat[begin : begin + PIECE]
    elif array.nbytes <= PIECE or not array.ndim:
        yield from pieces(np.ascontiguousarray(array, plain))
    else:
        # Whole rows; one that is too long itself is cut in turn.
        rows = max(1, PIECE * len(array) // array.nbytes)
        for begin in range(0, len(array), rows):
            part = array[begin : begin + rows]
            yield from pieces(part[0] if rows == 1 else part)
