"""A rule may read a second array beside the gradient, and numbers of all tensors are one."""
# mypy: allow-untyped-defs, allow-untyped-calls

import itertools
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.words import abs, maximum, norm, total
from long_form import sampled
from typed_seconds import adahessian

SHAPES = [(30, 40), (5,), (64, 64), (), (0, 3)]


def pulled(p, g, *, h, lr=0.1, rho=0.05):
    """A gradient, and a direction of a length that depends on all of it."""
    return p - lr * (g + rho * h / maximum(norm(h), 1e-12))


def shared(p, g, m, d=1e-3, *, lr=0.1):
    """One distance for all tensors, as Prodigy has."""
    m = m + g
    d = maximum(d, total(abs(m), over="all"))
    return p - lr * d * g, m, d


def arrays(rng: np.random.Generator, dtype: str) -> list[Any]:
    """One array of every shape."""
    return [np.array(rng.normal(size=shape), dtype) for shape in SHAPES]


@pytest.mark.parametrize(
    ("rule", "dtype", "given", "threads"),
    sampled(
        itertools.product(
            [adahessian, pulled], ["float32", "float64"], ["float64", "float32", "float16"], [1, 2]
        )
    ),
)
def test_a_second_array_is_read_as_it_is(rule: Any, dtype: str, given: str, threads: int) -> None:
    """In any dtype and layout it reaches the rule, without loss scale, clipping or sign."""
    rng = np.random.default_rng(1)
    params = [*arrays(rng, dtype), np.asfortranarray(rng.normal(size=(7, 9)).astype(dtype))]
    runs = [Reference(parse(rule), p) for p in params]
    optimizer = adamas.Optimizer(rule, params, threads=threads, maximize=True)
    for _ in range(3):
        grads = [np.array(rng.normal(size=p.shape), dtype) for p in params]
        seconds = [np.array(rng.normal(size=p.shape), given) for p in params]
        optimizer.step(grads, h=seconds, loss_scale=4.0)
        for run, g, h in zip(runs, grads, seconds, strict=True):
            run.step(-g / 4, h)
    near = 1e-12 if dtype == "float64" else 1e-3
    for p, run in zip(params, runs, strict=True):
        assert np.allclose(p, run.p, rtol=near, atol=near)


def test_a_second_array_may_be_the_parameter() -> None:
    """One that shares memory with its parameter is read before that is written."""
    p = np.arange(1.0, 6.0)
    run, optimizer = Reference(parse(pulled), p), adamas.Optimizer(pulled, p)
    run.step(np.ones(5), p.copy())
    optimizer.step(np.ones(5), h=p)
    assert np.allclose(p, run.p, rtol=1e-14)


def test_a_second_array_may_be_another_parameter() -> None:
    """One that is a parameter of the same optimizer is read as it was before the step."""
    first, second = np.full(300_000, 2.0), np.ones(300_000)
    pair = [first.copy(), second.copy()]
    runs = [Reference(parse(pulled), x) for x in pair]
    for run, h in zip(runs, pair[::-1], strict=True):
        run.step(np.ones(300_000), h)
    params = [first, second]
    adamas.Optimizer(pulled, params).step([np.ones(300_000)] * 2, h=params[::-1])
    for p, run in zip(params, runs, strict=True):
        assert np.allclose(p, run.p, rtol=1e-12)


def test_the_error_finds_the_element_in_any_memory_order() -> None:
    """The index that is named is the parameter's own, however its memory lies."""
    p = np.asfortranarray(np.ones((3, 5)))
    h = np.ones((3, 5))
    h[1, 4] = np.nan
    with pytest.raises(adamas.NonFiniteError, match=r"holds nan at \[1, 4\]"):
        adamas.Optimizer(adahessian, p).step(np.ones((3, 5)), h=h)


def test_what_is_wrong_with_it_is_said() -> None:
    """Missing, superfluous, misshapen and odd arrays are refused by name, and nothing moves."""
    p = np.ones((2, 3))
    optimizer = adamas.Optimizer(adahessian, {"w": p})
    g = {"w": np.ones((2, 3))}
    with pytest.raises(TypeError, match=r"write step\(grads, h=...\)"):
        optimizer.step(g)
    with pytest.raises(ValueError, match="second array of 'w' is missing"):
        optimizer.step(g, h={"w": None})
    with pytest.raises(ValueError, match=r"second array of 'w' has shape \(3,\), not \(2, 3\)"):
        optimizer.step(g, h={"w": np.ones(3)})
    with pytest.raises(ValueError, match=r"second arrays and parameters differ in \['v', 'w'\]"):
        optimizer.step(g, h={"v": np.ones(3)})
    with pytest.raises(TypeError, match="second array of 'w' has dtype int64"):
        optimizer.step(g, h={"w": np.ones((2, 3), np.int64)})
    with pytest.raises(ValueError, match="reads a second array, which goes with dense gradients"):
        optimizer.step({"w": adamas.Rows([0], np.ones((1, 3)))}, h=g)
    with pytest.raises(TypeError, match="adam reads no second array"):
        adamas.Adam(np.ones(2)).step(np.ones(2), h=np.ones(2))
    assert np.array_equal(p, np.ones((2, 3)))
    assert optimizer.steps == 0


@pytest.mark.parametrize(("mode", "counts"), [("guard", 0), ("raise", 0), ("skip", 1)])
def test_one_that_is_not_finite_changes_nothing(mode: str, counts: int) -> None:
    """NaN in it never enters parameters or state."""
    p = np.ones(4)
    optimizer = adamas.Optimizer(adahessian, p, on_nonfinite=mode)
    h = np.array([1.0, np.nan, 1.0, 1.0])
    if mode == "skip":
        assert optimizer.step(np.ones(4), h=h) is False
    else:
        with pytest.raises(adamas.NonFiniteError, match=r"second array of 0 holds nan at \[1\]"):
            optimizer.step(np.ones(4), h=h)
    assert (optimizer.skipped, optimizer.steps) == (counts, 0)
    assert np.array_equal(p, np.ones(4))


def test_tensors_without_a_gradient_need_none() -> None:
    """A tensor that rests is not asked for one."""
    params = [np.ones(2), np.ones(3)]
    optimizer = adamas.Optimizer(adahessian, params)
    optimizer.step([np.ones(2), None], h=[np.ones(2), None])
    assert optimizer.state[1]["step"] == 0


def test_what_is_one_for_all_tensors_is_one_in_those_that_rest() -> None:
    """A tensor without a gradient goes on with the number that all others have reached."""
    params = {"a": np.ones(3), "b": np.ones((2, 2)), "c": np.ones(2, np.float32)}
    optimizer = adamas.Optimizer(shared, params)
    sums = 0.0
    for step, resting in enumerate("bcab", 1):
        optimizer.step({k: None if k == resting else np.ones_like(p) for k, p in params.items()})
        # Each tensor's m counts its own steps; only those that moved are summed up.
        moved = {k: optimizer.state[k]["m"].sum() for k in params if k != resting}
        sums = max(sums, float(sum(moved.values())))
        assert {optimizer.state[k]["d"] for k in params} == {sums}, step


def test_torch_has_no_place_for_it() -> None:
    """A class of torch optimizers is not made of such a rule, and the error says what works."""
    torch = pytest.importorskip("adamas.torch")
    with pytest.raises(TypeError, match=r"use adamas\.Optimizer"):
        torch.optimizer(adahessian)
