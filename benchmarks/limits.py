"""What memory allows at other byte counts than float32's: the same bytes, hardly computed.

Each side reads and writes what an optimizer of that traffic has to, as whole 64-bit words with one
addition each, so that no conversion between widths takes time. The state is two arrays, as AdamW's
is.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from adamas.bench.timing import Side

WORD = 8
# Words of the parameter in one piece: 256 took up to 5 % less time than 8,192.
PIECE = 256


@dataclass(frozen=True)
class Traffic:
    """What one parameter moves: its own bytes and its gradient's, and the state's."""

    width: int
    state: int

    @property
    def moved(self) -> int:
        """Bytes: parameter and state are read and written, the gradient is read."""
        return 3 * self.width + 2 * self.state

    def __str__(self) -> str:
        """The byte count and what it is made of."""
        return f"limit, {self.moved} B: p {self.width}, g {self.width}, state {self.state}"


@numba.njit(parallel=True)  # type: ignore[untyped-decorator]
def _move(p: Any, g: Any, m: Any, v: Any) -> None:
    pieces = max(1, p.size // PIECE)
    for k in numba.prange(pieces):
        # Slices, because a loop that begins at an unknown index is not vectorised.
        a, b = p.size * k // pieces, p.size * (k + 1) // pieces
        ps, gs = p[a:b], g[a:b]
        for i in range(ps.size):
            ps[i] += gs[i]
        a, b = m.size * k // pieces, m.size * (k + 1) // pieces
        ms, vs = m[a:b], v[a:b]
        for i in range(ms.size):
            ms[i] += 1
            vs[i] += 1


class Room:
    """Memory that all limits of `size` parameters share, so that many of them fit."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._p, self._m, self._v = (np.zeros(size // 2, np.int64) for _ in range(3))

    def side(self, traffic: Traffic, grad: NDArray[Any]) -> Side:
        """The limit of `traffic`, which reads `grad`."""
        g = grad.view(np.int8)[: grad.nbytes // WORD * WORD].view(np.int64)
        p, half = self._p[: g.size], self._size * traffic.state // (2 * WORD)
        m, v = self._m[:half], self._v[:half]

        def step() -> None:
            _move(p, g, m, v)

        return Side(step, lambda: p.astype(np.float32), lambda: m.nbytes + v.nbytes)
