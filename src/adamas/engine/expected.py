"""How far a rule's first step moves a parameter, before there is a gradient.

The rule's own text is run in float64 on a small array that stands for the large one: what it asks
of rows, columns and sums is answered as of the large one. Gradients are normal, of RMS 1.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from adamas import words
from adamas.engine.tensors import Array
from adamas.kernel.formula import Formula
from adamas.kernel.reference import Reference
from adamas.kernel.scopes import SECOND

# So many elements stand for a tensor of any size.
ELEMENTS = 4096


def first_update(
    formula: Formula, shape: Sequence[int], hypers: Mapping[str, float], size: float
) -> float:
    """The RMS of the first update of a tensor of this shape, whose elements have RMS `size`.

    NaN for a tensor without elements.
    """
    if 0 in shape:
        return math.nan
    rng = np.random.default_rng(0)
    small = _small(shape)
    p, g = (rng.normal(size=small) for _ in range(2))
    p *= size / math.sqrt(float(np.mean(np.square(p))))
    g /= math.sqrt(float(np.mean(np.square(g))))
    stand_in = _StandIn(formula, p, shape, hypers)
    stand_in.step(g, np.ones(small) if SECOND in formula.given else None)
    return math.sqrt(float(np.mean(np.square(stand_in.p - p))))


def _small(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape of the same number of dimensions and the same aspect, of at most `ELEMENTS`.

    >>> _small((4096, 1024)), _small((64, 3, 3, 3)), _small((10,)), _small(())
    ((128, 32), (64, 27, 1, 1), (10,), ())
    """
    if len(shape) < 2:
        return tuple(min(n, ELEMENTS) for n in shape)
    rows, columns = shape[0], math.prod(shape[1:])
    by = min(1.0, math.sqrt(ELEMENTS / (rows * columns)))
    made = [max(1, round(rows * by)), max(1, round(columns * by))]
    return (*(min(n, ELEMENTS) for n in made), *(1 for _ in shape[2:]))


class _StandIn(Reference):
    """A small array that says it is of `shape`."""

    def __init__(
        self, formula: Formula, p: Array, shape: Sequence[int], hypers: Mapping[str, float]
    ) -> None:
        own = {name: value for name, value in hypers.items() if name in formula.hypers}
        super().__init__(formula, p, **own)
        self._of = (shape[0] if shape else 1, math.prod(shape[1:]))

    def begin(self, g: Any, h: Any = None) -> dict[str, Any]:
        """What names are, and words that count what they add up."""
        names = super().begin(g, h)
        mine, of = (float(names["rows"]), float(names["columns"])), self._of
        names["rows"], names["columns"] = np.float64(of[0]), np.float64(of[1])
        names["total"] = _more(words.total, mine, of, 1.0)
        names["norm"] = _more(words.norm, mine, of, 0.5)
        # The elements of a matrix whose singular values are 1 have RMS 1/sqrt(max(shape)).
        smaller = math.sqrt(max(mine) / max(of))
        names["orthogonalize"] = lambda x, coefficients: (
            words.orthogonalize(x, coefficients) * smaller
        )
        return names


def _more(
    word: Callable[..., Any], mine: tuple[float, float], of: tuple[int, int], power: float
) -> Any:
    """A sum over a small array as that over the one it stands for."""

    def summed(x: Any, over: str = "tensor") -> Any:
        count, axes = 1.0, {"row": (1,), "column": (0,)}.get(over, (0, 1))
        for axis in axes:
            # Of what rows have one number of, each row counts once.
            if np.ndim(x) > axis and np.shape(x)[axis] > 1:
                count *= of[axis] / mine[axis]
        return word(x, over=over) * count**power

    return summed
