"""SciPy's own tests of `minimize`, from the installed wheel, with a method of ours in each place.

Wherever they call `minimize` with the name of one of SciPy's methods, adamas.scipy's answers. Left
out: what brings a minimizer of its own (`test_custom`, `test_gh10771`), asks for a line search
(`test_no_increase`), for bounds and constraints, or for the messages of one method.
"""

from collections.abc import Callable
from typing import Any

import pytest
from scipy import optimize

import adamas.scipy

theirs = pytest.importorskip("scipy.optimize.tests.test_optimize")


class Ours:
    """`scipy.optimize`, but that `minimize` goes by a method of ours, with these options."""

    def __init__(self, method: Callable[..., Any], **options: Any) -> None:
        self._method, self._options = method, options

    def __getattr__(self, name: str) -> Any:
        """Whatever else is there."""
        return getattr(optimize, name)

    def minimize(self, *args: Any, **given: Any) -> Any:
        """Minimize by ours, whatever method was named."""
        options = {**self._options, **(given.pop("options", None) or {})}
        return optimize.minimize(*args, **{**given, "method": self._method}, options=options)


@pytest.fixture(params=["adam", "lion", "momentum"])
def suite(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An instance of their class whose `minimize` is ours."""
    lr = {"momentum": 1e-4}.get(request.param, 1e-2)
    made = Ours(getattr(adamas.scipy, request.param), lr=lr, maxiter=1000)
    monkeypatch.setattr(theirs, "optimize", made)
    found = theirs.TestOptimizeSimple()
    found.setup_method()
    return found


@pytest.mark.parametrize("form", [0, 1, 2])
def test_callback_stopiteration(suite: Any, form: int) -> None:
    """A StopIteration ends with status 99 and what so many iterations give, in each form."""
    suite.test_callback_stopiteration("ours", form)


def test_callbacks_get_copies(suite: Any) -> None:
    """Arrays that a callback keeps are not changed afterwards."""
    suite.test_minimize_callback_copies_array("ours")


def test_maxiter_is_respected(suite: Any) -> None:
    """`maxiter` iterations are done, and evaluations are counted as their own counter does."""
    suite.test_respect_maxiter("ours")


def test_nan_is_no_success(suite: Any) -> None:
    """A NaN of the function ends without success, with and without a gradient."""
    suite.test_nan_values("ours")


def test_no_point_is_asked_for_twice(suite: Any) -> None:
    """No evaluation is repeated at the same point."""
    suite.test_duplicate_evaluations("ours")


def test_tol_does_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """`tol` of `minimize` is gtol: a smaller one ends at a smaller value."""
    monkeypatch.setattr(theirs, "optimize", Ours(adamas.scipy.adam, lr=0.05, maxiter=500))
    theirs.TestOptimizeSimple().test_minimize_tol_parameter()


def test_a_function_may_overwrite_x(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user's function does to its array does not reach the method."""
    monkeypatch.setattr(theirs, "optimize", Ours(adamas.scipy.adam, lr=0.05, gtol=1e-4))
    monkeypatch.setattr(theirs, "MINIMIZE_METHODS", ["ours", "newton-cg"])
    theirs.test_x_overwritten_user_function()
