"""How far rounding can carry a kernel from exact arithmetic, for any formula.

Running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section
3.3), for two runs: every number is that of one run in float64, and carries a bound of how far any
other run, in float64 or in the kernel's dtype, may be from it and from each other. An operation
passes on the errors of its operands by what it does to them, and adds its own rounding in both:
half a unit in the last place, relative to the result, plus the smallest subnormal where the result
underflows. NumPy's and the C library's pow, exp and log are allowed four times that. A comparison
that the errors could turn may choose either side. Nothing here comes from what the kernel returned.
"""

from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.kernel.formula import Formula
from hoisted import Machine

Array = NDArray[np.float64]
UNIT = {"float32": 2.0**-24, "float64": 2.0**-53}
TINY = {"float32": 2.0**-149, "float64": 5e-324}
LARGEST = {"float32": 3.4e38, "float64": 1.79e308}
LIBRARY = 4.0


class Truth:
    """A comparison: its outcome, and where the errors could turn it."""

    def __init__(self, value: Any, unsure: Any) -> None:
        self.value, self.unsure = value, unsure


class Bounded:
    """A number and the bound of its error; `dtype` is what the arithmetic rounds to."""

    def __init__(self, value: Any, error: Any, dtype: str) -> None:
        self.value, self.dtype = np.asarray(value, np.float64), dtype
        # An error that is not known may be any.
        self.error = np.where(np.isnan(error), np.inf, error)

    def made(self, value: Any, error: Any, units: float = 1.0) -> "Bounded":
        """A result with the passed-on `error` and the rounding of its own operation."""
        largest = np.abs(value) + error
        # The other run may be that in float64, which rounds as well.
        rounding = (UNIT[self.dtype] + UNIT["float64"]) * units
        own = rounding * largest + TINY[self.dtype] * (largest > 0)
        # What may overflow may be anything.
        own = np.where(largest < LARGEST[self.dtype], own, np.inf)
        return Bounded(value, error + own, self.dtype)

    def ends(self) -> tuple[Any, Any]:
        """The range of its runs: rounding the ends makes it wider, never narrower."""
        low, high = self.value - self.error, self.value + self.error
        return (
            np.where(self.error > 0, np.nextafter(low, -np.inf), low),
            np.where(self.error > 0, np.nextafter(high, np.inf), high),
        )

    def __add__(self, b: "Bounded") -> "Bounded":
        return self.made(self.value + b.value, self.error + b.error)

    def __sub__(self, b: "Bounded") -> "Bounded":
        return self.made(self.value - b.value, self.error + b.error)

    def __mul__(self, b: "Bounded") -> "Bounded":
        error = np.abs(self.value) * b.error + np.abs(b.value) * self.error
        return self.made(self.value * b.value, error + 2 * self.error * b.error)

    def __truediv__(self, b: "Bounded") -> "Bounded":
        room = np.abs(b.value) - b.error
        room = np.where(room > 0, room, np.nan)
        largest = np.where(b.error > 0, (np.abs(self.value) + self.error) / room, 0.0)
        error = np.where(b.error > 0, (self.error + largest * b.error) / room, self.error / room)
        return self.made(self.value / b.value, error)

    def __pow__(self, b: "Bounded") -> "Bounded":
        return power(self, b)

    def __mod__(self, b: "Bounded") -> "Bounded":
        return self.whole(np.remainder, b)

    def __floordiv__(self, b: "Bounded") -> "Bounded":
        return self.whole(np.floor_divide, b)

    def whole(self, function: Any, b: "Bounded") -> "Bounded":
        """A remainder jumps: it is known of numbers without an error only."""
        exact = (self.error == 0) & (b.error == 0)
        return self.made(function(self.value, b.value), np.where(exact, 0.0, np.inf))

    def __neg__(self) -> "Bounded":
        return Bounded(-self.value, self.error, self.dtype)

    def __pos__(self) -> "Bounded":
        return self

    def compared(self, relation: Any, b: "Bounded") -> Truth:
        """Compare, and say where the errors overlap."""
        reach = self.error + b.error
        # The distance is rounded itself: one that is no longer than the reach by that may be equal.
        apart = np.abs(self.value - b.value) * (1 - 4 * UNIT["float64"]) > reach
        unsure = ~apart & (reach > 0)
        return Truth(relation(self.value, b.value), unsure)

    def __lt__(self, b: "Bounded") -> Truth:
        return self.compared(np.less, b)

    def __le__(self, b: "Bounded") -> Truth:
        return self.compared(np.less_equal, b)

    def __gt__(self, b: "Bounded") -> Truth:
        return self.compared(np.greater, b)

    def __ge__(self, b: "Bounded") -> Truth:
        return self.compared(np.greater_equal, b)

    def __eq__(self, b: "Bounded") -> Truth:  # type: ignore[override]
        return self.compared(np.equal, b)

    def __ne__(self, b: "Bounded") -> Truth:  # type: ignore[override]
        return self.compared(np.not_equal, b)

    __hash__ = None  # type: ignore[assignment]


def corners(function: Any, *operands: Bounded) -> Bounded:
    """A function that is monotonic in each operand is furthest apart at corners of their ranges."""
    value = function(*(x.value for x in operands))
    ends: list[list[Any]] = [[]]
    for x in operands:
        ends = [[*chosen, end] for chosen in ends for end in x.ends()]
    found = np.broadcast_arrays(*(function(*chosen) for chosen in ends))
    apart = np.max(found, axis=0) - np.min(found, axis=0)
    exact = sum(x.error for x in operands) == 0
    error = np.where(exact, 0.0, np.where(np.isnan(apart), np.inf, apart))
    return operands[0].made(value, error, LIBRARY)


def power(x: Bounded, exponent: Bounded) -> Bounded:
    """A power, of which an error of one unit may make anything where the exponent is large.

    Above 0 the corners of the ranges are the worst. Where the base may be 0 or negative, the power
    of a whole exponent is no larger than that of the larger end; of any other, only the power of
    numbers without an error is known.
    """
    found, (low, high) = corners(np.power, x, exponent), x.ends()
    exact, fixed = x.error == 0, exponent.error == 0
    whole = fixed & (np.floor(exponent.value) == exponent.value)
    known = (
        (low > 0) | (exact & (fixed | (low == 0))) | (whole & ((exponent.value >= 0) | (high < 0)))
    )
    largest = np.power(np.maximum(-low, high), exponent.value)
    error = np.where((low < 0) & (high > 0), found.error + 2 * largest, found.error)
    return Bounded(found.value, np.where(known, error, np.inf), x.dtype)


def root(x: Bounded) -> Bounded:
    """|sqrt(x) - sqrt(y)| is |x - y| / (sqrt(x) + sqrt(y)), and at most sqrt(|x - y|)."""
    low = np.maximum(x.value - x.error, 0)
    near = x.error / np.where(low > 0, 2 * np.sqrt(low), 1e-300)
    return x.made(np.sqrt(x.value), np.minimum(np.sqrt(x.error), near))


def any_root(x: Bounded) -> Bounded:
    """The same where rounding may have made `x` negative, and its root NaN."""
    found = root(x)
    return Bounded(found.value, np.where(x.ends()[0] < 0, np.inf, found.error), x.dtype)


def extreme(function: Any) -> Any:
    """Maximum or minimum, which is off by no more than the worse of its operands.

    Where the errors cannot turn which of them it is, it is off by as much as that one.
    """

    def chosen(x: Bounded, y: Bounded) -> Bounded:
        value, sure = function(x.value, y.value), ~(x < y).unsure & (x.value != y.value)
        of_one = np.where(value == x.value, x.error, y.error)
        return Bounded(value, np.where(sure, of_one, np.maximum(x.error, y.error)), x.dtype)

    return chosen


def sign(x: Bounded) -> Bounded:
    """Exact unless the error reaches over 0; what may be NaN keeps that."""
    unsure = ~(np.abs(x.value) > x.error) & (x.error > 0)
    return Bounded(np.sign(x.value), np.where(np.isinf(x.error), np.inf, 2.0 * unsure), x.dtype)


def where(condition: Truth, x: Bounded, y: Bounded) -> Bounded:
    """Either side where the comparison is unsure."""
    value = np.where(condition.value, x.value, y.value)
    error = np.where(condition.value, x.error, y.error)
    either = np.abs(x.value - y.value) + x.error + y.error
    return Bounded(value, np.where(condition.unsure, either, error), x.dtype)


def wave(function: Any, x: Bounded) -> Bounded:
    """Sine and cosine: slopes are at most 1, and so are the values."""
    unsure = ~np.isfinite(np.abs(x.value) + x.error)
    error = np.where(x.error > 0, np.where(unsure, np.inf, np.minimum(x.error, 2.0)), 0.0)
    return x.made(function(x.value), error, LIBRARY)


def angle(y: Bounded, x: Bounded) -> Bounded:
    """An angle of what moves by less than its distance moves by less than a right angle.

    Then it is off by no more than pi / 2 times their quotient, unless it may cross the negative
    axis, where a whole turn is lost.
    """
    moved, distance = np.hypot(y.error, x.error), np.hypot(y.value, x.value)
    small = np.pi / 2 * moved / np.where(distance > moved, distance, 1.0)
    crosses = (y.ends()[0] <= 0) & (y.ends()[1] >= 0) & (x.ends()[0] <= 0)
    turns = ~(moved < distance) | crosses
    error = np.where(moved == 0, 0.0, np.where(turns, 2 * np.pi, small))
    known = np.isfinite(moved) & ~np.isnan(distance)
    error = np.where(known | (moved == 0), error, np.inf)
    return y.made(np.arctan2(y.value, x.value), error, LIBRARY)


class Analysis(Machine):
    """Bounds of the error of a kernel: `p` and `state` hold `Bounded` numbers.

    `compute` is the dtype of the kernel's arithmetic; parameters, gradients and state lie in it.
    """

    once = each = MappingProxyType({
        "sqrt": root,
        "abs": lambda x: Bounded(np.abs(x.value), x.error, x.dtype),
        "sign": sign,
        "maximum": extreme(np.maximum),
        "minimum": extreme(np.minimum),
        "where": where,
        "exp": lambda x: corners(np.exp, x),
        "log": lambda x: corners(np.log, x),
        "sin": lambda x: wave(np.sin, x),
        "cos": lambda x: wave(np.cos, x),
        "tanh": lambda x: corners(np.tanh, x),
        "atan2": angle,
    })  # fmt: skip

    def __init__(self, formula: Formula, p: Any, compute: str, **hypers: float) -> None:
        super().__init__(formula, **hypers)
        self.compute = compute
        # A copy: the caller may let a kernel loose on the same array.
        self.p = Bounded(np.array(p, np.float64), 0.0, compute)
        for name in formula.states:
            self.state[name] = Bounded(np.full(np.shape(p), formula.initial[name]), 0.0, compute)

    def single(self, value: float) -> Bounded:
        """An exact float64."""
        return Bounded(value, 0.0, "float64")

    def rounded(self, value: Bounded) -> Bounded:
        """Round a constant of the prologue to the dtype of the loop."""
        lost = np.abs(value.value - value.value.astype(self.compute))
        # Another run may round to the other side.
        largest = np.abs(value.value) + value.error
        other = UNIT[self.compute] * largest + TINY[self.compute]
        lost = np.where((value.error > 0) & (lost < other), other, lost)
        return Bounded(value.value, value.error + lost, self.compute)

    def kept(self, name: str, value: Bounded) -> Bounded:
        """Nothing is rounded on the way into memory."""
        shape = self.p.value.shape
        size, error = np.broadcast_to(value.value, shape), np.broadcast_to(value.error, shape)
        return Bounded(size, error, self.compute)

    def step(self, g: Any) -> None:
        """Do one step with the gradient array `g`."""
        self.apply(Bounded(g, 0.0, self.compute))

    def bound(self, name: str) -> Any:
        """The largest distance between two runs of p or a state, each with its own rounding."""
        value = self.p if name == "p" else self.state[name]
        return value.error


class WildAnalysis(Analysis):
    """The same for formulas that take roots of anything."""

    once = each = MappingProxyType({**Analysis.each, "sqrt": any_root})
