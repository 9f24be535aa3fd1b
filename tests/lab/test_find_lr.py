"""The search for a learning rate: always a number, near the best one, at a known cost."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf, isfinite, log10, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.constants import CLASSICAL
from adamas.lab.entrants import entrant
from adamas.lab.finder import Wanted, find_lr
from adamas.lab.finder.answer import choose
from adamas.lab.finder.range_test import range_test, rising
from adamas.lab.finder.sweep import BELOW, EXTENSIONS, sweep
from adamas.lab.finder.trials import one_by_one, score
from adamas.lab.needs import LabError
from adamas.lab.problems import Params, Problem
from adamas.lab.trial import Record, run
from adamas.lab.tuning import Point
from adamas.lab.zoo.digits import SOFTMAX
from adamas.lab.zoo.line import FULL, data

LINE = replace(FULL, steps=200)


class Slope:
    """A loss 1 + g w of one weight; `g` may be 0 (nothing to learn) or NaN."""

    def __init__(self, g: float) -> None:
        self.g = g

    def start(self) -> Params:
        """Return the weight 0."""
        return {"w": np.zeros(1)}

    def batches(self) -> Iterator[None]:
        """Yield nothing, without end."""
        while True:
            yield None

    def gradient(self, params: Params, batch: None, grads: Params) -> float:
        """Write g and return the loss."""
        grads["w"][:] = self.g
        return self.evaluate(params)

    def evaluate(self, params: Params) -> float:
        """Return 1 + g w."""
        return float(1 + self.g * params["w"][0])

    def extras(self, params: Params) -> dict[str, float]:
        """Return nothing."""
        return {}


def points(scores: dict[float, float]) -> tuple[Point, ...]:
    """Return points by rising learning rate."""
    return tuple(Point(lr, score, 1, int(score == inf)) for lr, score in sorted(scores.items()))


@pytest.mark.parametrize("best", [1e-5, 1e-3, 0.1, 10.0])
@pytest.mark.parametrize("lowest", [1e-3, 1e-1])
def test_a_sweep_ends_around_the_best(best: float, lowest: float) -> None:
    """Wherever the range test pointed, the best learning rate ends up inside of what was tried."""
    found = sweep(lambda lrs, k: [1 + abs(log10(lr / best)) for lr in lrs], lowest, 1, 0.2)
    top = min(found, key=lambda point: point.score)
    assert abs(log10(top.lr / best)) < 0.126
    assert found[0].lr < top.lr < found[-1].lr


def test_a_sweep_spends_seeds_on_what_can_win() -> None:
    """Learning rates that lost on the first seed by a factor of two run no second time."""
    asked: list[tuple[float, int]] = []

    def measure(lrs: Sequence[float], k: int) -> list[float]:
        asked.extend((lr, k) for lr in lrs)
        return [10 ** abs(log10(lr / 0.01)) for lr in lrs]

    found = sweep(measure, 0.1, 3, 1.0)
    assert len(asked) == len(set(asked))
    for point in found:
        assert point.runs == (3 if point.score <= 2.0 else 1)


def test_a_sweep_gives_up() -> None:
    """Where every run fails, the search looks further down a limited number of times."""
    found = sweep(lambda lrs, k: [inf] * len(lrs), 0.1, 3, 0.2)
    assert all(point.score == inf for point in found)
    assert len(found) == BELOW + 2 + 2 * EXTENSIONS


def test_flat_to_the_left_takes_the_root_of_the_share() -> None:
    """Where smaller rates do as well, the answer is the best one times sqrt(share), and no less."""
    flat = points({10 ** (-k / 4): 1.0 + 1e-9 * k for k in range(9)})
    assert choose(flat, 0.25)[0] == pytest.approx(0.5)
    assert choose(flat, 1.0)[0] == 1.0


def test_steep_to_the_left_takes_the_best() -> None:
    """Where smaller rates do worse, the answer stays within five per cent of the best score."""
    steep = points({0.1: 2.0, 1.0: 1.0, 10.0: inf})
    lr, low, high, open_ended = choose(steep, 0.01)
    # ln score is linear in ln lr between the points: 1.1 is reached at lr = 10 ** -log2(1.1).
    assert lr == pytest.approx(10 ** -np.log2(1.05), rel=5e-3)
    assert low == pytest.approx(10 ** -np.log2(1.1), rel=5e-3)
    assert (high, open_ended) == (1.0, False)


def test_noise_is_smoothed() -> None:
    """A lucky point beside the valley does not decide: a parabola through the near ones does."""
    scores = {10 ** (k / 4): float(np.exp(0.3 * (k / 4) ** 2)) for k in range(-4, 5)}
    assert choose(points(scores), 1.0)[0] == pytest.approx(1.0, rel=5e-3)
    lucky = {**scores, 10**0.5: 0.97}
    assert 1.0 <= choose(points(lucky), 1.0)[0] < 10**0.4


@given(
    st.lists(st.one_of(st.just(inf), st.floats(-1e6, 1e6)), min_size=2, max_size=12).filter(
        lambda scores: any(map(isfinite, scores))
    ),
    st.floats(1e-3, 1.0),
)
def test_there_is_always_a_number(scores: list[float], share: float) -> None:
    """Whatever was measured, positive or not, the answer is a number inside of its interval."""
    given_ = points({10 ** (k / 4 - 2): score for k, score in enumerate(scores)})
    lr, low, high, _ = choose(given_, share)
    assert given_[0].lr * 0.99 <= low <= lr <= high <= given_[-1].lr * 1.01


def test_a_quadratic_stays_below_its_limit() -> None:
    """Gradient descent on the line gets an lr below 2 / L, where larger ones diverge."""
    x, _ = data()
    limit = 2 / float(2 * np.mean(x**2))
    found = find_lr(LINE, "sgd")
    assert 0 < found.low <= found.lr <= found.high < limit
    assert found.curve.divergence is not None
    assert all(p.diverged == p.runs for p in found.points if p.lr > limit)
    assert run(LINE, "sgd", found.lr, 0).final < 1.01 * run(LINE, "sgd", limit / 2, 0).final


@pytest.mark.parametrize("g", [0.0, nan])
def test_nothing_that_trains_falls_back(g: float) -> None:
    """Where no learning rate lowers the loss, the answer is the default, and says why."""
    dead = Problem("dead", 50, 5, 1, lambda seed: Slope(g))
    found = find_lr(dead, "adam", seeds=1)
    assert found.lr == entrant("adam").default_lr == 1e-3
    assert found.fallback is not None and "default" in found.fallback
    assert found.reason is not None and "默认值" in found.reason["zh"]
    assert found.as_json()["fallback"] == found.reason
    assert find_lr(LINE, "adam").fallback is None


def test_the_cost_is_what_was_run() -> None:
    """The cost counts every update, and whoever runs the trials gets the same answer."""
    seen: list[Wanted] = []

    def backwards(problem: Problem, optimizer: str, asks: Sequence[Wanted]) -> list[Record]:
        seen.extend(asks)
        return one_by_one(problem, optimizer, asks[::-1])[::-1]

    found = find_lr(LINE, "momentum", share=0.1, train=backwards)
    assert found == find_lr(LINE, "momentum", share=0.1)
    assert {ask.steps for ask in seen} == {found.steps} == {20}
    made = sum(p.runs for p in found.points if not p.diverged) * 20
    assert made / 200 < found.cost <= (len(seen) * 20 + 80) / 200


@pytest.mark.parametrize("count", [80, 160, 320])
def test_the_range_test_knows_its_spacing(count: int) -> None:
    """How finely lr rises moves nothing: it diverges within a decade above 2 / L."""
    curve = range_test(FULL, "sgd", [0], count)
    x, _ = data()
    assert curve.divergence is not None
    # 2 / L = 1 / mean(x**2); a loss that had nearly vanished takes some steps to come back.
    assert 0 <= log10(curve.divergence * float(np.mean(x**2))) < 1
    assert curve.lowest < curve.divergence


def test_rates_rise_by_equal_ratios() -> None:
    """A range test's learning rates are a geometric sequence with both its ends."""
    lrs = rising(1e-6, 1e2, 81)
    np.testing.assert_allclose(np.diff(np.log10(lrs)), 0.1)
    assert lrs[0] == pytest.approx(1e-6) and lrs[-1] == pytest.approx(1e2)


def test_a_run_is_scored_by_its_last_quarter() -> None:
    """The score is the mean of the late evaluations; of a run that did not fall it is infinite."""
    record = Record("sgd", 1.0, 0, (0, 25, 50, 75, 100), (9.0, 8.0, 7.0, 2.0, 4.0), 4.0, False, {})
    assert score(record) == 3.0
    assert score(replace(record, losses=(3.0, 8.0, 7.0, 2.0, 4.0))) == inf
    assert score(replace(record, diverged=True)) == inf


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"share": 0.0}, {"share": 1.5}])
def test_wrong_numbers_are_refused(wrong: dict[str, int]) -> None:
    """A number out of range is named together with its limit."""
    with pytest.raises(LabError, match=next(iter(wrong))):
        find_lr(LINE, "sgd", **wrong)  # type: ignore[arg-type]


def test_it_is_plain_json() -> None:
    """What was found can be written as JSON and holds no infinite number."""
    tree = json.loads(json.dumps(find_lr(LINE, "sgd").as_json(), allow_nan=False))
    assert tree["lr"] > 0 and any(point["score"] is None for point in tree["points"])


@pytest.mark.parametrize("optimizer", CLASSICAL)
def test_it_is_near_the_best_on_digits(optimizer: str) -> None:
    """On fresh seeds and in full length, the answer ends within 15 % of the best of a fine grid."""
    found = find_lr(SOFTMAX, optimizer)
    fresh = (100, 101, 102)

    def final(lr: float) -> float:
        return float(np.mean([run(SOFTMAX, optimizer, lr, seed).final for seed in fresh]))

    grid = [found.lr * 10 ** (k / 4) for k in range(-4, 5)]
    assert final(found.lr) <= 1.15 * min(map(final, grid))
