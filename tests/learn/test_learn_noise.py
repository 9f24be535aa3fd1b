"""What the chapter on noise says, against closed forms."""

import re
from math import sqrt

import numpy as np
import pytest

from adamas.learn.chapters import noise
from adamas.learn.chapters.noise import ALTERNATING, BETA2, CONSTANT, LOW_BETA2, after, late
from adamas.learn.measured import measured
from adamas.learn.numbers import shown
from adamas.learn.problems import PROBLEMS
from adamas.learn.trace import normal, trace
from adamas.rules import adam
from shown_numbers import read
from v8 import run


def test_not_the_variance() -> None:
    """`v` is the same with variance 1 and with variance 0; the steps differ by `m` alone."""
    (v_noise, noise_step), (v_steady, steady_step) = late(ALTERNATING), late(CONSTANT)
    assert v_noise == pytest.approx(1, rel=1e-9) and v_steady == pytest.approx(1, rel=1e-9)
    assert noise_step == pytest.approx((1 - 0.9) / (1 + 0.9), rel=1e-6)
    assert steady_step == pytest.approx(1, rel=1e-6)
    points = [p[0] for p in trace(adam, ALTERNATING, 100, lr=1.0).points]
    assert np.all(np.diff(np.sign(np.diff(points[50:]))) != 0), "each step takes back the last"


@pytest.mark.parametrize("size", [0.0, 1.0, 3.0])
def test_noise_shortens_steps(size: float) -> None:
    """Noise of standard deviation s makes v_hat 1 + s**2, and steps 1 / sqrt(1 + s**2) of lr."""
    steps = 3000
    found = trace(adam, CONSTANT, steps, lr=1.0, noise=size, seed=1)
    v_hat = found.states[-1]["v"][0] / (1 - BETA2**steps)
    assert v_hat == pytest.approx(1 + size**2, rel=0.1)
    late_way = found.points[steps // 2][0] - found.points[-1][0]
    assert late_way / (steps / 2) == pytest.approx(1 / sqrt(1 + size**2), rel=0.25)


@pytest.mark.parametrize("silence", [100, 1000, noise.SILENCE])
def test_silence(silence: int) -> None:
    """After k silent steps a gradient's first step is what the closed form says."""
    first, total = after(silence)
    v = BETA2 ** (silence + 1) + (1 - BETA2)
    assert first == pytest.approx((0.1 + 0.9 ** (silence + 1)) / sqrt(v), rel=1e-6)
    lasting = [0.1 * 0.9**j / sqrt(BETA2**j * v) for j in range(300)]
    assert total == pytest.approx(sum(lasting), rel=1e-3)


def test_longest_step() -> None:
    """However long the silence, the first step is at most (1 - beta1) / sqrt(1 - beta2)."""
    found = [after(silence)[0] for silence in (0, 10, 100, 1000, 3000, 30_000)]
    assert max(found) == found[-1] < 0.1 / sqrt(0.001)
    assert 3 < after(noise.SILENCE)[0] < 0.1 / sqrt(0.001)
    assert after(noise.SILENCE)[1] > 30


def test_loss_rises_by_itself() -> None:
    """On a parabola, without data, the loss rises again; sooner the shorter the memory."""
    least_at, least, most_at, most = noise.spike()
    assert least_at < most_at and least < 1e-50 and most > 1e-8
    rises = [
        run(f"PLAYS.noise_spike.show({{beta2: {beta2}}}, 640).sentence").rsplit(" ", 1)[1]
        for beta2 in (0.95, 0.98, noise.SPIKE_BETA2)
    ]
    assert sorted(rises, key=lambda text: float(text[:-1])) == rises
    assert rises[-1] == f"{most_at}."
    calm = trace(adam, PROBLEMS["parabola"], 2500, lr=0.01, beta2=noise.SPIKE_BETA2, eps=1e-3)
    assert max(calm.losses[least_at:]) < 1e-50, "a larger eps helps"


@pytest.mark.parametrize("beta2", [0.95, noise.SPIKE_BETA2, 0.999])
def test_the_least_loss_is_in_the_picture(beta2: float) -> None:
    """The axis of the figure begins at or below the least loss of its sentence."""
    shown_ = run(f"PLAYS.noise_spike.show({{beta2: {beta2}}}, 640)")
    least = re.match(r"Least loss (.+?) at step", shown_["sentence"])
    assert least
    lowest = min(read(label) for label in re.findall(r">(10⁻[⁰¹²³⁴⁵⁶⁷⁸⁹]+)<", shown_["picture"]))
    assert lowest <= read(least[1]) * 1.5


def test_small_beta2() -> None:
    """With a small beta2 long steps end farther from the best line, and the best rate is less."""
    assert noise.excess(noise.LONG_LR, LOW_BETA2) > 5 * noise.excess(noise.LONG_LR, BETA2)
    rate, low = noise.best_rate(BETA2), noise.best_rate(LOW_BETA2)
    assert low < rate / 2
    assert noise.excess(low, LOW_BETA2) > 1.2 * noise.excess(rate, BETA2), "at its own best, too"
    longer, _ = run(f"lowest(overRates('adam', ratesBetween(-3, 0), 1, {noise.SAMPLES}))")
    assert longer < rate, "the longer run has the lower best rate"
    text = run(f"PLAYS.noise_beta2.show({{beta2: {LOW_BETA2}}}, 640).sentence")
    assert f"best at lr {shown(low, 2)}" in text and f"best at {shown(rate, 2)}" in text
    found = run(f"overRates('adam', [{noise.LONG_LR}], 1, {noise.LINE_STEPS}, {{beta2: 0.5}})")
    assert found[0][1] == pytest.approx(noise.excess(noise.LONG_LR, LOW_BETA2), rel=1e-9)


def test_batches() -> None:
    """On the digits the root of k is too little for 8 to 64, and k too much for either step."""
    batches = measured()["batches"]["adam"]
    assert [*batches["batches"]] == ["8", "64", "512"]
    small, large = batches["factors"]["8-64"], batches["factors"]["64-512"]
    assert small["low"] > sqrt(8) > large["low"] and large["high"] > sqrt(8)
    assert max(small["high"], large["high"]) < 8


@pytest.mark.parametrize("rule", ["adam", "sgd", "momentum"])
def test_batches_of_the_line(rule: str) -> None:
    """On the line larger batches have larger best rates, inside what the figure shows."""
    low, high = {"adam": (-3, 0), "momentum": (-6, -2), "sgd": (-5, -1)}[rule]
    best = [
        run(
            f"lowest(overRates('{rule}', ratesBetween({low}, {high}), {batch}, "
            f"{noise.SAMPLES // batch}).filter(([, y]) => Number.isFinite(y)))"
        )[0]
        for batch in (1, 8, 64)
    ]
    assert 10**low < best[0] < best[1] < best[2] < 10**high
    text = run(f"PLAYS.noise_batch.show({{rule: '{rule}'}}, 640).sentence")
    assert all(shown(rate, 2) in text for rate in best)


def test_figures_start_with_the_text() -> None:
    """The figures of noise and silence open with numbers of the text and of closed forms."""
    found = noise.numbers()
    text = run(f"PLAYS.noise_silence.show({{silence: {noise.SILENCE}}}, 640).sentence")
    for name in ("silence", "root", "first", "total"):
        assert str(found[name]) in text
    text = run("PLAYS.noise.show({noise: 0}, 640).sentence")
    assert "grown to 1 with" in text and "is 1 lr" in text
    text = run("PLAYS.noise.show({noise: 2}, 640).sentence")
    random = [1 + 2 * normal(1, k) for k in range(1, 101)]
    m = v = 0.0
    steps = []
    for k, g in enumerate(random, 1):
        m, v = 0.9 * m + 0.1 * g, BETA2 * v + (1 - BETA2) * g * g
        steps.append(m / (1 - 0.9**k) / sqrt(v / (1 - BETA2**k)))
    size = sqrt(v / (1 - BETA2**100))
    assert f"grown to {shown(size, 3)} with" in text and f"is {shown(np.mean(steps), 2)} lr" in text
