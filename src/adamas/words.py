"""The words an update rule may use besides arithmetic.

A rule is text that several machines read: the fused kernel, the float64 oracle, torch, JAX.
Every name a rule calls must therefore mean the same in all of them, and this short list is the
whole vocabulary. Here the words are bound to NumPy, so that a rule also runs as plain Python, on
floats and on arrays; NaN goes through all of them unchanged, as in IEEE arithmetic.

Most words work element by element; `uniform` and `normal` draw a random number for each. `norm`,
`rms`, `mean` and `total` make one number of many: `over="tensor"`, the default, one for the whole
tensor, `over="row"` one for each row, `"column"` one for each column, and `over="all"` one for all
tensors of the optimizer together. A row is what has one index in the first dimension, whatever the
others are; a vector is a matrix of one column, so that each of its elements is a row. A number that
stands for a row counts once, not once for each element of the row: of `r`, one number a row,
`total(r)` is the sum over the rows.

`orthogonalize` makes of a whole matrix, of rows and columns in this sense, another.

`rebound`, which is no word, is how another home runs a function whose words are bound here.
"""

import math
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, Literal, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from adamas.newton_schulz import LEAST_NORM, iterated

__all__ = [
    "abs",
    "atan2",
    "clip",
    "cos",
    "exp",
    "log",
    "maximum",
    "mean",
    "minimum",
    "norm",
    "normal",
    "orthogonalize",
    "rms",
    "sign",
    "sin",
    "sqrt",
    "tanh",
    "total",
    "uniform",
    "where",
]

Value: TypeAlias = float | NDArray[np.floating[Any]]
Truth: TypeAlias = bool | NDArray[np.bool_]
F = TypeVar("F", bound=Callable[..., Any])
Over: TypeAlias = Literal["row", "column", "tensor", "all"]

_stream = np.random.default_rng(0)


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


def sin(x: Value) -> Value:
    """The sine of an angle in radians."""
    return np.sin(x)


def cos(x: Value) -> Value:
    """The cosine of an angle in radians."""
    return np.cos(x)


def tanh(x: Value) -> Value:
    """The hyperbolic tangent, between -1 and 1."""
    return np.tanh(x)


def atan2(y: Value, x: Value) -> Value:
    """The angle of the point (x, y), between -pi and pi; `atan2(0, 0)` is 0."""
    return np.arctan2(y, x)


def clip(x: Value, low: Value, high: Value) -> Value:
    """`x`, but at least `low` and at most `high`; NaN if any of them is NaN."""
    return minimum(maximum(x, low), high)


def uniform(x: Value) -> Value:
    """A random number from [0, 1) for each element of `x`, which gives the shape only.

    Compiled, it comes from the optimizer's seed and differs with step, tensor and element; as plain
    Python from NumPy's generator, seeded when this module is imported.
    """
    return _stream.random(np.shape(x))[()]


def normal(x: Value) -> Value:
    """A random number of mean 0 and variance 1 for each element of `x`; see `uniform`.

    Compiled, two uniform ones make it (Box & Muller 1958), and it is at most 5.8 in size.
    """
    return _stream.standard_normal(np.shape(x))


def total(x: Value, over: Over = "tensor") -> Value:
    """The sum; as plain Python, `over="all"` knows of one tensor only, here and below."""
    return _reduced(np.sum, x, over)


def mean(x: Value, over: Over = "tensor") -> Value:
    """The arithmetic mean."""
    return _reduced(np.mean, x, over)


def norm(x: Value, over: Over = "tensor") -> Value:
    """The Euclidean norm: the root of the sum of squares."""
    return sqrt(_reduced(np.sum, np.square(x), over))


def rms(x: Value, over: Over = "tensor") -> Value:
    """The root of the mean of squares."""
    return sqrt(_reduced(np.mean, np.square(x), over))


def orthogonalize(x: Value, coefficients: str = "jordan") -> Value:
    """The matrix with the same singular vectors whose singular values are all near 1.

    `x` is divided by its Frobenius norm, or by 1e-7 if that is larger, and goes through the
    Newton-Schulz steps of this name in `adamas.newton_schulz.COEFFICIENTS`, which says how near.
    Of more than two dimensions, the first is against the rest; a vector is one column.
    """
    shape = np.shape(x)
    array = np.asarray(x)
    table = array.reshape(shape[0] if shape else 1, math.prod(shape[1:]))
    size = np.maximum(np.sqrt(np.sum(np.square(table))), LEAST_NORM)
    return cast(Value, iterated(table / size, coefficients).reshape(shape)[()])


def _reduced(how: Callable[..., Value], x: Value, over: Over) -> Value:
    """`x` reduced; of rows and columns all dimensions are kept, so that it meets `x` again."""
    axes = tuple(range(np.ndim(x)))
    if over == "row":
        return how(x, axis=axes[1:], keepdims=True) if len(axes) > 1 else x
    if over == "column":
        return how(x, axis=0, keepdims=True) if axes else x
    return how(x)


def rebound(function: F, words: Mapping[str, Any]) -> F:
    """`function` as it would be if the names of its file that are in `words` meant those.

    So it is for every function of the same file that it calls, and that those call; whatever else
    they look up stays what it is. The function given is not changed. Raises TypeError if it is not
    a plain Python function.
    """
    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is no plain Python function, so it cannot be bound anew.")
    home = function.__globals__
    names: dict[str, Any] = dict(home)
    for name, value in home.items():
        if isinstance(value, FunctionType) and value.__globals__ is home:
            names[name] = _copy(value, names)
    names.update(words)
    return cast(F, _copy(function, names))


def _copy(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    """The same function, looking up its names in `names`."""
    made = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__doc__ = function.__doc__
    return made
