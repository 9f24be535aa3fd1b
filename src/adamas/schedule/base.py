"""What a schedule is: a pure function of the step that can be read, compared and stored.

A scheduler object that mutates an optimizer has a state of its own, which must be stepped at the
right moment and saved beside the weights. A `Schedule` has none: the engine calls ``value(t)`` with
its own step (t = 1 at the first), so resuming at t resumes the schedule. It prints as the
expression that built it, and that text is its identity: equal text is an equal schedule.

As a rule is a formula of one element, a shape is a formula of k = t - 1, the steps already done
(torch's ``last_epoch``, optax's ``count``); `shape` makes the public constructor from it. The
shapes themselves are in ``shapes.py``; `Schedule.over` binds them to the words of a framework,
which may trace them.
"""

from __future__ import annotations

import inspect
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial, wraps
from numbers import Integral, Real
from typing import Any, Concatenate, ParamSpec, Protocol

from adamas.words import rebound

P = ParamSpec("P")

# Per argument name: its type, the lowest and the highest legal value, and both in words.
_COUNT = (Integral, 1, math.inf, "an int of at least 1, such as 1000")
_LENGTH = (Integral, 0, math.inf, "an int of at least 0, such as 1000")
_POSITIVE = (Real, 5e-324, sys.float_info.max, "a finite number above 0, such as 0.5")
_FRACTION = (Real, 0.0, 1.0, "a number from 0 to 1, such as 0.1")
_VALUE = (Real, 0.0, sys.float_info.max, "a finite number of at least 0, such as 0.001")
_LIMITS: dict[str, tuple[Any, float, float, str]] = {
    **dict.fromkeys(("steps", "every", "decay", "at"), _COUNT),
    **dict.fromkeys(("warmup", "stable"), _LENGTH),
    **dict.fromkeys(("factor", "div_factor", "final_div_factor"), _POSITIVE),
    **dict.fromkeys(("fraction", "pct_start"), _FRACTION),
    "t": (Integral, 1, math.inf, "an int of at least 1; the first optimizer step is t=1"),
}

_ELSEWHERE = (
    ". Of arrays and traced numbers call schedule.over(words); optax takes "
    "adamas.jax.schedule(schedule), and optimizers of adamas take the schedule itself."
)

# What the words mean of Python's numbers, ints of any size among them.
_PLAIN = {
    "where": lambda condition, x, y: x if condition else y,
    "minimum": lambda x, y: y if y < x else x,
    "maximum": lambda x, y: y if y > x else x,
    "sin": math.sin,
}

Words = Mapping[str, Any]
Number = Callable[[float], Any]
Traced = Callable[[Any], Any]


class Schedule(ABC):
    """A non-negative value as a function of the optimizer's step; made by `cosine` and the others.

    ``schedule(t)`` takes an int t >= 1 and returns a float. Schedules are immutable, hashable and
    picklable, and ``eval(repr(schedule)) == schedule``, bit for bit. A t that is not an int raises
    TypeError, a t below 1 ValueError, and a value that exceeds float64 OverflowError.

    >>> from adamas.schedule.shapes import cosine, warmup
    >>> lr = warmup(1e-3, steps=100).then(cosine(1e-3, steps=900), at=100) * 0.5
    >>> lr
    warmup(0.001, steps=100, fraction=0.0).then(cosine(0.001, steps=900, end=0.0), at=100) * 0.5
    >>> lr(1), lr(51), lr(101), lr(1001)
    (0.0, 0.00025, 0.0005, 0.0)
    """

    __array_ufunc__ = None  # or NumPy's number * schedule would return an object array

    @abstractmethod
    def _value(self, k: int) -> float:
        """Return the value after k finished steps; the caller has checked k."""

    @abstractmethod
    def _over(self, words: Words, number: Number) -> Traced:
        """Return the function of k that `over` makes one of t."""

    def __call__(self, t: int) -> float:
        """Return the value at step t, 1 at the first step."""
        if type(t) is not int or t < 1:
            try:
                t = int(_checked("schedule", "t", t))
            except TypeError as error:
                raise TypeError(f"{error}{_ELSEWHERE if hasattr(t, 'dtype') else ''}") from None
        try:
            value = self._value(t - 1)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            limit = f"exceeds float64's {sys.float_info.max:.3g}; cap it with .then(constant(...))"
            raise OverflowError(f"{self!r} at t={t} {limit}")
        return value

    def over(self, words: Words, number: Number = float) -> Traced:
        """Return the same function of t over other `words`: of arrays, or of traced numbers.

        ``words`` gives ``where``, ``minimum``, ``maximum`` and ``sin`` as one home has them, and
        ``number`` makes a number of that home of a float, in float64 where it has it. The function
        takes t >= 1 as such a number, whole; it checks nothing, and returns infinity where calling
        the schedule raises OverflowError.

        >>> import numpy as np
        >>> from adamas import words
        >>> from adamas.schedule.shapes import wsd
        >>> wsd(1, warmup=2, stable=1, decay=2).over(vars(words))(np.arange(1, 7))
        array([0. , 0.5, 1. , 1. , 0.5, 0. ])
        """
        value = self._over({**words, "ZERO": number(0.0), "ONE": number(1.0)}, number)
        where, infinity = words["where"], number(math.inf)

        def over(t: Any) -> Any:
            found = value(t - 1)
            # Only what overflowed on the way is no number.
            return where(found == found, found, infinity)

        return over

    def then(self, second: Schedule, *, at: int) -> Schedule:
        """Follow this schedule through step ``at``; step ``at + 1`` is step 1 of ``second``.

        Counterparts: torch ``SequentialLR(optimizer, [a, b], [at])``, optax ``join_schedules``.
        Raises TypeError unless ``second`` is a Schedule, ValueError for ``at`` below 1.

        >>> from adamas.schedule.shapes import constant, linear
        >>> [constant(1).then(linear(4, 0, steps=2), at=2)(t) for t in range(1, 7)]
        [1.0, 1.0, 4.0, 2.0, 0.0, 0.0]
        """
        if not isinstance(second, Schedule):
            raise TypeError(f"then: {second!r} is not a Schedule; write a number as constant(...)")
        return _Then(self, second, int(_checked("then", "at", at)))

    def __mul__(self, other: Schedule | float) -> Schedule:
        """Return the product with another schedule, step by step, or with a number >= 0."""
        if isinstance(other, Schedule):
            return _Product(self, other)
        if isinstance(other, Real):
            return _Product(self, _checked("schedule * number", "number", other))
        return NotImplemented

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other) if isinstance(other, Schedule) else NotImplemented

    def __hash__(self) -> int:
        return hash(repr(self))


class _Constructor(Protocol):
    __name__: str
    __wrapped__: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Schedule: ...


@cache
def _plainly(formula: Callable[..., float]) -> Callable[..., float]:
    return rebound(formula, _PLAIN)


@dataclass(frozen=True, eq=False, repr=False)
class _Shape(Schedule):
    """A formula and its arguments; holds the constructor, which pickle stores as a name."""

    constructor: _Constructor
    args: tuple[float, ...]
    options: tuple[tuple[str, float], ...]

    def _value(self, k: int) -> float:
        return self._plain(k)

    @cached_property
    def _plain(self) -> Callable[[int], float]:
        formula = _plainly(self.constructor.__wrapped__)
        names = inspect.signature(self.constructor).parameters
        return partial(formula, **dict(zip(names, self.args, strict=False)), **dict(self.options))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_plain"}

    def _over(self, words: Words, number: Number) -> Traced:
        formula = rebound(self.constructor.__wrapped__, words)
        args, options = list(map(number, self.args)), {k: number(v) for k, v in self.options}
        return lambda k: formula(k, *args, **options)

    def __repr__(self) -> str:
        words = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.options)]
        return f"{self.constructor.__name__}({', '.join(words)})"


@dataclass(frozen=True, eq=False, repr=False)
class _Then(Schedule):
    first: Schedule
    second: Schedule
    at: int

    def _value(self, k: int) -> float:
        return self.first._value(k) if k < self.at else self.second._value(k - self.at)

    def _over(self, words: Words, number: Number) -> Traced:
        first, second = self.first._over(words, number), self.second._over(words, number)
        where, at, last = words["where"], number(self.at), number(self.at - 1)
        minimum, maximum, zero = words["minimum"], words["maximum"], words["ZERO"]
        # Both are evaluated: each only where it is defined.
        return lambda k: where(k < at, first(minimum(k, last)), second(maximum(k - at, zero)))

    def __repr__(self) -> str:
        return f"{_operand(self.first)}.then({self.second!r}, at={self.at})"


@dataclass(frozen=True, eq=False, repr=False)
class _Product(Schedule):
    left: Schedule
    right: Schedule | float

    def _value(self, k: int) -> float:
        left, right = (_reached(part, k) for part in (self.left, self.right))
        # A finite number of any size times 0.
        return left * right if left and right else 0.0

    def _over(self, words: Words, number: Number) -> Traced:
        left, right = self.left._over(words, number), self.right
        other = right._over(words, number) if isinstance(right, Schedule) else None
        where, minimum, zero, one = (words[name] for name in ("where", "minimum", "ZERO", "ONE"))
        factor = None if isinstance(right, Schedule) else number(right)

        def product(k: Any) -> Any:
            a, b = left(k), other(k) if other else factor
            # Infinity is a finite number that is too large: times 0 it is 0.
            nothing = minimum(a, b) <= zero
            return where(nothing, zero, where(nothing, one, a) * b)

        return product

    def __repr__(self) -> str:
        return f"{self.left!r} * {_operand(self.right)}"


def _reached(part: Schedule | float, k: int) -> float:
    """The value of a factor after k steps, infinity where it exceeds float64."""
    if not isinstance(part, Schedule):
        return part
    try:
        return part._value(k)
    except OverflowError:
        return math.inf


def _operand(part: Schedule | float) -> str:
    return f"({part!r})" if isinstance(part, _Product) else repr(part)


def _checked(where: str, name: str, value: Any) -> float:
    """Return an argument as a plain int or float; TypeError or ValueError says what it breaks."""
    kind, low, high, words = _LIMITS.get(name, _VALUE)
    message = f"{where}: {name}={value!r} is not {words}"
    if name == "t" and hasattr(value, "dtype"):
        message += ". Of arrays there is schedule.over(words); of JAX's count, adamas.jax.schedule"
    if isinstance(value, bool) or not isinstance(value, kind):
        raise TypeError(message)
    # Plain numbers before the comparison: in NumPy 2, float32 <= 1.8e308 warns of an overflow.
    try:
        number = int(value) if isinstance(value, Integral) else float(value)
    except OverflowError:
        raise ValueError(f"{where}: {name} is beyond float64; give {words}") from None
    if not low <= number <= high:
        raise ValueError(message)
    return number if kind is Integral else float(number) + 0.0  # -0.0 + 0.0 is 0.0


def shape(formula: Callable[Concatenate[Any, P], Any]) -> Callable[P, Schedule]:
    """Turn a formula of k and its arguments into a function of the arguments: the constructor."""
    name = formula.__name__
    _, *parameters = inspect.signature(formula).parameters.values()
    signature = inspect.Signature(parameters, return_annotation="Schedule")

    @wraps(formula)
    def constructor(*args: P.args, **kwargs: P.kwargs) -> Schedule:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name}: {error}; call it as {name}{signature}") from None
        bound.apply_defaults()
        for key, value in bound.arguments.items():
            bound.arguments[key] = _checked(name, key, value)
        return _Shape(constructor, bound.args, tuple(bound.kwargs.items()))

    vars(constructor)["__signature__"] = signature
    return constructor
