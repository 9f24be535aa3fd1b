"""Whose products of matrices are used, and of which parts of a parameter.

Steps in bfloat16 are torch's, and done where the processor computes in it.

In float32 the engine's own products are used, NumPy's: its BLAS multiplies a matrix with itself in
half the operations. A processor without instructions for bfloat16 takes many times as long in it.
"""

import math
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch

from adamas.engine.matrices import LEAST_NORM, Blas, Maker, Shape
from adamas.engine.routing import pattern
from adamas.engine.tensors import Array
from adamas.engine.threads import Action
from adamas.kernel.processors import computes_bfloat16
from adamas.newton_schulz import COEFFICIENTS

MATMUL = ("float32", "bfloat16")


def products(matmul: str) -> Maker:
    """Whose products an optimizer uses that was asked for this dtype; see `shown`."""
    return Bfloat16 if matmul == "bfloat16" and computes_bfloat16() else Blas


def shown(matmul: str) -> str:
    """What `repr` says of it."""
    if matmul == "bfloat16" and not computes_bfloat16():
        return "float32, because this processor has no instructions for bfloat16"
    return matmul


def check_split(split: Any) -> None:
    """Raise TypeError or ValueError for what is no dict of regular expressions and numbers."""
    if not isinstance(split, Mapping | None):
        raise TypeError(
            f"split={split!r} must be a dict of regular expressions and numbers: {{'qkv': 3}} are "
            "three matrices one below the other."
        )
    for text, count in (split or {}).items():
        pattern(text, "split")
        if isinstance(count, bool) or not isinstance(count, int) or count < 2:
            raise ValueError(f"split: {count!r} for {text!r} must be a whole number of at least 2.")


def parts_of(split: Mapping[str, int] | None, name: str, shape: Sequence[int]) -> int:
    """How many matrices of equal rows a parameter is, by the first expression found in its name.

    Raises ValueError if its rows are not so many times as many.
    """
    for text, count in (split or {}).items():
        if re.search(text, name) and len(shape) > 1:
            if shape[0] % count:
                raise ValueError(
                    f"split={{{text!r}: {count}}}: {name!r} has {shape[0]} rows, which {count} "
                    "does not divide."
                )
            return count
    return 1


class Bfloat16:
    """Products by torch, of numbers rounded to bfloat16 and added up in float32.

    `shapes` are those of all matrices that will come: memory is made for the largest, twice of its
    size and for two squares of its smaller side. float64 matrices go through the same steps.
    """

    def __init__(self, shapes: Sequence[Shape]) -> None:
        largest = max((rows * columns for rows, columns, _ in shapes), default=0)
        square = max((min(rows, columns) ** 2 for rows, columns, _ in shapes), default=0)
        sizes = (largest, largest, square, square)
        self._rooms = [torch.zeros(size, dtype=torch.bfloat16) for size in sizes]

    def steps(self, matrix: Array, coefficients: str) -> list[Action]:
        """What `engine.matrices.Products.steps` says."""
        if not matrix.size:
            return []
        rows, columns = matrix.shape
        smaller = min(rows, columns)
        given = torch.from_numpy(matrix)
        x, y = (_seen(room, (rows, columns)) for room in self._rooms[:2])
        gram, poly = (_seen(room, (smaller, smaller)) for room in self._rooms[2:])
        actions: list[Action] = [partial(x.copy_, given)]
        for a, b, c in COEFFICIENTS[coefficients]:
            tall = rows > columns
            pair = (x.mT, x) if tall else (x, x.mT)
            product = (x, poly) if tall else (poly, x)
            actions += [
                partial(torch.mm, *pair, out=gram),
                partial(torch.addmm, gram, gram, gram, beta=b, alpha=c, out=poly),
                partial(torch.addmm, x, *product, beta=a, out=y),
            ]
            x, y = y, x
        return [*actions, partial(given.copy_, x)]

    def unit(self, matrix: Array) -> list[Action]:
        """What `engine.matrices.Products.unit` says."""
        given = torch.from_numpy(matrix)
        norm = torch.zeros((), dtype=given.dtype)
        return [
            partial(torch.linalg.vector_norm, given, out=norm),
            partial(norm.clamp_, min=LEAST_NORM),
            partial(given.div_, norm),
        ]


def _seen(room: torch.Tensor, shape: tuple[int, int]) -> Any:
    return room[: math.prod(shape)].view(shape)
