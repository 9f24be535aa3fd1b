"""Newton-Schulz steps as actions in C, one matrix after another in the same memory.

A step of an optimizer must not be torn apart (see `threads`), so what a matrix goes through is laid
out once as calls of NumPy's own functions, and run with the kernels before and behind it.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeAlias

import numpy as np

from adamas.engine.tensors import Array, zeros
from adamas.engine.threads import Action, assigning
from adamas.newton_schulz import COEFFICIENTS

# A part of zeros stays one.
LEAST_NORM = 1e-30
# Rows, columns and dtype.
Shape: TypeAlias = tuple[int, int, str]


class Products(Protocol):
    """Whose products of matrices are used."""

    def steps(self, matrix: Array, coefficients: str) -> list[Action]:
        """The actions that put `matrix`, of Frobenius norm at most 1, through steps of this name.

        They change it in place, in its own dtype, and are such as `threads.straight` takes.
        """

    def unit(self, matrix: Array) -> list[Action]:
        """The actions that divide `matrix` by its norm, in place."""


Maker: TypeAlias = Callable[[Sequence[Shape]], Products]


class Blas:
    """Products by NumPy's BLAS, in the dtype of the matrix; of a matrix with itself by its SYRK.

    `shapes` are those of all matrices that will come: memory is made for the largest, once more of
    its size and two squares of its smaller side.
    """

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self._rooms = {
            dtype: [
                zeros((max(size(one) for one in shapes if one[2] == dtype),), dtype)
                for size in (_size, _square, _square)
            ]
            for dtype in {one[2] for one in shapes}
        }

    def steps(self, matrix: Array, coefficients: str) -> list[Action]:
        """What `Products.steps` says."""
        rows, columns = matrix.shape
        if not matrix.size:
            return []
        smaller, tall = min(rows, columns), rows > columns
        other, gram, square = self._rooms[matrix.dtype.name]
        a_gram, its_square = (x[: smaller**2].reshape(smaller, smaller) for x in (gram, square))
        x, y = matrix, other[: rows * columns].reshape(rows, columns)
        actions: list[Action] = []
        for a, b, c in COEFFICIENTS[coefficients]:
            self_product = (x.T, x) if tall else (x, x.T)
            product = (x, a_gram) if tall else (a_gram, x)
            actions += [
                partial(np.matmul, *self_product, a_gram),
                partial(np.matmul, a_gram, a_gram.T, its_square),
                partial(np.multiply, a_gram, b, a_gram),
                partial(np.multiply, its_square, c, its_square),
                partial(np.add, a_gram, its_square, a_gram),
                partial(np.matmul, *product, y),
                partial(np.multiply, x, a, x),
                partial(np.add, y, x, y),
            ]
            x, y = y, x
        return actions if x is matrix else [*actions, assigning(matrix, x)]

    def unit(self, matrix: Array) -> list[Action]:
        """What `Products.unit` says."""
        squares = self._rooms[matrix.dtype.name][0][: matrix.size].reshape(matrix.shape)
        norm = np.zeros(())
        return [
            partial(np.multiply, matrix, matrix, squares),
            partial(np.add.reduce, squares, None, np.float64, norm),
            partial(np.sqrt, norm, norm),
            partial(np.maximum, norm, LEAST_NORM, out=norm),
            partial(np.divide, matrix, norm, matrix),
        ]


def _size(shape: Shape) -> int:
    return shape[0] * shape[1]


def _square(shape: Shape) -> int:
    return min(shape[0], shape[1]) ** 2
