"""The array beside the gradient, through shapes and options; `test_second_array` has the rest."""

import numpy as np
import pytest

import adamas
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from reduction_foreign import Array, gradients, start
from stepping import snapshot
from typed_seconds import adahessian

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


@pytest.mark.parametrize("state", ["float32", "bfloat16"])
def test_the_gradient_itself_may_be_the_second_array(state: str) -> None:
    """One array for both, or a float64 beside float32 parameters, is the same numbers."""
    p, q = start((70, 90), "float32"), start((70, 90), "float32")
    g = gradients((70, 90), "float32")[0]
    one = adamas.Optimizer(adahessian, p, state=state, seed=2)
    two = adamas.Optimizer(adahessian, q, state=state, seed=2)
    one.step(g, h=g)
    two.step(g, h=g.astype(np.float64))
    assert snapshot(one) == snapshot(two)
