"""The function to minimize: its values and gradients, counted, or differences without gradients."""

import reprlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

# The relative step at which truncation and rounding are about equal, by the order of the formula.
STEPS = {"2-point": 2.0**-26, "3-point": 2.0 ** (-52 / 3)}


def vector(given: Any, what: str) -> Vector:
    """`given` as float64, one number at least as a vector.

    Raises TypeError or ValueError that begins with `what` for what is no array of real numbers.
    """
    try:
        found = np.atleast_1d(np.asarray(given))
    except ValueError as error:
        raise ValueError(f"{what} {reprlib.repr(given)}, which is no array: {error}") from None
    if found.dtype.kind not in "fiub":
        raise TypeError(f"{what} {reprlib.repr(given)} ({found.dtype}), not real numbers.")
    return found.astype(np.float64)


class Objective:
    """`fun` and `jac` with their arguments; the value and gradient of one point are asked for once.

    Without `jac` a gradient is made of differences: `"2-point"` n more values each, `"3-point"` 2n.
    """

    def __init__(self, fun: Callable[..., Any], jac: Any, args: Any, differences: str) -> None:
        self._fun, self._jac, self._args = fun, jac, args if isinstance(args, tuple) else (args,)
        self._step = STEPS[differences]
        self._both = differences == "3-point"
        self.nfev = self.njev = 0
        self._known: dict[str, Any] = {}
        # `minimize` makes two functions of one that returns value and gradient: both cost one call.
        self.has_values = not callable(jac) or _memorized(fun, jac)

    def value(self, x: Vector) -> float:
        """The value at x; raises ValueError if it is not one number."""
        known = self._at(x)
        if "value" not in known:
            known["value"] = self._call(x)
        return float(known["value"])

    def gradient(self, x: Vector) -> Vector:
        """The gradient at x; raises ValueError if it has not a number for each of x."""
        known = self._at(x)
        if "gradient" not in known:
            self.njev += 1
            known["gradient"] = self._given(x) if callable(self._jac) else self._differences(x)
        found: Vector = known["gradient"]
        return found

    def forget(self) -> None:
        """Ask anew, even at the same point."""
        self._known = {}

    def _at(self, x: Vector) -> dict[str, Any]:
        """What is known at x."""
        if "x" not in self._known or not np.array_equal(self._known["x"], x):
            self._known = {"x": x.copy()}
        return self._known

    def _call(self, x: Vector) -> float:
        self.nfev += 1
        found = np.asarray(self._fun(x.copy(), *self._args))
        if found.size != 1:
            raise ValueError(f"fun returned an array of shape {found.shape}, not one number.")
        if found.dtype.kind not in "fiub":
            raise TypeError(f"fun returned {found.item()!r}, not one real number.")
        return float(found.item())

    def _given(self, x: Vector) -> Vector:
        found = vector(self._jac(x.copy(), *self._args), "jac returned")
        if found.shape != x.shape:
            raise ValueError(
                f"jac returned an array of shape {found.shape}; x has shape {x.shape}."
            )
        return found

    def _differences(self, x: Vector) -> Vector:
        here = self.value(x)
        found, steps = np.empty_like(x), self._step * np.maximum(1.0, np.abs(x))
        for k, step in enumerate(steps):
            ahead, behind = x.copy(), x.copy()
            ahead[k] += step
            if self._both:
                behind[k] -= step
            before = self._call(behind) if self._both else here
            # What was really added, after rounding.
            found[k] = (self._call(ahead) - before) / (ahead[k] - behind[k])
        return found


def _memorized(fun: Any, jac: Any) -> bool:
    """Whether `jac` is what SciPy makes of `jac=True`, and not a method of a user's own `fun`."""
    ours = type(fun).__module__.partition(".")[0] == "scipy"
    return ours and getattr(jac, "__self__", None) is fun
