"""One minimization: an optimizer over one vector, the reasons to stop, and what is answered."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

import adamas
from adamas import rules
from adamas.scipy.objective import Objective, Vector


@dataclass(frozen=True)
class Point:
    """Where the functions were asked; `value` is None if it was not."""

    x: Vector
    gradient: Vector
    value: float | None


class Descent:
    """Steps `x`, which it changes, by `rule` until there is a reason to stop.

    `hypers` are those of the rule, `options` those of every method; `callback` is in either form.
    """

    def __init__(
        self, rule: Any, objective: Objective, x: Vector, hypers: Mapping[str, Any],
        options: Mapping[str, Any], callback: Callable[..., Any] | None,
    ) -> None:  # fmt: skip
        self._objective, self._x, self._options = objective, x, options
        passed = {key: options[key] for key in ("clip_norm", "state", "seed")}
        self._optimizer = adamas.Optimizer(
            rule, x, ema=options["average"], on_nonfinite="allow", **passed, **hypers
        )
        self._average: Any = rules.AVERAGES.get(getattr(rule, "function", rule))
        self._tell = self._telling(callback)
        self._all = [x.copy()]
        # The last point where everything was finite, and the lowest one if it is wanted.
        self._good: Point | None = None
        self._best: Point | None = None

    def result(self) -> OptimizeResult:
        """Run, and fill in what `minimize` returns."""
        status, message = self._descend()
        objective, steps = self._objective, self._optimizer.steps
        point = self._valued(self._answer(status))
        if status != 99 and (odd := _odd(point)):
            status, message = 3, f"{odd} at x."
            if self._good and not np.isfinite(point.x).all():
                message = f"{odd} in the average; x is the last iterate."
                point = self._valued(self._good)
        found = OptimizeResult(
            x=point.x, fun=point.value, jac=point.gradient, nit=steps, nfev=objective.nfev,
            njev=objective.njev, status=status, success=status == 0, message=message,
        )  # fmt: skip
        if self._options["return_all"]:
            found.allvecs = self._all
        if self._options["disp"]:
            print(f"{self._optimizer.formula.name}: {message}")
            print(f"fun={found.fun:.6g} nit={steps} nfev={found.nfev} njev={found.njev}")
        return found

    def _descend(self) -> tuple[int, str]:
        """Step until there is a reason to stop: the status and the reason."""
        x, gtol, patience = self._x, self._options["gtol"], self._options["patience"]
        small = still = 0
        while True:
            point = self._here()
            if odd := _odd(point):
                self._good = self._good or point
                return 3, f"{odd}; x is {self._which()}."
            self._good = point
            if self._options["keep"] == "best":
                # Of equal values the later one, where the gradient is as small as it became.
                self._best = min(point, self._best or point, key=attrgetter("value"))
            largest = float(np.abs(point.gradient).max(initial=0.0))
            small = small % patience + 1 if gtol is not None and largest <= gtol else 0
            if small == patience and self._met(gtol):
                return 0, f"No component of the gradient exceeds gtol={gtol:g}."
            if self._optimizer.steps == self._options["maxiter"]:
                return 1, f"Maximum number of iterations, maxiter={self._optimizer.steps}, is done."
            self._optimizer.step(point.gradient)
            # A noisy function is asked again even where x has not moved.
            self._objective.forget()
            if not np.isfinite(x).all():
                return 3, f"x is not finite any more; x is {self._which()}."
            # A schedule may begin with nothing.
            stuck = (
                largest and np.array_equal(x, point.x) and self._optimizer.settings().get("lr", 1)
            )
            still = still + 1 if stuck else 0
            if still == patience:
                return 2, "x no longer moves: its steps are below the precision of float64."
            if self._options["return_all"]:
                self._all.append(x.copy())
            try:
                self._tell()
            except StopIteration:
                return 99, "`callback` raised `StopIteration`."

    def _here(self) -> Point:
        """What is known at x."""
        gradient = self._objective.gradient(self._x)
        asked = self._objective.has_values or self._options["keep"] == "best"
        value = self._objective.value(self._x) if asked else None
        return Point(self._x.copy(), gradient, value)

    def _met(self, gtol: float) -> bool:
        """Whether the point that would be returned has no larger gradient, either."""
        return bool((np.abs(self._answer(0).gradient) <= gtol).all())

    def _answer(self, status: int) -> Point:
        """The point that was asked for."""
        assert self._good
        if self._best or status == 3:
            return self._best or self._good
        x = self._returned()
        if np.array_equal(x, self._good.x):
            return self._good
        finite = np.isfinite(x).all()
        gradient = self._objective.gradient(x) if finite else np.full_like(x, np.nan)
        return Point(x, gradient, None if finite else np.nan)

    def _valued(self, point: Point) -> Point:
        if point.value is not None:
            return point
        return replace(point, value=self._objective.value(point.x))

    def _which(self) -> str:
        """The point that is returned where something is not finite."""
        if self._best:
            return "the point with the smallest fun before"
        return "the last point where everything was finite"

    def _returned(self) -> Vector:
        """The last iterate, or the average where one was asked for or the rule has one."""
        states = self._optimizer.values(0) if self._optimizer.steps else {}
        if "average" in states:
            return states["average"]
        if self._average and states:
            beta1 = self._optimizer.settings()["beta1"]
            # What a schedule that ends at 0 makes of it is told as not finite.
            with np.errstate(all="ignore"):
                return np.asarray(self._average(self._x, states["z"], beta1=beta1))
        return self._x.copy()

    def _telling(self, callback: Callable[..., Any] | None) -> Callable[[], Any]:
        """What tells the callback of an iteration; it gets copies."""
        if callback is None:
            return lambda: None
        if set(inspect.signature(callback).parameters) == {"intermediate_result"}:
            return lambda: callback(
                intermediate_result=OptimizeResult(
                    x=self._x.copy(), fun=self._objective.value(self._x)
                )
            )
        return lambda: callback(self._x.copy())


def _odd(point: Point) -> str:
    """What is not finite at a point, or an empty text."""
    for what, vector in (("x", point.x), ("the gradient", point.gradient)):
        if len(places := np.flatnonzero(~np.isfinite(vector))):
            return f"Component {places[0]} of {what} is {vector[places[0]]}"
    if point.value is None or np.isfinite(point.value):
        return ""
    return f"fun is {'NaN' if np.isnan(point.value) else point.value}"
