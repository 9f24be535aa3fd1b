"""What memory allows of a rule that goes over its arrays several times: the same, hardly computed.

The very arrays that an optimizer steps are read, and written where its sweep writes, pass by pass,
in whole 64-bit words with one operation each. No array changes: what is written is what was read.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from adamas.bench.peers import Array
from adamas.bench.timing import Side
from adamas.kernel.formula import Formula
from adamas.kernel.layout import Layout, columns
from adamas.kernel.traffic import Pass
from benchmarks.limits import PIECE, WORD


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(typing: Any, address: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), make


@numba.njit  # type: ignore[untyped-decorator]
def _moved(arrays: Any, reads: Any, writes: Any, k: int, pieces: int, zero: int) -> int:
    """Piece `k` of every array of a tensor; returns a number that hangs on all that was read."""
    found = 0
    for c in range(arrays.shape[0]):
        a, b = arrays[c, 1] * k // pieces, arrays[c, 1] * (k + 1) // pieces
        part = numba.carray(_pointer(arrays[c, 0] + WORD * a), (b - a,), np.int64)
        if writes[c]:
            for i in range(part.size):
                part[i] ^= zero
        elif reads[c]:
            for i in range(part.size):
                found += part[i]
    return found


@numba.njit(parallel=True)  # type: ignore[untyped-decorator]
def _one_pass(arrays: Any, reads: Any, writes: Any, zero: int, found: Any) -> None:
    """One pass over one large tensor, piece by piece."""
    for k in numba.prange(found.size):
        found[k] = _moved(arrays, reads, writes, k, found.size, zero)


@numba.njit(parallel=True)  # type: ignore[untyped-decorator]
def _each_tensor(tensors: Any, reads: Any, writes: Any, zero: int, found: Any) -> None:
    """All passes over each of many tensors, one tensor after another."""
    for k in numba.prange(found.size):
        for turn in range(reads.shape[0]):
            found[k] += _moved(tensors[k], reads[turn], writes[turn], 0, 1, zero)


class Limit:
    """The passes of a rule over the arrays of some tensors; `moved` are the bytes of one step."""

    def __init__(
        self, tensors: Sequence[Sequence[tuple[str, Array]]], passes: Iterable[Pass]
    ) -> None:
        self._held = tensors
        places = [[(x.ctypes.data, x.nbytes // WORD) for _, x in arrays] for arrays in tensors]
        names = [name for name, _ in tensors[0]]
        self._tensors, every = np.array(places, np.int64), list(passes)
        self._reads = np.array([[name in one.reads for name in names] for one in every])
        self._writes = np.array([[name in one.writes for name in names] for one in every])
        words = self._tensors[:, :, 1].sum(axis=0)
        self.moved = WORD * int((self._reads * words + self._writes * words).sum())
        pieces = max(1, int(self._tensors[0, :, 1].max()) // PIECE)
        self._found = np.zeros(pieces if len(places) == 1 else len(places), np.int64)

    def step(self) -> None:
        """Move all of it once."""
        if len(self._tensors) > 1:
            _each_tensor(self._tensors, self._reads, self._writes, 0, self._found)
            return
        for reads, writes in zip(self._reads, self._writes, strict=True):
            _one_pass(self._tensors[0], reads, writes, 0, self._found)

    def side(self) -> Side:
        """The side that this limit is."""
        return Side(self.step, lambda: self._held[0][0][1])


def arrays_of(
    formula: Formula, layout: Layout, p: Array, g: Array, state: Mapping[str, Any]
) -> list[tuple[str, Array]]:
    """What a kernel reads and writes of one tensor, each array with the name that passes say."""
    codecs = (layout.parameter, *layout.states)
    held = {**state, "p": p}
    kept = zip(("p", *formula.states), codecs, strict=True)
    return [("g", g)] + [(name, held[c.name]) for name, codec in kept for c in columns(name, codec)]
