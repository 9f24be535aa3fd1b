"""The tutorial: its published numbers, its own program, the closed forms behind the pictures."""

import numpy as np
import pytest

from adamas.lab.demo import tutorial, tutorial_numpy
from adamas.lab.demo.tutorial import BETA1, BETA2, correction
from adamas.lab.zoo.line import data, least_squares, loss_at

# What the tutorial prints; the missing lines are compared with its program below.
PUBLISHED = {100: "176.9161", 200: "162.8472", 1000: "78.0355"}
PUBLISHED_W = "0.90600039"


def test_numpy_program_prints_the_published_numbers() -> None:
    """The witness in plain NumPy is the tutorial's program: it prints the tutorial's numbers."""
    losses, weight = tutorial_numpy.train()
    assert {epoch: f"{losses[epoch - 1]:.4f}" for epoch in PUBLISHED} == PUBLISHED
    assert f"{weight:.8f}" == PUBLISHED_W


def test_log_lines_are_the_tutorials() -> None:
    """Through adamas, the log line of every 100 epochs and the final weight are the tutorial's."""
    lines: list[str] = []
    trace = tutorial.train(log=lines.append)
    losses, weight = tutorial_numpy.train()
    assert lines == [f"Epoch {e}, Loss: {losses[e - 1]:.4f}" for e in range(100, 1001, 100)]
    assert f"{trace.weights[-1]:.8f}" == f"{weight:.8f}" == PUBLISHED_W


def test_every_loss_agrees_with_the_numpy_program() -> None:
    """No loss of the 1,000 epochs differs from the tutorial's by more than rounding."""
    losses, _ = tutorial_numpy.train()
    np.testing.assert_allclose(tutorial.train().losses, losses, rtol=1e-13)


def test_data_are_those_of_the_global_seed() -> None:
    """The data are `np.random.seed(42)`'s, and drawing them leaves the global generator alone."""
    before = np.random.get_state()
    try:
        np.random.seed(42)
        x = np.random.rand(100, 1) * 10
        y = 2.5 * x + np.random.randn(100, 1)
        position = np.random.get_state()[2]
        data.cache_clear()
        np.testing.assert_array_equal(data(), (x, y))
        assert np.random.get_state()[2] == position
    finally:
        np.random.set_state(before)


def test_least_squares_has_the_closed_form() -> None:
    """The best weight is sum(xy) / sum(xx), and its numbers are those the tutorial should reach."""
    x, y = data()
    weight, loss = least_squares()
    assert weight == pytest.approx(float((x * y).sum() / (x * x).sum()), rel=1e-14)
    assert (f"{weight:.8f}", f"{loss:.4f}") == ("2.48678556", "0.8197")


def test_larger_rate_converges_to_least_squares() -> None:
    """With the demo's learning rate the same loop ends on the least-squares line."""
    weight = float(tutorial.train(tutorial.CONVERGING_LR).weights[-1])
    assert weight == pytest.approx(least_squares()[0], abs=5e-9)
    assert loss_at(weight) == pytest.approx(least_squares()[1], rel=1e-12)


@pytest.mark.parametrize("lr", [tutorial.LR, tutorial.CONVERGING_LR])
def test_step_is_at_most_one_learning_rate(lr: float) -> None:
    """On this line no update is longer than lr, which is why lr x steps bounds the reach."""
    trace = tutorial.train(lr, epochs=200)
    assert trace.update_in_lr.max() <= 1 + 1e-9
    assert abs(trace.weights[-1]) <= lr * 200


def test_first_step_has_its_closed_forms() -> None:
    """At t = 1 the effective step is lr / |g|; uncorrected, the step is (1-b1)/sqrt(1-b2) lr."""
    trace = tutorial.train(epochs=1)
    x, y = data()
    gradient = abs(float((2 / 100 * x.T @ (0 * x - y)).item()))
    assert trace.effective_step[0] == pytest.approx(trace.lr / gradient, rel=1e-6)
    assert trace.uncorrected_in_lr[0] == pytest.approx((1 - BETA1) / (1 - BETA2) ** 0.5, rel=1e-6)


def test_correction_is_what_a_constant_average_lacks() -> None:
    """1 - beta^t is the share that t steps of a moving average have taken up of a constant 1."""
    average, steps = 0.0, np.arange(1, 50)
    taken = []
    for _ in steps:
        average = BETA1 * average + (1 - BETA1)
        taken.append(average)
    np.testing.assert_allclose(correction(BETA1, steps), taken, rtol=1e-12)
