"""The words an update rule may use besides arithmetic.

A rule is text that several machines read: the fused kernel, the float64 oracle, torch, JAX.
Every name a rule calls must therefore mean the same in all of them, and this short list is the
whole vocabulary. Here the words are bound to NumPy, so that a rule also runs as plain Python, on
floats and on arrays; NaN goes through all of them unchanged, as in IEEE arithmetic.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["abs", "exp", "log", "maximum", "minimum", "sign", "sqrt", "where"]

Value: TypeAlias = float | NDArray[np.floating[Any]]
Truth: TypeAlias = bool | NDArray[np.bool_]


def sqrt(x: Value) -> Value:
    """Square root; NaN with NumPy's warning where `x` is negative."""
    return np.sqrt(x)


def abs(x: Value) -> Value:
    """Absolute value."""
    return np.absolute(x)


def sign(x: Value) -> Value:
    """-1, 0 or 1, with `sign(0) == 0`."""
    return np.sign(x)


def maximum(x: Value, y: Value) -> Value:
    """The larger of the two, element by element; NaN if either is NaN."""
    return np.maximum(x, y)


def minimum(x: Value, y: Value) -> Value:
    """The smaller of the two, element by element; NaN if either is NaN."""
    return np.minimum(x, y)


def where(condition: Truth, x: Value, y: Value) -> Value:
    """`x` where the condition holds and `y` elsewhere, element by element."""
    # [()] turns the 0-d array that numpy.where makes of three floats back into a float.
    return np.where(condition, x, y)[()]


def exp(x: Value) -> Value:
    """The natural exponential."""
    return np.exp(x)


def log(x: Value) -> Value:
    """The natural logarithm; NaN with NumPy's warning where `x` is negative."""
    return np.log(x)
