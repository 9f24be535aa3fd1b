"""Other processes that step other parts of the same tensors: what they must agree on.

The engine itself knows of one process; a face that shards tensors hands its optimizer a `Peers`.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from adamas.engine.tensors import Array

# A gradient that is not finite: its tensor, and what it holds where.
Bad: TypeAlias = tuple[int, str]


class Peers(Protocol):
    """Every method is called by all processes together, and returns the same to all of them."""

    def total(self, squares: Array) -> float:
        """The sum over all tensors and processes; `squares` holds one number for each tensor."""

    def largest(self, value: float) -> float:
        """The largest of all processes' values."""

    def most(self, values: Array) -> Array:
        """The largest of all processes' values, for each of them."""

    def add(self, parts: Sequence[tuple[int, Array]]) -> None:
        """Add up, in place, each array of float64 over all processes that share its tensor.

        Each process has the numbers of what it holds, and zeros elsewhere.
        """

    def agree(self, bad: Bad | None) -> Bad | None:
        """The first gradient that any process found not to be finite."""
