"""What the chapter on lr times steps says is so."""

from math import sqrt

import numpy as np
import pytest

from adamas.learn.chapters import reach
from adamas.learn.problems import PROBLEMS, best_line, line_loss
from adamas.learn.trace import trace, trace_of_line
from adamas.rules import adam
from adamas.schedule import cosine
from v8 import run

# The lines of the tutorial's log, as its reader has them.
PUBLISHED = {100: "176.9161", 200: "162.8472", 1000: "78.0355"}


def test_log() -> None:
    """The losses are those that the tutorial prints, and the run ends at its weight."""
    found = reach.tutorial()
    for epoch, loss in PUBLISHED.items():
        assert f"{found.losses[epoch - 1]:.4f}" == loss
    assert f"{found.last[0]:.8f}" == "0.90600039"


def test_fault() -> None:
    """No step was longer than lr, so the run could not arrive; w is short of lr times steps."""
    found, (best,) = reach.tutorial(), best_line()
    assert reach.longest(found) <= 1 + 1e-6
    assert found.last[0] < reach.LR * reach.EPOCHS < best
    assert np.all(np.diff(found.losses) < 0), "the loss falls all the time"
    gradients = np.abs(found.gradients).ravel()
    assert np.all(np.diff(gradients) < 0)


def test_rates() -> None:
    """Within the usual range no rate arrives, above it some do; to arrive lr must reach the way."""
    (best,) = best_line()
    low, high = reach.USUAL[1], reach.USUAL[0]
    ends = {lr: reach.tutorial(lr).last[0] for lr in (*reach.RATES, best / reach.EPOCHS)}
    arrived = {lr for lr, w in ends.items() if line_loss(w) < 1.01 * line_loss(best)}
    assert arrived == {1e-2, 1e-1, 1.0}
    assert all(not low <= lr <= high for lr in arrived)


def test_schedule() -> None:
    """With batches a falling rate ends nearer to the best line, if it reaches that far at all."""
    fall = cosine(reach.RATE, steps=reach.STEPS)
    assert 2 * reach.distance(fall) < reach.distance(reach.RATE)
    short = cosine(reach.SHORT, steps=reach.STEPS)
    assert reach.distance(short) > 2 * reach.distance(reach.SHORT)
    way = [w for (w,) in trace_of_line(adam, reach.STEPS, batch=reach.BATCH, lr=reach.SHORT).points]
    begun, ended = (way[50] - way[0]) / 50, (way[-1] - way[-51]) / 50
    assert ended < begun / 4, "steps at a constant rate get shorter all the same"
    total = sum(short(t) for t in range(1, reach.STEPS + 1))
    assert total == pytest.approx(reach.SHORT * (reach.STEPS + 1) / 2)


def test_after_silence() -> None:
    """A lone gradient steps further the longer the silence before it, up to the paper's bound."""
    bound = (1 - 0.9) / sqrt(1 - 0.999)
    found = [reach.after_silence(steps) for steps in (0, *reach.QUIET)]
    assert found[0] == pytest.approx(1) and found[1:] == sorted(found[1:])
    t = np.array([0, *reach.QUIET]) + 1
    closed = (1 - 0.9) / (1 - 0.9**t) / np.sqrt((1 - 0.999) / (1 - 0.999**t))
    np.testing.assert_allclose(found, closed, rtol=1e-6)
    assert found[-1] == pytest.approx(bound, rel=1e-4) and max(found) < bound


def test_longest_step() -> None:
    """Gradients that grow after a silence come to the bound of Cauchy and Schwarz, none above it.

    m is a sum of beta1**k g, v one of beta2**k g**2: m / sqrt(v) is greatest where they are alike.
    """
    k = np.arange(1000)
    limit = 0.1 / sqrt(0.001) * sqrt(np.sum((0.9**2 / 0.999) ** k))
    assert reach.most_of_all() == pytest.approx(limit, rel=1e-9)
    assert 2 * reach.bound() < reach.grown() < limit
    assert reach.grown() == pytest.approx(limit, rel=1e-4)
    random = np.random.default_rng(0)
    for scale in (0.1, 1.0, 3.0):
        given = np.exp(np.cumsum(random.normal(0, scale, (300, 4)), axis=0))
        points = np.array(reach.follow(adam, given.tolist(), (0.0,) * 4, lr=1.0).points)
        assert np.abs(np.diff(points, axis=0)).max() < limit


def test_growing_gradients_go_farther() -> None:
    """Where gradients grow on the way, a run gets farther than lr times steps."""
    found, lr = trace(adam, PROBLEMS["saddle"], 200, lr=reach.LR), reach.LR
    falling = np.abs(np.array(found.gradients)[:, 1])
    assert falling[-1] > 10 * falling[0]
    assert abs(found.last[1] - found.points[0][1]) > 1.4 * 200 * lr


def test_figures() -> None:
    """The figures open with the numbers of the text."""
    found = reach.tutorial()
    said = run("PLAYS.reach.show(startValues(PLAYS.reach), 640).sentence")
    for number in (reach.LR * reach.EPOCHS, best_line()[0], found.last[0], found.losses[-1]):
        assert run(f"shown({number!r})") in said
    said = run("PLAYS.schedule.show(startValues(PLAYS.schedule), 640).sentence")
    (best,) = best_line()
    for lr in (reach.RATE, cosine(reach.RATE, steps=reach.STEPS)):
        way = reach.trace_of_line(adam, reach.STEPS, batch=reach.BATCH, lr=lr).points[-reach.LAST :]
        left = sqrt(np.mean((np.array(way) - best) ** 2))
        assert run(f"shown({left!r}, 2)") in said
