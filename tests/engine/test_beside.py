"""The array beside the gradient: read as it is, in any layout and dtype, and refused when wrong."""

from typing import Any

import numpy as np
import pytest

import adamas
from adamas import rules
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from reduction_foreign import Array, gradients, start
from stepping import snapshot
from typed_seconds import adahessian, sophia

SHAPES: list[tuple[int, ...]] = [(70, 90), (257,), (5, 7, 3, 3), (0, 4), ()]


def seconds(shapes: list[tuple[int, ...]], steps: int = 3) -> list[list[Array]]:
    """Second arrays of both signs, for each step and tensor."""
    rng = np.random.default_rng(5)
    return [[np.array(rng.normal(size=shape)) for shape in shapes] for _ in range(steps)]


def test_every_shape_and_layout() -> None:
    """Several tensors, some in Fortran order or strided, are those of the float64 reference."""
    params = [start(shape, "float64") for shape in SHAPES]
    params[0] = np.asfortranarray(params[0])
    beside = [Reference(parse(adahessian), p) for p in params]
    optimizer = adamas.Optimizer(adahessian, params, threads=2)
    for k, given in enumerate(seconds(SHAPES)):
        grads = [gradients(shape, "float64")[k] for shape in SHAPES]
        for run, g, h in zip(beside, grads, given, strict=True):
            run.step(g, h)
        given[2] = np.repeat(given[2], 2, axis=-1)[..., ::2]
        optimizer.step(grads, h=given)
    for p, run in zip(params, beside, strict=True):
        np.testing.assert_allclose(p, run.p, rtol=1e-12)


def test_options_are_of_the_gradient_alone() -> None:
    """Scaling, clipping, turning round and erasing change the gradient, and never `h`."""
    p, (given,) = start((70, 90), "float64"), seconds([(70, 90)], 1)
    h, g = given[0], gradients((70, 90), "float64")[0]
    run, before = Reference(parse(adahessian), p), h.copy()
    optimizer = adamas.Optimizer(adahessian, p, clip_norm=0.5, maximize=True, zero_grads=True)
    run.step(-g * 0.5 / np.linalg.norm(g), h)
    optimizer.step(g, h=h, loss_scale=4.0)
    np.testing.assert_allclose(p, run.p, rtol=1e-11)
    assert (g == 0).all() and (h == before).all()


@pytest.mark.parametrize("state", ["float32", "int8"])
def test_the_gradient_itself_may_be_the_second_array(state: str) -> None:
    """One array for both, or a float64 beside float32 parameters, is the same numbers."""
    p, q = start((70, 90), "float32"), start((70, 90), "float32")
    g = gradients((70, 90), "float32")[0]
    one = adamas.Optimizer(adahessian, p, state=state, seed=2)
    two = adamas.Optimizer(adahessian, q, state=state, seed=2)
    one.step(g, h=g)
    two.step(g, h=g.astype(np.float64))
    assert snapshot(one) == snapshot(two)


@pytest.mark.parametrize("mode", ["guard", "raise", "skip", "allow"])
def test_a_second_array_that_is_not_finite(mode: Any) -> None:
    """It is named and changes nothing, is skipped, or is let through, as a gradient's NaN is."""
    params = {name: start((70, 90), "float32") for name in "ab"}
    optimizer = adamas.Optimizer(adahessian, params, on_nonfinite=mode)
    grads = {name: gradients((70, 90), "float32")[0] for name in "ab"}
    h = {name: g.copy() for name, g in grads.items()}
    h["b"][3, 5] = np.nan
    before = snapshot(optimizer)
    if mode == "allow":
        optimizer.step(grads, h=h)
        assert np.isnan(params["b"][3, 5]) and np.isfinite(params["a"]).all()
        return
    if mode == "skip":
        assert not optimizer.step(grads, h=h)
        assert optimizer.skipped == 1
    else:
        with pytest.raises(adamas.NonFiniteError, match=r"second array of 'b' holds nan at \[3, 5"):
            optimizer.step(grads, h=h)
    assert snapshot(optimizer) == before


def test_what_is_refused() -> None:
    """No array, one too many, another shape, a text: named before anything moves."""
    p = start((70, 90), "float32")
    g, optimizer = np.ones_like(p), adamas.Optimizer(sophia, p)
    before = snapshot(optimizer)
    for h, error, said in (
        (None, TypeError, "h="),
        (np.ones((90, 70), np.float32), ValueError, r"shape \(90, 70\), not \(70, 90\)"),
        (np.ones((70, 90), np.int64), TypeError, "int64"),
    ):
        with pytest.raises(error, match=said):
            optimizer.step(g, h=h)
        assert snapshot(optimizer) == before
    with pytest.raises(TypeError, match="reads no second array"):
        adamas.Optimizer(rules.sgd, p).step(g, h=g)


def test_a_tensor_without_a_gradient_needs_none() -> None:
    """Where the gradient is None, its tensor stays, whatever stands beside it."""
    params = [start((70, 90), "float32"), start((257,), "float32")]
    kept, optimizer = params[0].copy(), adamas.Optimizer(adahessian, params)
    optimizer.step([None, np.ones(257, np.float32)], h=[None, np.ones(257, np.float32)])
    assert (params[0] == kept).all() and (params[1] != start((257,), "float32")).all()
