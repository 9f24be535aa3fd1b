"""How blocks lie over a tensor.

A block shares one scale, so the rows of an embedding, of which some are seen often and some never,
must not meet in one: blocks begin anew with every row (the first axis) that is at least half a
block long. Shorter rows share blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adamas.codecs import BLOCK
from adamas.kernel.layout import Column


@dataclass(frozen=True)
class Grid:
    """`rows` rows of `width` elements, each cut into blocks; one row where blocks just go on."""

    rows: int
    width: int

    @property
    def row_blocks(self) -> int:
        """Blocks in a row; the last may be shorter."""
        return -(-self.width // BLOCK)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row in codes of four bits: each block is padded to whole bytes."""
        return self.width // BLOCK * (BLOCK // 2) + (self.width % BLOCK + 1) // 2

    @property
    def blocks(self) -> int:
        """Blocks in all."""
        return self.rows * self.row_blocks

    def length(self, column: Column) -> int:
        """Entries of a flat array for this column."""
        if column.block:
            return self.blocks
        return self.rows * (self.row_bytes if column.bits == 4 else self.width)


def grid_of(shape: Sequence[int]) -> Grid:
    """The grid of an array of this shape, its axes from slowest to fastest."""
    size = 1
    for count in shape:
        size *= count
    width = size // shape[0] if len(shape) > 1 and size else size
    if 2 * width >= BLOCK and width % BLOCK and width < size:
        return Grid(shape[0], width)
    return Grid(1, size)
