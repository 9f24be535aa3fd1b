"""The search, the widths, arrival, and one run: what "tuned alike" and "arrived" mean."""

from dataclasses import replace
from math import inf, log10

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adamas
from adamas.lab.demo.race import arrival, first_touch, thin
from adamas.lab.protocol.search import tune
from adamas.lab.trial import RULES, Record, Updates, run
from adamas.lab.tuning import Point, log_grid, width
from adamas.lab.zoo.digits import SOFTMAX
from adamas.lab.zoo.line import FULL, data, least_squares

GRID = log_grid(-3, 1)


def valley(centre: float, slope: float = 1.0) -> tuple[Point, ...]:
    """Return points whose log score is proportional to the distance from `centre` in decades."""
    return tuple(Point(lr, 10 ** (slope * abs(log10(lr / centre))), 1, 0) for lr in GRID)


def record(lr: float, seed: int, final: float) -> Record:
    """Return the record of an imagined run."""
    return Record("imagined", lr, seed, (0, 1), (9.0, final), final, final == inf, {})


@pytest.mark.parametrize("best", GRID[1:-1])
def test_search_finds_the_best_and_costs_the_same(best: float) -> None:
    """Wherever the optimum is, the search runs equally often and does not miss it."""
    runs: list[tuple[float, int]] = []

    def train(lr: float, seed: int) -> Record:
        runs.append((lr, seed))
        return record(lr, seed, 1 + abs(log10(lr / best)))

    tuned = tune(train, GRID, seeds=(1, 2, 3))
    assert tuned.lr == pytest.approx(best)
    assert not tuned.at_edge
    assert len(runs) == len(set(runs)) == 3 * (len(GRID) + 2)
    assert [p.lr for p in tuned.points] == sorted(p.lr for p in tuned.points)


def test_refinement_reaches_between_grid_points() -> None:
    """An optimum a quarter decade beside the grid is found exactly."""
    best = GRID[3] * 10**0.25
    tuned = tune(lambda lr, seed: record(lr, seed, 1 + log10(lr / best) ** 2), GRID, (1,))
    assert tuned.lr == pytest.approx(best)


@pytest.mark.parametrize("sign", [1, -1])
def test_optimum_at_the_edge_is_reported(sign: int) -> None:
    """When the best rate is at an end of the grid, the result says so."""
    assert tune(lambda lr, seed: record(lr, seed, lr**sign), GRID, (1,)).at_edge


def test_one_diverged_seed_spoils_its_learning_rate() -> None:
    """A rate at which any seed diverged is infinitely bad, is kept, and is counted."""

    def train(lr: float, seed: int) -> Record:
        return record(lr, seed, inf if lr > 0.5 and seed == 2 else 1 / lr)

    tuned = tune(train, GRID, (1, 2, 3))
    assert tuned.lr < 0.5
    failed = [point for point in tuned.points if point.lr > 0.5]
    assert failed and all(point.score == inf and point.diverged == 1 for point in failed)


@given(st.floats(0.2, 1.5))
def test_width_of_a_valley_has_a_closed_form(slope: float) -> None:
    """Where log score is linear in log lr, interpolation is exact: 2 log(limit) / slope."""
    found = width(valley(0.1, slope), limit=10**0.3)
    assert found.decades == pytest.approx(min(2 * 0.3 / slope, 3.0), rel=1e-9)


def test_width_stops_before_divergence() -> None:
    """A diverged neighbour adds nothing: the range ends at the last good point."""
    points = [replace(p, score=inf) if p.lr > 0.11 else p for p in valley(0.1)]
    assert width(points, limit=10).high == pytest.approx(0.1)


def test_width_that_reaches_the_grid_is_open_ended() -> None:
    """If every rate up to the end of the grid works, the range may be wider, and that is said."""
    found = width(valley(1.0), limit=1e9)
    assert found.open_ended
    assert (found.low, found.high) == (GRID[0], GRID[-1])


def test_width_of_an_optimizer_that_always_failed_is_zero() -> None:
    """No learning rate worked, so none is near the best."""
    assert width([replace(p, score=inf) for p in valley(1.0)], inf).decades == 0


@given(st.lists(st.floats(0, 3), min_size=1, max_size=30), st.floats(0, 3))
def test_arrival_is_the_start_of_the_last_stay(losses: list[float], target: float) -> None:
    """From the arrival on every loss is within the goal, and one step earlier that is not so."""
    index = arrival(losses, target)
    inside = [loss <= target for loss in losses]
    if index == inf:
        assert not inside[-1]
    else:
        start = int(index)
        assert all(inside[start:])
        assert start == 0 or not inside[start - 1]
        assert first_touch(losses, target) <= index


def test_a_run_that_ends_in_nan_has_not_arrived() -> None:
    """NaN is not below any target."""
    assert arrival([1.0, float("nan")], 2.0) == inf


@given(st.integers(1, 5000))
def test_thinned_curves_keep_their_ends(length: int) -> None:
    """The first and the last point stay, indices rise, and few are left."""
    kept = thin(length)
    assert kept[0] == 0 and kept[-1] == length - 1
    assert kept == sorted(set(kept)) and len(kept) <= 122


def test_gradient_descent_on_the_line_follows_its_closed_form() -> None:
    """On a parabola the error shrinks by 1 - 2 lr mean(x^2) at each step."""
    lr, steps = 0.004, 12
    found = run(replace(FULL, steps=steps), "sgd", lr, seed=1)
    best, floor = least_squares()
    curvature = float(np.mean(data()[0] ** 2))
    errors = best * (1 - 2 * lr * curvature) ** np.arange(steps + 1)
    np.testing.assert_allclose(found.losses, floor + curvature * errors**2, rtol=1e-10)


def test_absurd_learning_rate_is_a_diverged_record_not_an_error() -> None:
    """Overflow and NaN end in a record that says diverged, without a warning or an exception."""
    found = run(replace(FULL, steps=400), "sgd", 1e3, seed=1)
    assert found.diverged and found.final == inf
    assert len(found.losses) < 400


def test_a_loss_that_is_not_a_number_has_diverged() -> None:
    """NaN compares with nothing, and still counts as diverged and stops the run."""
    found = run(replace(SOFTMAX, steps=200), "sgd", 1e38, seed=1)
    assert np.isnan(found.losses[-1])
    assert found.diverged and found.final == inf and len(found.losses) == 2


@pytest.mark.parametrize("optimizer", RULES)
def test_runs_repeat_and_start_alike(optimizer: str) -> None:
    """A run repeats bit for bit, and under one seed every optimizer starts from the same loss."""
    short = replace(SOFTMAX, steps=60)
    one, other = (run(short, optimizer, 0.01, seed=2) for _ in range(2))
    assert one == other
    assert one.losses[0] == run(short, "sgd", 0.5, seed=2).losses[0]
    assert not one.diverged and one.steps == (0, 44, 60)


def test_watch_sees_every_update() -> None:
    """The watcher is called once after each update, with the optimizer that made it."""
    seen: list[tuple[int, type]] = []
    watch = Updates(lambda step, opt: seen.append((step, type(opt))))
    run(replace(FULL, steps=5), "adam", 0.1, 1, watch)
    assert seen == [(step, adamas.Optimizer) for step in range(1, 6)]
