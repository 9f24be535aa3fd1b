"""Every rule as a method of `scipy.optimize.minimize`: numbers, results, options, refusals."""

import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import (
    Bounds,
    LinearConstraint,
    OptimizeResult,
    OptimizeWarning,
    basinhopping,
    minimize,
    rosen,
    rosen_der,
)

import adamas
import adamas.scipy
from adamas.schedule import cosine, step
from adamas.scipy import adam, lion, method, momentum, sgd

METHODS = {name: getattr(adamas.scipy, name) for name in adamas.scipy.__all__ if name != "method"}
START = np.array([-1.2, 1.0, 0.7])


def line() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The tutorial's hundred points: seed 42, a slope of 2.5, noise of variance 1."""
    random = np.random.RandomState(42)
    x = random.rand(100, 1) * 10
    return x, 2.5 * x + random.randn(100, 1)


def loss(w: Any, x: Any, y: Any) -> tuple[float, Any]:
    """The mean squared error of the line y = w x, and its gradient."""
    residual = x * w - y
    return float(np.mean(residual**2)), np.array([2 * np.mean(residual * x)])


def test_the_tutorials_line() -> None:
    """The tutorial's line ends at its least-squares weight, sum(xy) / sum(xx)."""
    x, y = line()
    found = minimize(loss, [0.0], args=(x, y), jac=True, method=adam, options={"lr": 0.1})
    best = float((x * y).sum() / (x * x).sum())
    assert found.success and found.status == 0
    assert found.x == pytest.approx([best], abs=1e-6)
    assert found.fun == pytest.approx(float(np.mean((x * best - y) ** 2)), rel=1e-12)


def test_the_tutorials_numbers() -> None:
    """A thousand iterations with its learning rate print the tutorial's weight."""
    options = {"lr": 1e-3, "maxiter": 1000}
    found = minimize(loss, [0.0], args=line(), jac=True, method=adam, options=options)
    assert (found.nit, found.status, found.success) == (1000, 1, False)
    assert f"{found.x[0]:.8f}" == "0.90600039"


TORCH: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop_centered": ("RMSprop", {"centered": True}),
    "adadelta": ("Adadelta", {}),
    "adam": ("Adam", {}),
    "adamw": ("AdamW", {}),
    "amsgrad": ("Adam", {"amsgrad": True}),
    "adamax": ("Adamax", {}),
    "nadam": ("NAdam", {}),
    "radam": ("RAdam", {}),
}


@pytest.mark.parametrize("name", TORCH)
def test_iterates_are_those_of_torch(name: str) -> None:
    """Fifty iterations by a rule are fifty steps of torch.optim's in float64."""
    kind, given = TORCH[name]
    options = {"lr": 1e-3, "maxiter": 50}
    found = minimize(rosen, START, jac=rosen_der, method=METHODS[name], options=options)
    p = torch.nn.Parameter(torch.tensor(START))
    there = getattr(torch.optim, kind)([p], lr=1e-3, **given)
    for _ in range(50):
        p.grad = torch.tensor(rosen_der(p.detach().numpy()))
        there.step()
    # Torch keeps the product of NAdam's momenta in float32.
    within = 1e-10 if name == "nadam" else 1e-12
    np.testing.assert_allclose(found.x, p.detach().numpy(), rtol=within)


@pytest.mark.parametrize("name", METHODS)
def test_every_rule_descends(name: str) -> None:
    """Every rule of adamas is a method under its own name, and lowers a convex function."""
    # Prodigy finds its own lr, which grows from 1e-6; AdamH stays at the distance of its start.
    lr = 1.0 if name == "prodigy" else 0.01
    found = minimize(
        lambda x: np.sum((x - 1) ** 2), [0.0, 1.0, -1.0], jac=lambda x: 2 * (x - 1),
        method=METHODS[name], options={"lr": lr, "maxiter": 200},
    )  # fmt: skip
    assert METHODS[name].__name__ == name == getattr(adamas.rules, name).__name__
    assert found.fun < 4.98
    assert set(METHODS) == set(adamas.rules.__all__)


def test_a_rule_of_ones_own() -> None:
    """A user's rule becomes a method, its options are its hyper-parameters."""

    @adamas.rule
    def halving(p: Any, g: Any, *, t: Any, share: float = 0.25) -> Any:
        return p - share * g

    found = minimize(lambda x: x @ x, [4.0, 8.0], jac=lambda x: 2 * x, method=method(halving),
                     options={"share": 0.25, "maxiter": 3, "gtol": None})  # fmt: skip
    assert found.x.tolist() == [0.5, 1.0]


def test_the_result_is_one_of_scipys() -> None:
    """The fields say what was found, and every call of the functions is counted."""
    calls = {"fun": 0, "jac": 0}

    def fun(x: Any) -> Any:
        calls["fun"] += 1
        return rosen(x)

    def jac(x: Any) -> Any:
        calls["jac"] += 1
        return rosen_der(x)

    found = minimize(fun, START, jac=jac, method=adam, options={"maxiter": 20})
    assert isinstance(found, OptimizeResult)
    assert (found.nit, found.nfev, found.njev) == (20, calls["fun"], calls["jac"]) == (20, 1, 21)
    assert found.fun == rosen(found.x)
    assert found.jac.tolist() == rosen_der(found.x).tolist()
    assert not found.success and "maxiter=20" in found.message
    assert "allvecs" not in found
    assert START.tolist() == [-1.2, 1.0, 0.7]


def test_value_and_gradient_in_one_call() -> None:
    """With jac=True each point costs one call, and the values are known."""
    calls = []

    def both(x: Any, shift: float) -> tuple[Any, Any]:
        calls.append(x)
        return rosen(x - shift), rosen_der(x - shift)

    options = {"maxiter": 20, "keep": "best"}
    found = minimize(both, START, args=(0.5,), jac=True, method=adam, options=options)
    assert found.nfev == found.njev == 21 <= len(calls) <= 22
    assert found.fun == rosen(found.x - 0.5)


@pytest.mark.parametrize(("kind", "calls"), [("2-point", 4), ("3-point", 7)])
def test_differences_without_a_gradient(kind: str, calls: int) -> None:
    """Without jac a run by differences goes where the gradient's goes, to their accuracy."""
    options = {"lr": 0.01, "maxiter": 100}
    exact = minimize(rosen, START, jac=rosen_der, method=adam, options=options)
    found = minimize(rosen, START, method=adam, options={**options, "finite_diff": kind})
    np.testing.assert_allclose(found.x, exact.x, rtol=1e-4 if kind == "2-point" else 1e-7)
    assert (found.nfev, found.njev) == (101 * calls, 101)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=4), st.floats(0.01, 100))
def test_differences_of_a_parabola(x: list[float], scale: float) -> None:
    """Central differences of a quadratic function are its gradient, to rounding."""
    options = {"maxiter": 0, "finite_diff": "3-point"}
    found = minimize(lambda z: scale * z @ z, x, method=sgd, options=options)
    largest = scale * max(1.0, *map(abs, x)) ** 2
    np.testing.assert_allclose(found.jac, 2 * scale * np.array(x), rtol=1e-7, atol=1e-9 * largest)


def test_callbacks_in_both_forms() -> None:
    """A callback hears of every iteration, of x or of x and its value."""
    seen: list[Any] = []
    told: list[Any] = []

    def newer(intermediate_result: OptimizeResult) -> None:
        told.append(intermediate_result)

    options = {"maxiter": 4, "return_all": True}
    for callback in (lambda xk: seen.append(xk), newer):
        found = minimize(
            rosen, START, jac=rosen_der, method=adam, callback=callback, options=options
        )
    assert len(found.allvecs) == 5 and found.allvecs[0].tolist() == START.tolist()
    for k, x in enumerate(found.allvecs[1:]):
        assert seen[k].tolist() == told[k].x.tolist() == x.tolist()
        assert told[k].fun == rosen(x)


def cliff(x: Any) -> Any:
    """The logarithm, which is not there for negative numbers."""
    return np.log(x[0]) if x[0] > 0 else np.nan


def slope(x: Any) -> Any:
    """Its gradient."""
    return np.array([1 / x[0] if x[0] > 0 else np.nan])


def test_the_status_says_why_it_stopped() -> None:
    """0 the gradient, 1 the iterations, 2 precision, 3 NaN, 99 the callback, as in SciPy."""

    def stop(xk: Any) -> None:
        raise StopIteration

    def status(fun: Any, jac: Any, x: Any, callback: Any = None, **options: Any) -> OptimizeResult:
        return minimize(fun, x, jac=jac, method=sgd, callback=callback, options=options)

    flat = status(lambda x: x @ x, lambda x: 2 * x, [1.0], lr=0.4)
    assert (flat.status, flat.success) == (0, True) and abs(flat.jac[0]) <= 1e-5
    assert flat.message == "No component of the gradient exceeds gtol=1e-05."
    assert status(rosen, rosen_der, START, lr=1e-4, maxiter=7).status == 1
    still = status(lambda x: x[0], lambda x: np.ones(1), [1e9], lr=1e-9)
    assert (still.status, still.success, still.nit) == (2, False, 10)
    assert "precision" in still.message
    beyond = status(cliff, slope, [0.05], lr=0.01)
    assert (beyond.status, beyond.success, beyond.x.tolist()) == (3, False, [0.05])
    assert beyond.message.startswith("Component 0 of the gradient is nan")
    assert beyond.fun == np.log(0.05) and beyond.jac.tolist() == [20.0]
    only = status(cliff, None, [0.05], lr=0.01)
    assert (only.status, only.x.tolist()) == (3, [0.05])
    assert status(lambda x: np.nan, lambda x: np.ones(1), [1.0], maxiter=3).status == 3
    far = status(lambda x: x[0], lambda x: np.ones(1), [-1e308], lr=1e308)
    assert (far.status, far.x.tolist()) == (3, [-1e308]) and "not finite any more" in far.message
    halted = status(rosen, rosen_der, START, stop, lr=1e-4)
    assert (halted.status, halted.success, halted.nit) == (99, False, 1)


@pytest.mark.parametrize("gtol", [1e-2, 1e-5])
@pytest.mark.parametrize(
    ("by", "given"),
    [
        (adam, {"lr": 0.1, "average": 0.97}),
        (adam, {"lr": 0.1, "keep": "best"}),
        (lion, {"lr": cosine(0.1, steps=900), "average": 0.97}),
        (adamas.scipy.schedule_free_adamw, {"lr": 0.1, "beta1": 0.5, "maxiter": 3000}),
    ],
    ids=["average", "best", "lion", "schedule-free"],
)
def test_a_success_is_that_of_the_point_returned(by: Any, given: Any, gtol: float) -> None:
    """Where success is True no component of the gradient that is returned exceeds gtol."""
    options = {"gtol": gtol, **given}
    found = minimize(lambda x: x @ x, START, jac=lambda x: 2 * x, method=by, options=options)
    assert found.success is (found.status == 0)
    assert found.success or (by, gtol) == (adamas.scipy.schedule_free_adamw, 1e-5)
    assert found.jac.tolist() == (2 * found.x).tolist()
    assert not found.success or abs(found.jac).max() <= gtol


def test_a_value_that_is_infinite_is_no_success() -> None:
    """Where fun is infinite at the point returned, or on the way to it, the status is 3."""

    def wall(x: Any) -> Any:
        return x @ x if x[0] > 0.5 else np.inf

    options = {"lr": 0.1}
    late = minimize(wall, [1.0], jac=lambda x: 2 * x, method=adam, options=options)
    assert (late.status, late.success, late.fun) == (3, False, np.inf)
    assert late.message == "fun is inf at x."
    options["keep"] = "best"
    known = minimize(wall, [1.0], jac=lambda x: 2 * x, method=adam, options=options)
    assert (known.status, known.fun) == (3, known.x @ known.x) and known.x[0] > 0.5
    lower = minimize(lambda x: -np.inf, [1.0], jac=lambda x: 0 * x, method=adam)
    assert (lower.status, lower.success) == (3, False)


def test_the_best_is_returned_after_a_nan() -> None:
    """Whatever ends it, keep="best" returns the point with the smallest finite value."""

    def rough(x: Any) -> Any:
        return (x[0] - 0.5) ** 2 if x[0] > 0.1 else np.nan

    for jac in (lambda x: np.ones(1), lambda x: np.where(x > 0.1, 1.0, np.nan)):
        options = {"lr": 0.1, "keep": "best"}
        found = minimize(rough, [1.0], jac=jac, method=sgd, options=options)
        assert (found.status, found.success) == (3, False)
        assert found.x == pytest.approx([0.5]) and found.fun == rough(found.x)
        assert "the point with the smallest fun" in found.message


def test_an_average_that_cannot_be_had() -> None:
    """Without beta1 there is no average to return: refused, or the last iterate and status 3."""
    free = adamas.scipy.schedule_free_adamw
    with pytest.raises(ValueError, match=r"beta1=0: schedule_free_adamw .* above 0"):
        minimize(rosen, START, jac=rosen_der, method=free, options={"beta1": 0.0})
    options = {"beta1": step(0.9, every=4, factor=1e-320), "maxiter": 9, "lr": 0.01}
    found = minimize(rosen, START, jac=rosen_der, method=free, options=options)
    assert (found.status, found.success) == (3, False)
    assert "in the average; x is the last iterate" in found.message
    assert np.isfinite(found.x).all() and found.fun == rosen(found.x)


def test_one_small_gradient_of_a_noisy_function_is_no_end() -> None:
    """A gradient that is zero now and then does not stop it, patience=1 does as SciPy's would."""
    random = np.random.default_rng(0)

    def noisy(x: Any) -> Any:
        return 2 * x * float(random.random() < 0.5)

    patient = minimize(lambda x: x @ x, [1.0], jac=noisy, method=sgd,
                       options={"lr": 0.1, "maxiter": 200})  # fmt: skip
    assert patient.x[0] < 1e-3
    hasty = minimize(lambda x: x @ x, [1.0], jac=noisy, method=sgd,
                     options={"lr": 0.1, "maxiter": 200, "patience": 1})  # fmt: skip
    assert hasty.status == 0 and hasty.x[0] > 1e-3


def test_gradients_of_zero_are_no_lack_of_precision() -> None:
    """With gtol=None it goes on where a noisy function has had nothing to say for long."""
    asked = []

    def late(x: Any) -> Any:
        asked.append(x)
        return np.full(1, float(len(asked) > 15))

    options = {"gtol": None, "maxiter": 20, "lr": 1.0}
    found = minimize(lambda x: x[0], [0.0], jac=late, method=sgd, options=options)
    assert (found.status, found.nit, found.x.tolist()) == (1, 20, [-5.0])


def test_an_average_of_the_iterates() -> None:
    """Around its minimum gradient descent wanders by a known variance, and its average by less."""
    random, lr, decay, n = np.random.default_rng(0), 0.2, 0.98, 4000

    def run(**options: Any) -> OptimizeResult:
        return minimize(
            lambda x: x @ x / 2, np.zeros(n), jac=lambda x: x + random.standard_normal(n),
            method=sgd, options={"lr": lr, "maxiter": 500, "gtol": None, **options},
        )  # fmt: skip

    # An AR(1) process x' = (1 - lr) x + lr noise, and its exponential moving average.
    variance, kept = lr / (2 - lr), decay * (1 - lr)
    smoothed = variance * (1 - decay) / (1 + decay) * (1 + kept) / (1 - kept)
    assert np.var(run().x) == pytest.approx(variance, rel=0.1)
    assert np.var(run(average=decay).x) == pytest.approx(smoothed, rel=0.1)


def test_the_best_or_the_last() -> None:
    """Lion hops about a minimum: keep="best" returns the lowest point it was at."""
    values = []
    options = {"lr": 0.3, "maxiter": 50}
    found = [
        minimize(lambda x: x @ x, [1.0], jac=lambda x: 2 * x, method=lion, options=one,
                 callback=lambda xk: values.append(xk @ xk))
        for one in (options, {**options, "keep": "best"})
    ]  # fmt: skip
    assert found[0].fun == values[49]
    assert found[1].fun == min(values) < found[0].fun
    assert (found[0].nfev, found[1].nfev) == (1, 51)


def test_schedule_free_returns_the_average() -> None:
    """A rule that trains at one point and is evaluated at another returns the latter."""
    found = minimize(
        rosen, START, jac=rosen_der, method=adamas.scipy.schedule_free_adamw,
        options={"lr": 0.05, "maxiter": 30},
    )  # fmt: skip
    x = START.copy()
    optimizer = adamas.ScheduleFreeAdamW(x, lr=0.05)
    for _ in range(30):
        optimizer.step(rosen_der(x))
    expected = adamas.rules.schedule_free_average(x, optimizer.state[0]["z"])
    np.testing.assert_allclose(found.x, expected, rtol=1e-12)


def test_hyper_parameters_may_be_schedules() -> None:
    """A schedule given as lr is one of the iteration, which is 1 at the first."""
    lr = cosine(0.1, steps=10)
    options = {"lr": lr, "maxiter": 10, "gtol": None}
    found = minimize(lambda x: x[0], [0.0], jac=np.ones_like, method=sgd, options=options)
    assert found.x[0] == pytest.approx(-sum(map(lr, range(1, 11))), rel=1e-14)


def test_gradients_are_clipped() -> None:
    """clip_norm bounds the norm of the gradient that a step sees."""
    options = {"lr": 1.0, "maxiter": 1, "clip_norm": 0.5}
    found = minimize(lambda x: 3 * x[0] + 4 * x[1], [0.0, 0.0],
                     jac=lambda x: np.array([3.0, 4.0]), method=sgd, options=options)  # fmt: skip
    np.testing.assert_allclose(found.x, [-0.3, -0.4], rtol=1e-15)


def test_it_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    """With disp the reason and the counts are printed, otherwise nothing is."""
    for disp in (False, True):
        minimize(rosen, START, jac=rosen_der, method=adam, options={"maxiter": 3, "disp": disp})
        printed = capsys.readouterr().out
        assert bool(printed) is disp
    assert "adam: Maximum number of iterations" in printed and "nit=3 nfev=1 njev=4" in printed


def test_global_optimizers_call_it() -> None:
    """Through a method of ours basinhopping finds the global minimum of its own example."""

    def wavy(x: Any) -> tuple[float, Any]:
        value = np.cos(14.5 * x[0] - 0.3) + (x[0] + 0.2) * x[0]
        return value, np.array([-14.5 * np.sin(14.5 * x[0] - 0.3) + 2 * x[0] + 0.2])

    inner = {"method": adam, "jac": True, "options": {"lr": 0.02, "maxiter": 300}}
    found = basinhopping(wavy, [1.0], minimizer_kwargs=inner, niter=15, rng=1)
    assert found.x == pytest.approx([-0.1951], abs=1e-3)
    assert found.fun == pytest.approx(-1.0009, abs=1e-4)


def test_what_scipy_ignores_is_ignored() -> None:
    """Second derivatives change nothing, and no bounds or constraints are none."""
    plainly = minimize(rosen, START, jac=rosen_der, method=adam, options={"maxiter": 9})
    found = minimize(
        rosen, START, jac=rosen_der, hess=lambda x: np.eye(3), hessp=lambda x, p: p, bounds=None,
        constraints=[], method=adam, options={"maxiter": 9},
    )  # fmt: skip
    assert found.x.tolist() == plainly.x.tolist()
    for bounds in (Bounds(), Bounds([-np.inf] * 3), [(None, None), (-np.inf, np.inf)] * 2, ()):
        free = adam(rosen, START, jac=rosen_der, bounds=bounds, maxiter=9)
        assert free.x.tolist() == plainly.x.tolist()


def test_an_unknown_option_is_warned_of() -> None:
    """An option that no method here has is named in SciPy's own warning, in the caller's line."""
    with pytest.warns(OptimizeWarning, match="Unknown solver options: learning_rate") as seen:
        minimize(rosen, START, jac=rosen_der, method=adam,
                 options={"learning_rate": 1, "maxiter": 1})  # fmt: skip
    assert seen[0].filename == __file__


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "bounds": ({"bounds": [(0, 1)] * 3}, ValueError, "adam moves x freely and cannot keep bounds"),
    "constraints": (
        {"constraints": LinearConstraint(np.eye(3), 0, 1)}, ValueError, "cannot keep constraints",
    ),
    "a dict": ({"constraints": {"type": "eq", "fun": sum}}, ValueError, "cannot keep constraints"),
    "lr": ({"options": {"lr": -1}}, ValueError, "lr=-1 is not allowed"),
    "beta": ({"options": {"beta1": 1.5}}, ValueError, "beta1=1.5"),
    "maxiter": ({"options": {"maxiter": -1}}, ValueError, "maxiter=-1 must be a whole number"),
    "patience": ({"options": {"patience": 0}}, ValueError, "patience=0 must be a whole number"),
    "gtol": ({"options": {"gtol": -1.0}}, ValueError, "gtol=-1.0 must be at least 0, or None"),
    "keep": ({"options": {"keep": "first"}}, ValueError, "keep='first' is not one of 'last'"),
    "differences": ({"options": {"finite_diff": "cs"}}, ValueError, "finite_diff='cs'"),
    "both": ({"options": {"keep": "best", "average": 0.9}}, ValueError, "two different points"),
    "average": ({"options": {"average": 1.5}}, ValueError, "average=1.5 must be at least 0 and"),
    "text": ({"options": {"average": "a"}}, TypeError, "average='a': it must be a number of at"),
    "tol": ({"tol": "a"}, TypeError, "gtol='a': it must be a number of at least 0"),
    "no number": ({"tol": np.nan}, ValueError, "gtol=nan must be at least 0"),
    "truth": ({"options": {"maxiter": True}}, TypeError, "maxiter=True: it must be a whole number"),
    "one bound": ({"bounds": [(None, None)] * 2 + [(0, None)]}, ValueError, "cannot keep bounds"),
    "jac's None": ({"jac": lambda x: None}, TypeError, "jac returned None .*not real numbers"),
    "ragged": ({"jac": lambda x: [[1], [1, 2]]}, ValueError, "jac returned .* which is no array"),
    "objects": ({"x0": np.array([1, None])}, TypeError, "x0 is array.*object.*not real numbers"),
    "state": ({"options": {"state": "int3"}}, ValueError, "int3"),
    "fun": ({"fun": lambda x: x}, ValueError, r"fun returned an array of shape \(3,\)"),
    "jac": ({"jac": lambda x: x[:2]}, ValueError, r"jac returned an array of shape \(2,\)"),
    "complex": ({"jac": lambda x: 1j * x}, TypeError, "jac returned .*complex128.*not real"),
    "complex x0": ({"x0": [1j]}, TypeError, "x0 is .*complex128.*not real numbers"),
    "half": ({"options": {"maxiter": 2.5}}, ValueError, "maxiter=2.5 must be a whole number"),
    "nothing": ({"fun": lambda x: None}, TypeError, "fun returned None, not one real number"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_had_is_refused(case: str) -> None:
    """Bounds, constraints and wrong options or functions are errors that name them."""
    given, error, words = REFUSED[case]
    usual = {"fun": rosen, "x0": START, "jac": rosen_der, "options": {"maxiter": 2}}
    with pytest.raises(error, match=words):
        minimize(**{**usual, **given}, method=adam)


def test_numbers_as_scipy_takes_them() -> None:
    """Whole floats and infinity are iterations, a single argument is args, no numbers are x."""
    options = {"maxiter": 1e1, "lr": 0.1}
    found = minimize(lambda x, c: c * x @ x, [1, 2], args=2.0, method=sgd, options=options)
    assert found.nit == 10
    direct = sgd(lambda x, c: c * x @ x, [1, 2], args=2.0, lr=0.1, maxiter=10)
    assert direct.x.tolist() == found.x.tolist()
    endless = minimize(lambda x: x @ x, [1.0], method=sgd, options={"maxiter": np.inf, "lr": 0.25})
    assert endless.status == 0
    assert minimize(lambda x: 0.0, [], method=adam).success


def test_called_without_minimize() -> None:
    """Called directly a method takes what minimize hands over, and refuses what it would split."""
    found = adam(rosen, START, jac=rosen_der, maxiter=5)
    again = minimize(rosen, START, jac=rosen_der, method=adam, options={"maxiter": 5})
    assert found.x.tolist() == again.x.tolist()
    for jac in (True, "2-point"):
        with pytest.raises(ValueError, match="call adam through minimize"):
            adam(rosen, START, jac=jac)
    with pytest.raises(ValueError, match=r"x0 has shape \(1, 3\)"):
        adam(rosen, START[None], jac=rosen_der)


def clashing(p: Any, g: Any, *, maxiter: float = 0.1) -> Any:
    """A rule with a hyper-parameter that every method has as an option."""
    return p - maxiter * g


def second(p: Any, g: Any, *, h: Any, lr: float = 0.1) -> Any:
    """A rule that reads a second array."""
    return p - lr * g / (1 + h)


@pytest.mark.parametrize(
    ("rule", "error", "words"),
    [(clashing, ValueError, "'maxiter', which is an option"), (second, TypeError, "second array")],
)
def test_rules_that_make_no_method(rule: Callable[..., Any], error: Any, words: str) -> None:
    """A rule that minimize cannot feed, or whose options would be others, is refused at once."""
    with pytest.raises(error, match=words):
        method(rule)


WITHOUT = """
import sys

sys.modules["scipy"] = None
import adamas

try:
    import adamas.scipy
except ImportError as error:
    print(error)
"""


def test_without_scipy_the_error_is_one_line() -> None:
    """Where SciPy is missing the import says so and what to install; adamas itself works."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True
    )
    assert done.stdout == "adamas.scipy needs SciPy; install it with: pip install 'adamas[scipy]'\n"


def test_help_shows_the_options() -> None:
    """The signature has the rule's hyper-parameters and the options with their defaults."""
    shown = inspect.signature(momentum).parameters
    assert {"lr", "beta", "maxiter", "gtol", "average"} <= shown.keys()
    assert shown["maxiter"].default == 10_000 and shown["gtol"].default == 1e-5
    assert pickle.loads(pickle.dumps(adam)) is adam


class Bowl:
    """A function that is an object, with its gradient as a method, and counts its calls."""

    calls = 0

    def __call__(self, x: Any) -> float:
        """The value."""
        self.calls += 1
        return float(x @ x)

    def jac(self, x: Any) -> Any:
        """The gradient."""
        return 2 * x


def test_a_gradient_that_is_a_method_of_fun_costs_no_values() -> None:
    """Only what SciPy makes of `jac=True` is asked for the value too: fun is called at the end."""
    bowl = Bowl()
    options = {"lr": 0.1, "maxiter": 20, "gtol": None}
    found = minimize(bowl, np.ones(2), jac=bowl.jac, method=adamas.scipy.adam, options=options)
    assert (found.nfev, bowl.calls) == (1, 1)


def test_a_schedule_that_begins_with_nothing_goes_on() -> None:
    """Steps of length 0 are not below the precision of float64: the run waits for the warm-up."""
    lr = adamas.schedule.constant(0.0).then(adamas.schedule.constant(0.1), at=30)
    found = minimize(
        lambda x: x @ x, np.ones(2), jac=lambda x: 2 * x, method=adamas.scipy.sgd,
        options={"lr": lr, "maxiter": 500},
    )  # fmt: skip
    assert found.success
    assert np.abs(found.x).max() < 1e-5
