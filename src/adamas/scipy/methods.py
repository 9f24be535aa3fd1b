"""A rule as a `method` of `scipy.optimize.minimize`, in SciPy's words and in float64.

SciPy hands everything over as it came and does nothing with the result, so that options, the two
forms of callback and the fields of `OptimizeResult` are made here. So is what a method for noisy
functions needs: an end that does not hang on one gradient, and an average of the iterates.
"""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import Bounds, OptimizeResult, OptimizeWarning

from adamas import rules
from adamas.engine.options import formula_of
from adamas.engine.settings import choice, real
from adamas.kernel.formula import Formula
from adamas.kernel.scopes import SECOND
from adamas.scipy.descent import Descent
from adamas.scipy.objective import STEPS, Objective, Vector, vector

# What every method here takes besides the hyper-parameters of its rule.
OPTIONS: dict[str, Any] = {
    "maxiter": 10_000, "gtol": 1e-5, "patience": 10, "average": None, "keep": "last",
    "finite_diff": "2-point", "clip_norm": None, "state": "float64", "seed": 0, "disp": False,
    "return_all": False,
}  # fmt: skip

_MORE = """
A `method` of `scipy.optimize.minimize`: steps by `{rule}` in float64 until no component of the
gradient has been larger than `gtol` in `patience` iterations in a row, or `maxiter` iterations.

Options are the rule's hyper-parameters, numbers or schedules of the iteration (1 at the first), and

- `maxiter` (10,000), `gtol` (1e-5, `tol` of `minimize`; None never stops), `patience` (10);
- `average`: the decay of a moving average of the iterates, which is returned; for noisy functions;
- `keep`: "last" returns the last iterate, "best" the one with the smallest value of `fun`, which is
  then called in every iteration;
- `finite_diff`: "2-point" or "3-point" differences where there is no `jac`;
- `clip_norm`, `state`, `seed` as of `adamas.Optimizer`; `disp`, `return_all` as SciPy's.

`status` is 0 (gtol, at the point returned, too), 1 (maxiter), 2 (x no longer moves), 3 (NaN or
infinity; x is the last point where everything known was finite, or the best) or 99 (the callback
raised StopIteration). `hess` and `hessp` are ignored. Raises ValueError for finite bounds and
constraints, and TypeError or ValueError for an option out of its limits; warns `OptimizeWarning` of
unknown ones.
"""


_OURS = tuple(getattr(rules, name) for name in rules.__all__)


def method(rule: Any) -> Callable[..., OptimizeResult]:
    """Make a `method` of `scipy.optimize.minimize` from a rule, or what `adamas.rule` made of one.

    Raises `adamas.FormulaError` for a rule that cannot be compiled, ValueError for one that calls a
    hyper-parameter as an option is called, TypeError for one that reads a second array.
    """
    formula = formula_of(rule)
    if taken := {*OPTIONS, "tol"} & formula.hypers.keys():
        raise ValueError(
            f"rule {formula.name!r} has a hyper-parameter {min(taken)!r}, which is an option of "
            "every method here; give it another name."
        )
    averages = getattr(rule, "function", rule) in rules.AVERAGES
    if SECOND in formula.given:
        raise TypeError(f"{formula.name} reads a second array, which minimize has no place for.")

    def minimizer(
        fun: Callable[..., Any], x0: Any, args: Any = (), jac: Any = None,
        hess: Any = None, hessp: Any = None, bounds: Any = None, constraints: Any = (),
        callback: Any = None, **options: Any,
    ) -> OptimizeResult:  # fmt: skip
        _refuse(formula.name, jac, bounds, constraints)
        chosen, hypers = _sorted(formula, options)
        if averages and hypers.get("beta1") == 0:
            raise ValueError(
                f"beta1=0: {formula.name} returns the average of its iterates, which it finds by "
                "a division by beta1; choose one above 0, or adamw with the option average."
            )
        objective = Objective(fun, jac, args, chosen["finite_diff"])
        return Descent(rule, objective, _start(x0), hypers, chosen, callback).result()

    minimizer.__name__ = minimizer.__qualname__ = formula.name
    minimizer.__doc__ = (
        inspect.cleandoc(rule.__doc__ or "") + "\n" + _MORE.format(rule=formula.name)
    )
    minimizer.__module__ = "adamas.scipy" if rule in _OURS else getattr(rule, "__module__", "")
    shown = list(inspect.signature(minimizer).parameters.values())[:-1]
    for name, value in {**formula.hypers, **OPTIONS}.items():
        shown.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value))
    vars(minimizer)["__signature__"] = inspect.Signature(shown)
    return minimizer


def _refuse(name: str, jac: Any, bounds: Any, constraints: Any) -> None:
    """Raise ValueError for what a method without line search and projection cannot respect."""
    bounds = None if _unbounded(bounds) else bounds
    for what, given in (("bounds", bounds), ("constraints", constraints)):
        if given is not None and not (isinstance(given, list | tuple | dict) and not given):
            raise ValueError(
                f"{name} moves x freely and cannot keep {what}; minimize over other variables "
                "(such as exp(x) for a positive number), or take method='SLSQP'."
            )
    if not (jac is None or callable(jac)):
        raise ValueError(
            f"jac={jac!r} is neither a function nor None; call {name} through minimize, and choose "
            "differences by the option finite_diff."
        )


def _unbounded(bounds: Any) -> bool:
    """Whether bounds, as SciPy takes them, are all infinite or None."""
    if isinstance(bounds, Bounds):
        return bool(np.all(bounds.lb == -np.inf) and np.all(bounds.ub == np.inf))
    return isinstance(bounds, list | tuple) and all(
        isinstance(pair, list | tuple | np.ndarray)
        and len(pair) == 2
        and (pair[0] is None or pair[0] == -np.inf)
        and (pair[1] is None or pair[1] == np.inf)
        for pair in bounds
    )


def _sorted(formula: Formula, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of the method and those of the rule; warns of others, as SciPy does."""
    given = {key: value for key, value in given.items() if value is not None or key == "gtol"}
    if (tol := given.pop("tol", None)) is not None:
        given.setdefault("gtol", tol)
    known = {**OPTIONS, **formula.hypers}
    if unknown := ", ".join(key for key in given if key not in known):
        # Of whoever called minimize.
        warnings.warn(f"Unknown solver options: {unknown}", OptimizeWarning, stacklevel=4)
    chosen = {key: given.get(key, value) for key, value in OPTIONS.items()}
    choice("finite_diff", chosen["finite_diff"], tuple(STEPS))
    choice("keep", chosen["keep"], ("last", "best"))
    for name, least in (("maxiter", 0), ("patience", 1)):
        chosen[name] = _plain(chosen[name])
        number = real(name, chosen[name], "it must be a whole number")
        # SciPy's own take 1e4 and infinity, too.
        if not (number >= least and number in (number // 1, np.inf)):
            raise ValueError(f"{name}={number:g} must be a whole number of at least {least}.")
    for name, below, limits in (
        ("gtol", np.inf, "at least 0, or None to go on"),
        ("average", 1.0, "at least 0 and below 1, or None for none"),
    ):
        if chosen[name] is not None:
            given_as = f"it must be a number of {limits}"
            chosen[name] = number = real(name, _plain(chosen[name]), given_as)
            if not (0 <= number < below or number == below == np.inf):
                raise ValueError(f"{name}={number!r} must be {limits}.")
    if chosen["average"] is not None and chosen["keep"] == "best":
        raise ValueError("average=... and keep='best' return two different points; choose one.")
    return chosen, {key: given[key] for key in formula.hypers.keys() & given.keys()}


def _plain(value: Any) -> Any:
    """A number that came as an array without axes, as the number."""
    return value.item() if isinstance(value, np.ndarray) and not value.ndim else value


def _start(x0: Any) -> Vector:
    x = vector(x0, "x0 is")
    if x.ndim != 1:
        raise ValueError(f"x0 has shape {x.shape}; it must have one dimension.")
    return x
