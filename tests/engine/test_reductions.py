"""Rules with sums over tensors, rows and columns have all that rules of single elements have."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
import reduction_rules
from adamas import rules
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.schedule import cosine
from foreign import distance
from long_form import few_of
from reduction_foreign import SHAPES, by_reference, gradients, start
from reduction_steps import RULES, WIDE, Array, by_kernel, wide_rule

every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
# More than any rounding, less than any mistake.
NEAR = {"float64": 1e-12, "float32": 2e-5}


@pytest.mark.parametrize(
    ("name", "dtype"),
    [*((name, "float32") for name in RULES), *((name, "float64") for name in WIDE)],
)
@every_shape
def test_the_kernel_is_the_reference(name: str, shape: tuple[int, ...], dtype: str) -> None:
    """Fifty steps in any dtype stay beside the float64 run, in parameter and states."""
    rule = RULES[name]
    p, grads = start(shape, dtype), gradients(shape, dtype)
    found = distance(by_kernel(rule, p, grads), by_reference(rule, p, grads, {}))
    assert max(found.values()) < NEAR[dtype], found


@wide_rule
# Of nothing there is no mean, in NumPy with a warning.
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
@settings(max_examples=10)
@given(
    shape=st.lists(st.integers(0, 40), max_size=3).map(tuple),
    seed=st.integers(0, 99),
    threads=st.sampled_from([1, 2]),
)
def test_any_shape(rule: Any, shape: tuple[int, ...], seed: int, threads: int) -> None:
    """Also where there is nothing, one element, one row or one column."""
    rng = np.random.default_rng(seed)
    p, *grads = [np.array(rng.normal(size=shape)) for _ in range(5)]
    mine, theirs = by_kernel(rule, p, grads, threads=threads), by_reference(rule, p, grads, {})
    for one, other in zip(mine, theirs, strict=True):
        for name, value in other.items():
            if not p.size and np.isnan(value).any():
                # Of nothing: no number, or as it began.
                continue
            near = np.broadcast_to(value, np.shape(one[name]))
            np.testing.assert_allclose(one[name], near, rtol=1e-9, atol=1e-12, err_msg=name)


def runs(rule: Any, params: list[Array], **hypers: float) -> list[Reference]:
    """One float64 run for each tensor."""
    return [Reference(parse(rule), p, **hypers) for p in params]


@pytest.fixture
def params() -> list[Array]:
    """A few tensors of different shapes."""
    return [start(shape, "float64") for shape in ((20, 30), (17,), (4, 3, 2, 2))]


@pytest.fixture
def grads(params: list[Array]) -> list[list[Array]]:
    """Four gradients of each."""
    return [
        list(step)
        for step in zip(*(gradients(p.shape, "float64")[:4] for p in params), strict=True)
    ]


@wide_rule
def test_groups_and_schedules(rule: Any, params: list[Array], grads: list[list[Array]]) -> None:
    """Each group steps with its own numbers, and a schedule with those of the step."""
    lr = cosine(0.1, steps=6)
    beside = runs(rule, params[:2]) + runs(rule, params[2:])
    optimizer = adamas.Optimizer(
        rule, [{"params": params[:2], "lr": lr}, {"params": params[2:], "lr": 0.05}]
    )
    for t, step in enumerate(grads, start=1):
        optimizer.step([step[:2], step[2:]])
        for k, (run, g) in enumerate(zip(beside, step, strict=True)):
            run.hypers["lr"] = np.float64(lr(t) if k < 2 else 0.05)
            run.step(g)
    for p, run in zip(params, beside, strict=True):
        np.testing.assert_allclose(p, run.p, rtol=1e-12)


OPTIONS: list[tuple[str, dict[str, Any], dict[str, Any], Callable[[float], float]]] = [
    ("maximize", {"maximize": True}, {}, lambda norm: -1.0),
    ("clip_norm", {"clip_norm": 0.5}, {}, lambda norm: 0.5 / norm),
    ("loss_scale", {}, {"loss_scale": 8.0}, lambda norm: 1 / 8),
    ("clipped and scaled", {"clip_norm": 0.5}, {"loss_scale": 8.0}, lambda norm: 0.5 / norm),
]


@wide_rule
@pytest.mark.parametrize(("name", "options", "at_step", "factor"), OPTIONS)
def test_what_is_done_to_gradients(
    rule: Any,
    params: list[Array],
    grads: list[list[Array]],
    name: str,
    options: dict[str, Any],
    at_step: dict[str, Any],
    factor: Callable[[float], float],
) -> None:
    """Sums are of what a rule sees: the gradient after scaling, clipping and turning round."""
    beside = runs(rule, params)
    optimizer = adamas.Optimizer(rule, params, **options)
    for step in grads:
        norm = float(np.sqrt(sum(np.sum(g**2) for g in step)))
        for run, g in zip(beside, step, strict=True):
            run.step(g * factor(norm))
        optimizer.step(step, **at_step)
    for p, run in zip(params, beside, strict=True):
        np.testing.assert_allclose(p, run.p, rtol=1e-11)


@pytest.mark.parametrize("rule", few_of([rules.lamb, rules.adafactor], 1))
def test_an_average_is_kept_and_gradients_are_erased(
    rule: Any, params: list[Array], grads: list[list[Array]]
) -> None:
    """`ema` averages what the rule makes of the parameters, from the first step on.

    `zero_grads` erases a gradient in the last pass, when no sum needs it any more.
    """
    p, (run,) = params[0], runs(rule, params[:1])
    optimizer = adamas.Optimizer(rule, p, ema=0.9, zero_grads=True)
    average = np.empty_like(p)
    for t, (g, *_) in enumerate(grads):
        run.step(g)
        optimizer.step(g)
        assert (g == 0).all()
        average[...] = 0.9 * average + 0.1 * run.p if t else run.p
    np.testing.assert_allclose(p, run.p, rtol=1e-11)
    np.testing.assert_allclose(optimizer.state[0]["average"], average, rtol=1e-11)


def test_sums_over_all_tensors_are_over_all(params: list[Array], grads: list[list[Array]]) -> None:
    """A rule that clips by the norm of all tensors does what `clip_norm` does for momentum."""
    others = [p.copy() for p in params]
    optimizer = adamas.Optimizer(reduction_rules.clipped_momentum, params, limit=0.5)
    other = adamas.Momentum(others, lr=0.1, clip_norm=0.5)
    for step in grads:
        optimizer.step(step)
        other.step(step)
    for p, q in zip(params, others, strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-12)


def test_rows_are_refused() -> None:
    """A rule that sums cannot step the rows of a table alone: the sum would need all of them."""
    p = np.ones((6, 3), np.float32)
    optimizer = adamas.Optimizer(rules.lamb, p)
    with pytest.raises((TypeError, ValueError), match="lamb"):
        optimizer.step(adamas.Rows(np.array([1]), np.ones((1, 3), np.float32)))
    assert (p == 1).all()
