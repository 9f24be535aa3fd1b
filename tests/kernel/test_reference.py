"""The reference is the rule as it was written: what every kernel is measured against."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas import rules
from adamas.engine.optimizer import Optimizer
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from foreign import PROBLEMS, hypers_of, ours, start
from written import function

every_rule = pytest.mark.parametrize("rule", rules.__all__)


@every_rule
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_reference_is_the_function_itself(rule: str, problem: str) -> None:
    """The parsed statements give, for 60 steps, what Python gives for the function on arrays."""
    hypers = {"lr": 0.02} | {
        name: 0.1 for name in hypers_of(getattr(rules, rule)) if name == "weight_decay"
    }
    grads, trace = ours(getattr(rules, rule), start(1), PROBLEMS[problem](1), hypers)
    reference = Reference(parse(getattr(rules, rule)), start(1), **hypers)
    for t, (g, expected) in enumerate(zip(grads, trace, strict=True), start=1):
        reference.step(g)
        for name, value in expected.items():
            found = reference.p if name == "p" else reference.state[name]
            np.testing.assert_allclose(found, value, rtol=1e-13, err_msg=f"{name} at step {t}")


@given(lr=st.floats(0.0, 0.5), steps=st.integers(0, 30))
def test_gradient_descent_on_a_parabola(lr: float, steps: int) -> None:
    """On x**2 / 2 gradient descent is p * (1 - lr) ** steps, up to its roundings."""
    reference = Reference(parse(rules.sgd), [[3.0, -1.0]], lr=lr)
    for _ in range(steps):
        reference.step(reference.p)
    expected = np.array([[3.0, -1.0]]) * (1 - lr) ** steps
    np.testing.assert_allclose(reference.p, expected, rtol=4 * 2.0**-53 * (steps + 1))


@given(g=st.floats(1e-3, 1e3), lr=st.floats(1e-6, 1.0))
def test_the_first_step_of_adam_has_the_length_lr(g: float, lr: float) -> None:
    """Kingma & Ba 2015, section 2.1: corrected moments make the first step lr, whatever g."""
    reference = Reference(parse(rules.adam), [0.0, 0.0], lr=lr, eps=0.0)
    reference.step([g, -g])
    np.testing.assert_allclose(reference.p, [-lr, lr], rtol=1e-12)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3), (0, 4)])
def test_any_shape(shape: tuple[int, ...]) -> None:
    """Parameter and states keep the parameter's shape, and scalars are plain numbers."""
    p = np.ones(shape)
    reference = Reference(parse(rules.nadam), p)
    reference.step(np.full(shape, 2.0))
    assert reference.p.shape == reference.state["m"].shape == reference.state["v"].shape == shape
    assert np.ndim(reference.state["mu_product"]) == 0
    assert (p == 1).all(), "the caller's array is left alone"


def test_initial_values_are_those_of_the_signature(tmp_path: Path) -> None:
    """States start at their default, 0 without one, per element or once."""
    text = "def f(p, g, m=0.5, s=2.0, n=0.0, *, lr=1.0):\n    return p, m + g, s * lr, n"
    reference = Reference(parse(function(tmp_path, text)), [1.0, 1.0])
    assert reference.state["m"].tolist() == [0.5, 0.5]
    assert (reference.state["s"], reference.state["n"]) == (2.0, 0.0)


# What they are at lr = 1; at 0.5 all are finite, and so a setting that the optimizer takes.
IEEE = {
    "1 / (1 - lr)": np.inf,
    "-1 / (1 - lr)": -np.inf,
    "(1 - lr) / (1 - lr)": np.nan,
    "(0.75 - lr) ** (1 / 3)": np.nan,
    "sqrt(0.75 - lr)": np.nan,
    "log(1 - lr)": -np.inf,
    "log(0.75 - lr)": np.nan,
    "(10 * lr) ** 400": np.inf,
    "(1 - lr) ** -1": np.inf,
    "exp(1000 * lr)": np.inf,
    "10 ** -2": 0.01,
    "where(lr > 0, 1, 1 / (1 - lr))": 1.0,
    "maximum(lr, sqrt(0.75 - lr))": np.nan,
}


@pytest.mark.parametrize(("expression", "expected"), IEEE.items())
def test_scalars_follow_ieee_and_not_python(
    tmp_path: Path, expression: str, expected: float
) -> None:
    """Where Python's floats raise or turn complex, the reference gives inf or NaN."""
    text = f"def f(p, g, m, s, *, t, lr=1.0):\n    s = {expression}\n    return p, s + 0 * g, s"
    reference = Reference(parse(function(tmp_path, text)), [0.0])
    reference.step([1.0])
    np.testing.assert_allclose(reference.state["s"], expected, rtol=1e-15)
    np.testing.assert_allclose(reference.state["m"], [expected], rtol=1e-15)


def test_the_prologue_of_a_kernel_follows_ieee_too(tmp_path: Path) -> None:
    """The same expressions, compiled: what is computed once a step neither raises nor differs."""
    names = [f"s{k}" for k in range(len(IEEE))]
    text = f"def f(p, g, {', '.join(names)}, *, t, lr=1.0):\n    return p, {', '.join(IEEE)}"
    optimizer = Optimizer(function(tmp_path, text), np.zeros(1), lr=0.5)
    assert optimizer.formula.scalars == tuple(names)
    optimizer.param_groups[0]["lr"] = 1.0
    optimizer.step(np.ones(1))
    found = [optimizer.state[0][name] for name in names]
    np.testing.assert_allclose(found, list(IEEE.values()), rtol=1e-15)


def test_truth_is_one_or_zero(tmp_path: Path) -> None:
    """A comparison that is kept as a state is a number, and NaN compares as IEEE says."""
    text = "def f(p, g, a, b, c, *, t):\n    return p, g > 0, (g == g) * (t == 1), where(g, 5, 6)"
    reference = Reference(parse(function(tmp_path, text)), np.zeros(4))
    reference.step([1.0, 0.0, -1.0, np.nan])
    kept: dict[str, Any] = reference.state
    assert kept["a"].dtype == np.float64
    assert kept["a"].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert kept["b"].tolist() == [1.0, 1.0, 1.0, 0.0]
    assert kept["c"].tolist() == [5.0, 6.0, 5.0, 5.0]


def test_what_the_reference_refuses() -> None:
    """A name that is no hyper-parameter, and a gradient that would be broadcast."""
    with pytest.raises(TypeError, match="sgd has no hyper-parameter 'beta'"):
        Reference(parse(rules.sgd), [1.0], beta=0.9)
    with pytest.raises(ValueError, match=r"gradient of shape \(1,\); p has \(2,\)"):
        Reference(parse(rules.sgd), [1.0, 2.0]).step([1.0])
