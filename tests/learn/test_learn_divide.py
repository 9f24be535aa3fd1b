"""What the chapter on dividing by the size says is so."""

from math import sqrt

import numpy as np
import pytest

from adamas.learn.chapters import divide
from adamas.rules import adagrad, adam, rmsprop, sgd
from v8 import run

OTHERS = (adagrad, rmsprop, adam)


def test_plain_descent() -> None:
    """With the rate of the steep weight, that one is there at once and the other hardly moves."""
    points = np.array(divide.uneven(sgd).points)
    assert points[1, 1] == 0
    np.testing.assert_allclose(points[:, 0], (1 - 1 / divide.RATIO) ** np.arange(divide.STEPS + 1))
    one, other = divide.first_steps(sgd)
    assert other / one == pytest.approx(divide.RATIO)


@pytest.mark.parametrize("rule", OTHERS)
@pytest.mark.parametrize("ratio", [2, 200, 1000])
def test_same_points(rule: object, ratio: int) -> None:
    """Whoever divides by the root of v passes the same points with either weight."""
    points = np.array(divide.uneven(rule, ratio).points)  # type: ignore[arg-type]
    np.testing.assert_allclose(points[:, 0], points[:, 1], rtol=1e-4, atol=1e-6)


def test_first_steps() -> None:
    """Adam and Adagrad begin with lr, RMSProp with lr over the root of 1 - beta2: several lr."""
    expected = {adam: 1.0, adagrad: 1.0, rmsprop: 1 / sqrt(1 - 0.99)}
    for rule, times in expected.items():
        np.testing.assert_allclose(divide.first_steps(rule), times * divide.LR, rtol=1e-6)


def test_claim() -> None:
    """A steady gradient gives steps of lr, however large; one that alternates gives short ones."""
    for g in (divide.LARGE, divide.SMALL):
        np.testing.assert_allclose(divide.lengths(adam, [g] * 300), 1, rtol=1e-5)
    late = divide.lengths(adam, [1.0, -1.0] * 300)[-100:]
    # m swings between plus and minus (1 - beta1) / (1 + beta1), v stays 1.
    np.testing.assert_allclose(np.abs(late), 0.1 / 1.9, rtol=1e-3)


def test_sum_and_average() -> None:
    """Adagrad's steps shrink with the root of t and remember the start; RMSProp's come back."""
    t = np.arange(1, divide.LONG + 1)
    np.testing.assert_allclose(divide.lengths(adagrad, [1.0] * divide.LONG), t**-0.5)
    early = [divide.MORE] * divide.EARLY + [1.0] * (divide.LATE - divide.EARLY)
    squares = np.cumsum(np.square(early))
    np.testing.assert_allclose(divide.lengths(adagrad, early), early / np.sqrt(squares))
    means = divide.lengths(rmsprop, early)
    assert means[divide.EARLY] < 0.3 and means[-1] == pytest.approx(1, abs=0.01)


def test_figures() -> None:
    """The figures open with the numbers of the text."""
    first = run("PLAYS.divide.show(startValues(PLAYS.divide), 640).sentence")
    a, b = divide.first_steps(sgd)
    assert f"First steps: {a:.3g} and {b:.3g}." in first
    adams = run("PLAYS.divide.show({rule: 'adam', ratio: 200}, 640).sentence")
    assert "First steps: 0.02 and 0.02." in adams
    early = [divide.MORE] * divide.EARLY + [1.0] * (divide.LATE - divide.EARLY)
    said = run("PLAYS.forget.show(startValues(PLAYS.forget), 640).sentence")
    means, sums = divide.lengths(rmsprop, early), divide.lengths(adagrad, early)
    for at in (divide.EARLY, -1):
        assert run(f"shown({means[at]!r}, 3)") in said and run(f"shown({sums[at]!r}, 3)") in said
