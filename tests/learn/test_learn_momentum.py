"""What the chapter on momentum says is so."""

from math import ceil, pi, sqrt

import numpy as np
import pytest

from adamas.learn.chapters import momentum
from adamas.learn.problems import PROBLEMS
from adamas.learn.trace import follow, trace
from adamas.rules import adam, sgd
from adamas.rules import momentum as rule
from v8 import run

BETAS = (0.3, 0.5, 0.9, 0.99)


@pytest.mark.parametrize("beta", BETAS)
def test_shares(beta: float) -> None:
    """A gradient counts (1 - beta) beta^k in Adam's average; `half` of the newest count half.

    What of independent noise is left follows from the shares.
    """
    steps = 1000
    impulse = follow(adam, [(1.0,)] + [(0.0,)] * steps, (0.0,), beta1=beta).states
    shares = np.array([one["m"][0] for one in impulse])
    np.testing.assert_allclose(
        shares, (1 - beta) * beta ** np.arange(steps + 1), rtol=1e-9, atol=1e-300
    )
    assert shares.sum() == pytest.approx(1, rel=1e-4)
    # Independent noise goes with the root of the sum of squares.
    np.testing.assert_allclose(np.sqrt(np.sum(shares**2)), momentum.noise_left(beta))
    half = momentum.half(beta)
    assert 1 - beta**half == pytest.approx(0.5)
    assert shares[: ceil(half)].sum() >= 0.5 - 1e-12 > shares[: ceil(half) - 1].sum() - 1e-9


@pytest.mark.parametrize("beta", [0.5, 0.8, 0.9, 0.95])
def test_turn(beta: float) -> None:
    """An average changes its sign when half of its memory is new."""
    assert momentum.turning(beta) == int(momentum.half(beta) + 1e-9) + 1


def test_sum() -> None:
    """Momentum adds up a steady gradient of 1 to 1 / (1 - beta)."""
    states = follow(rule, [(1.0,)] * 2000, (0.0,), beta=momentum.BETA).states
    assert states[-1]["m"][0] == pytest.approx(1 / (1 - momentum.BETA))


def test_overshoot() -> None:
    """Momentum crosses 0 as often as its recurrence says, carried by m; plain descent never."""
    way = momentum.on_parabola(momentum.BETA)
    crossed = momentum.crossings(way.points)
    # w' = (1 + beta - lr) w - beta w_before turns by this angle a step (Polyak 1964).
    turn = np.arccos((1 + momentum.BETA - momentum.LR) / (2 * sqrt(momentum.BETA)))
    assert abs(len(crossed) - momentum.STEPS * turn / pi) < 1
    first = crossed[0] - 1
    assert way.states[first]["m"][0] > 5 * way.gradients[first][0] > 0
    assert not momentum.crossings(trace(sgd, PROBLEMS["parabola"], 100, lr=momentum.LR).points)


def test_valley() -> None:
    """In the valley momentum needs less than half of the steps of plain descent at its best.

    And fewer still with values for this way: Polyak's are the best in the long run only.
    """
    chosen = momentum.fastest()
    fast = momentum.steps_in_valley(rule, **chosen["momentum"])
    slow = momentum.steps_in_valley(sgd, **chosen["sgd"])
    assert 2 * fast < slow
    assert momentum.steps_in_valley(rule, **momentum.QUICK) < fast
    # Both coordinates shrink by their own factor, 1 - lr times the curvature.
    t, rates = np.arange(200), np.linspace(0.02, 0.04, 400)[:, None]
    loss = 2 * (1 - rates) ** (2 * t) + 9 * (1 - momentum.STEEP * rates) ** (2 * t)
    assert slow <= 1 + (loss >= loss[:, :1] / momentum.FAR).sum(axis=1).min() + 1


@pytest.mark.parametrize("beta", [0, 0.5, 0.9, 0.99])
def test_figures(beta: float) -> None:
    """The figures say the same: the newest half, the noise that is left, the crossings."""
    said = run(f"PLAYS.momentum.show({{beta: {beta}}}, 640).sentence")
    half = max(1, ceil(momentum.half(beta) - 1e-9)) if beta else 1
    assert f"newest {half};" in said
    assert run(f"shown({100 * momentum.noise_left(beta)!r}, 3)") + " % of the noise" in said
    times = len(momentum.crossings(momentum.on_parabola(beta).points))
    assert f"crosses 0 {times} times" in run(
        f"PLAYS.overshoot.show({{beta: {beta}}}, 640).sentence"
    )
