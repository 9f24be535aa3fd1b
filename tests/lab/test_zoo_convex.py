"""Problems with a known minimum: their formulas, their minima and their targets."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize, rosen, rosen_der

from adamas.lab.zoo import built_in
from adamas.lab.zoo.convex import (
    CURVATURES,
    NOISY_CURVATURES,
    NOISY_STEPS,
    NoisyTask,
    RosenbrockTask,
)
from adamas.lab.zoo.logistic import LogisticTask, ScaledTask, minimum
from adamas.lab.zoo.reddi import CYCLE, ReddiTask
from zoo_training import final_loss, train

REACHED = {
    "line": ("adam", 0.1),
    "quadratic-scaled": ("adam", 0.01),
    "noisy-quadratic": ("adam", 0.03),
    "rosenbrock": ("adam", 0.03),
    "logistic-scales": ("adam", 0.03),
    "reddi": ("amsgrad", 0.1),
}
MINIMA = {
    "quadratic-scaled": {"x": np.zeros(50)},
    "noisy-quadratic": {"x": np.zeros(1000)},
    "rosenbrock": {"x": np.ones(2)},
    "reddi": {"x": -np.ones(1)},
}
numbers = st.floats(-3, 3)


@pytest.mark.parametrize("name", REACHED)
def test_target_is_reached(name: str) -> None:
    """The target is within reach of one optimizer at a sensible learning rate."""
    about = built_in(name).about
    assert about is not None and about.quality is not None
    assert final_loss(built_in(name), *REACHED[name], range(1)) <= about.quality.value


@pytest.mark.parametrize("name", MINIMA)
def test_excess_is_positive_at_the_minimum(name: str) -> None:
    """Even at the minimum the loss has a logarithm, and it is tiny."""
    assert 0 < built_in(name).task(1).evaluate(MINIMA[name]) <= 1e-12


def test_condition_number() -> None:
    """The quadratic's curvatures span four decades, so its condition number is 10,000."""
    assert CURVATURES.max() / CURVATURES.min() == pytest.approx(1e4)


def test_gradient_descent_on_the_quadratic_is_its_closed_form() -> None:
    """At lr 1 each coordinate shrinks by (1 - h) a step, which the target is the mean of."""
    problem = built_in("quadratic-scaled")
    task, params = train(problem, "sgd", 1.0, seed=2)
    shrunk = (1 - CURVATURES) ** (2 * problem.steps)
    start = problem.task(2).start()["x"]
    assert task.evaluate(params) == pytest.approx(0.5 * np.sum(CURVATURES * shrunk * start**2))
    assert problem.about is not None and problem.about.quality is not None
    assert problem.about.quality.value == pytest.approx(0.5 * CURVATURES @ shrunk, rel=0.01)


def test_noise_has_the_curvature_as_its_variance() -> None:
    """Over 2,000 steps gradients at a point have mean h x and variance h, within sampling error."""
    task = NoisyTask(3, NOISY_CURVATURES)
    params, grads = {"x": np.ones(1000)}, {"x": np.empty(1000)}
    seen = []
    for batch in islice(task.batches(), 2000):
        task.gradient(params, batch, grads)
        seen.append(grads["x"].copy())
    error = (np.mean(seen, axis=0) - NOISY_CURVATURES) / np.sqrt(NOISY_CURVATURES / 2000)
    assert np.abs(error).max() < 6
    np.testing.assert_allclose(
        np.var(seen, axis=0) / NOISY_CURVATURES, 1, atol=6 * (2 / 2000) ** 0.5
    )


def test_noisy_target_is_twice_the_posterior_mean() -> None:
    """The least expected loss after T centres is 1/2 sum h / (1 + T h), here 1/2 ln 2."""
    about = built_in("noisy-quadratic").about
    least = 0.5 * np.sum(NOISY_CURVATURES / (1 + NOISY_STEPS * NOISY_CURVATURES))
    assert least == pytest.approx(0.5 * np.log(2), rel=1e-3)
    assert about is not None and about.quality is not None
    assert about.quality.value == pytest.approx(2 * least, rel=1e-3)


@given(numbers, numbers)
def test_rosenbrock_is_that_of_scipy(x: float, y: float) -> None:
    """Value and gradient agree with scipy's, at any point."""
    grads = {"x": np.empty(2)}
    value = RosenbrockTask().gradient({"x": np.array([x, y])}, (), grads)
    assert value == pytest.approx(rosen([x, y]), rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(grads["x"], rosen_der([x, y]), rtol=1e-12, atol=1e-9)


def test_newton_finds_the_minimum_that_scipy_finds() -> None:
    """No point that scipy's own minimizer reaches is below the minimum that losses start from."""
    task = LogisticTask(0)
    task.training = (ScaledTask(0).training[0] / ScaledTask(0).units, ScaledTask(0).training[1])
    task.penalty = np.full(30, 1 / 569)

    def value(u: np.ndarray) -> tuple[float, np.ndarray]:
        grads = {"w": np.empty(30), "b": np.empty(1)}
        loss = task.gradient({"w": u[:-1], "b": u[-1:]}, task.training, grads)
        return loss, np.append(grads["w"], grads["b"])

    found = minimize(value, np.zeros(31), jac=True, method="BFGS", options={"gtol": 1e-9})
    least, where = minimum()
    assert found.fun == pytest.approx(least, abs=1e-14)
    np.testing.assert_allclose(found.x, where, atol=1e-5)
    assert np.abs(value(where)[1]).max() < 1e-14


@given(st.integers(0, 2**32))
def test_units_do_not_move_the_minimum(seed: int) -> None:
    """Whatever unit a feature has, the minimiser divided by the units has the least loss."""
    task = ScaledTask(seed)
    where = minimum()[1]
    best = {"w": where[:-1] / task.units, "b": where[-1:]}
    assert 0 < task.evaluate(best) < 1e-13
    assert task.extras(best)["distance"] < 1e-9
    assert task.units.max() / task.units.min() == pytest.approx(1e4)


@given(st.integers(0, 2**32))
def test_reddi_cycle(seed: int) -> None:
    """Of 101 slopes one is 1010 and a hundred are -10, and the last fifty are small ones."""
    slopes = list(islice(ReddiTask(seed).batches(), 3 * CYCLE))
    for begin in range(0, 3 * CYCLE, CYCLE):
        assert sorted(slopes[begin : begin + CYCLE]) == [-10.0] * 100 + [1010.0]
        assert slopes[begin + CYCLE - 50 : begin + CYCLE] == [-10.0] * 50


def test_reddi_projects_in_place() -> None:
    """The gradient first puts x back into [-1, 1], in the optimizer's own array."""
    params, grads = {"x": np.array([3.0])}, {"x": np.empty(1)}
    assert ReddiTask(1).gradient(params, -10.0, grads) == -10
    assert params["x"][0] == 1 and grads["x"][0] == -10


@pytest.mark.parametrize("lr", [0.001, 0.01, 0.1])
def test_adam_goes_the_wrong_way(lr: float) -> None:
    """Adam at its default betas ends on the wrong side of the start."""
    task, params = train(built_in("reddi"), "adam", lr, seed=3)
    assert task.extras(params)["x"] > 0.05


def test_gradient_descent_goes_the_right_way() -> None:
    """What drives Adam to the worst point is Adam: plain gradient descent finds the best one."""
    task, params = train(built_in("reddi"), "sgd", 3e-4, seed=3)
    assert task.extras(params)["x"] < -0.5
