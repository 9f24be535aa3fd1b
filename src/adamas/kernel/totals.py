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


def reduced(
    total: Callable[..., Any], array: Callable[..., Any], sqrt: Callable[..., Any]
) -> dict[str, Callable[..., Any]]:
    """`total`, `mean`, `norm` and `rms`, each of `(x, over)`; `array(x, dtype)` is a home's cast.

    `total(x, over)` is its sum, in float64.
    """

    def count(shape: Sequence[int], over: str) -> float:
        return float(math.prod(shape[k] for k in axes(len(shape), over)))

    def squares(x: Any, over: str) -> Any:
        wide = array(x, "float64")
        return total(wide * wide, over)

    return {
        "total": total,
        "mean": lambda x, over: total(x, over) / count(x.shape, over),
        "norm": lambda x, over: sqrt(squares(x, over)),
        "rms": lambda x, over: sqrt(squares(x, over) / count(x.shape, over)),
    }
