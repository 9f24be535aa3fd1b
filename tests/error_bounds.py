"""How far rounding can carry a kernel from exact arithmetic, for any formula.

Running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section
3.3): every number carries a bound of its error. An operation passes on the errors of its operands
by what it does to them, and adds its own rounding: half a unit in the last place, relative to the
result, plus the smallest subnormal where the result underflows. NumPy's and the C library's pow,
exp and log are allowed four times that. A comparison that the errors could turn may choose either
side. Nothing here comes from what the kernel returned.
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
        own = UNIT[self.dtype] * units * largest + TINY[self.dtype] * (largest > 0)
        # What may overflow may be anything.
        own = np.where(largest < LARGEST[self.dtype], own, np.inf)
        return Bounded(value, error + own, self.dtype)

    def __add__(self, b: "Bounded") -> "Bounded":
        return self.made(self.value + b.value, self.error + b.error)

    def __sub__(self, b: "Bounded") -> "Bounded":
        return self.made(self.value - b.value, self.error + b.error)

    def __mul__(self, b: "Bounded") -> "Bounded":
        error = np.abs(self.value) * b.error + np.abs(b.value) * self.error + self.error * b.error
        return self.made(self.value * b.value, error)

    def __truediv__(self, b: "Bounded") -> "Bounded":
        room, quotient = np.abs(b.value) - b.error, self.value / b.value
        error = (self.error + np.abs(quotient) * b.error) / np.where(room > 0, room, np.nan)
        return self.made(quotient, np.where(room > 0, error, np.inf))

    def __pow__(self, b: "Bounded") -> "Bounded":
        return corners(np.power, self, b)

    def __neg__(self) -> "Bounded":
        return Bounded(-self.value, self.error, self.dtype)

    def __pos__(self) -> "Bounded":
        return self

    def compared(self, relation: Any, b: "Bounded") -> Truth:
        """Compare, and say where the errors overlap."""
        reach = self.error + b.error
        unsure = ~(np.abs(self.value - b.value) > reach) & (reach > 0)
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
    """A function that is monotonic in each operand errs most at a corner of their ranges."""
    value = function(*(x.value for x in operands))
    ends: list[list[Any]] = [[]]
    for x in operands:
        ends = [[*chosen, end] for chosen in ends for end in (x.value - x.error, x.value + x.error)]
    worst = np.max([np.abs(function(*chosen) - value) for chosen in ends], axis=0)
    return operands[0].made(value, np.where(np.isnan(worst), np.inf, worst), LIBRARY)


def root(x: Bounded) -> Bounded:
    """|sqrt(x + e) - sqrt(x)| is at most e / sqrt(x), and at most sqrt(e)."""
    value = np.sqrt(x.value)
    error = np.minimum(np.sqrt(x.error), x.error / np.where(value > 0, value, 1e-300))
    return x.made(value, np.where(x.value < x.error, np.sqrt(2 * x.error), error))


def any_root(x: Bounded) -> Bounded:
    """The same where rounding may have made `x` negative, and its root NaN."""
    found = root(x)
    return Bounded(found.value, np.where(x.value < x.error, np.inf, found.error), x.dtype)


def extreme(function: Any) -> Any:
    """Maximum or minimum, which is off by no more than the worse of its operands."""

    def chosen(x: Bounded, y: Bounded) -> Bounded:
        return Bounded(function(x.value, y.value), np.maximum(x.error, y.error), x.dtype)

    return chosen


def sign(x: Bounded) -> Bounded:
    """Exact unless the error reaches over 0."""
    unsure = ~(np.abs(x.value) > x.error) & (x.error > 0)
    return Bounded(np.sign(x.value), 2.0 * unsure, x.dtype)


def where(condition: Truth, x: Bounded, y: Bounded) -> Bounded:
    """Either side where the comparison is unsure."""
    value = np.where(condition.value, x.value, y.value)
    error = np.where(condition.value, x.error, y.error)
    either = np.abs(x.value - y.value) + x.error + y.error
    return Bounded(value, np.where(condition.unsure, either, error), x.dtype)


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
        return 2 * value.error


class WildAnalysis(Analysis):
    """The same for formulas that take roots of anything."""

    once = each = MappingProxyType({**Analysis.each, "sqrt": any_root})
