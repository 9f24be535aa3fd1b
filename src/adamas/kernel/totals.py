"""The words that make one number of many, of a home's sum."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from adamas.kernel.scopes import COLUMN, ROW


def axes(count: int, over: str) -> tuple[int, ...]:
    """The dimensions of `count` that are summed over; a row is one index of the first."""
    return {ROW: tuple(range(1, count)), COLUMN: (0,)}.get(over, tuple(range(count)))


def kept(over: str) -> bool:
    """Whether the dimensions stay, so that the sums meet the array again."""
    return over in (ROW, COLUMN)


def counted(shape: Sequence[int], over: str) -> float:
    """How many numbers of an array of `shape` make one."""
    return float(math.prod(shape[k] for k in axes(len(shape), over)))


def reduced(
    total: Callable[..., Any], wide: Callable[[Any], Any], sqrt: Callable[..., Any]
) -> dict[str, Callable[..., Any]]:
    """`total`, `mean`, `norm` and `rms`, each of `(x, over)`, as a home has them.

    `total(x, over)` is its sum and `wide(x)` its array, both in the widest dtype that it has: the
    square of a float32 may not be one.
    """

    def squares(x: Any, over: str) -> Any:
        x = wide(x)
        return total(x * x, over)

    return {
        "total": total,
        "mean": lambda x, over: total(x, over) / counted(x.shape, over),
        "norm": lambda x, over: sqrt(squares(x, over)),
        "rms": lambda x, over: sqrt(squares(x, over) / counted(x.shape, over)),
    }
