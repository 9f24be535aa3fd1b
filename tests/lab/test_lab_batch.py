"""Batch size is a factor of a comparison: the same samples in gradients of another size."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab import LabError, loop_problem, numpy_problem
from adamas.lab.entrants import entrant
from adamas.lab.own.loop import run_loop
from adamas.lab.protocol.first_step import try_out
from adamas.lab.regrouped import with_batch
from adamas.lab.trial import run
from adamas.lab.zoo import built_in

X = np.arange(40.0)[:, None]


def slope(params: Any, x: Any, y: Any) -> Any:
    """Return a loss and its gradient."""
    off = x @ params["w"] - y
    return 1 + np.mean(off**2), {"w": 2 * x.T @ off / len(y)}


LINE = numpy_problem(slope, {"w": np.zeros(1)}, (X, X[:, 0]), steps=48, every=12, batch=4)


@given(st.integers(1, 70), st.integers(0, 3))
def test_the_same_samples_come_in_the_same_order(size: int, seed: int) -> None:
    """Joined and cut anew, the stream of samples is the one that the problem drew."""
    plain, cut = LINE.task(seed).batches(), with_batch(LINE, size).task(seed).batches()
    taken = [next(cut) for _ in range(3)]
    assert all(len(x) == len(y) == size for x, y in taken)
    wanted = [next(plain) for _ in range(-(-3 * size // 4))]
    assert np.array_equal(
        np.concatenate([x for x, _ in taken]), np.concatenate([x for x, _ in wanted])[: 3 * size]
    )


def test_a_run_of_another_batch_is_one_of_that_problem() -> None:
    """adam:batch=8 gives the losses of a problem with that batch and half the updates."""
    record = run(LINE, "adam:batch=8", 0.01, 1)
    other = run(replace(with_batch(LINE, 8)), "adam", 0.01, 1)
    assert record.losses == other.losses
    assert record.steps == (0, 12, 24, 36, 48) and other.steps == (0, 6, 12, 18, 24)


def test_a_loop_is_told_the_batch() -> None:
    """A loop with an argument batch is given it, with as many steps as see as many samples."""
    told: list[tuple[int, int]] = []

    def train(make_optimizer: Any, seed: int, steps: int, batch: int = 4) -> Iterator[float]:
        told.append((steps, batch))
        optimizer = make_optimizer({"w": np.ones(1)})
        for _ in range(steps):
            optimizer.step({"w": np.ones(1)})
            yield 1.0

    problem = loop_problem(train, steps=40, every=1, batch=4)
    assert run_loop(problem, "sgd:batch=16", 0.1, 1).steps[-1] == 40
    assert run_loop(problem, "sgd", 0.1, 1).steps[-1] == 40
    assert told == [(10, 16), (40, 4)]


def test_a_loop_without_a_word_runs_at_its_own_batch() -> None:
    """The default of a loop's argument is its batch, so another one sees as many samples."""
    told: list[tuple[int, int]] = []

    def train(make_optimizer: Any, seed: int, steps: int, batch: int = 32) -> Iterator[float]:
        told.append((steps, batch))
        optimizer = make_optimizer({"w": np.ones(1)})
        for _ in range(steps):
            optimizer.step({"w": np.ones(1)})
            yield 1.0

    problem = loop_problem(train, steps=40, every=1)
    assert problem.batch == 32
    run_loop(problem, "sgd", 0.1, 1)
    run_loop(problem, "sgd:batch=64", 0.1, 1)
    run_loop(loop_problem(train, steps=40, every=1, batch=16), "sgd", 0.1, 1)
    assert told == [(40, 32), (20, 64), (40, 16)]


def untold(make_optimizer: Any, seed: int, steps: int, batch: int | None = None) -> Iterator[float]:
    """Take a batch, and say none."""
    yield 1.0


def test_a_batch_that_cannot_be_fair_is_refused_before_the_first_run() -> None:
    """A loop that says no batch of its own, and a batch of more samples than a short run has."""
    with pytest.raises(LabError, match="nobody said how many samples an update of mine takes"):
        try_out(loop_problem(untold, steps=4), [entrant("adam:batch=2")])
    with pytest.raises(LabError, match="takes no batch"):
        try_out(loop_problem(without_batch, steps=4), [entrant("adam:batch=1")])
    try_out(LINE, [entrant("adam:batch=48")])
    with pytest.raises(LabError, match=r"batch=49 .* 12 updates of 4 samples; give at most 48"):
        try_out(LINE, [entrant("adam:batch=49")])
    with pytest.raises(LabError, match="give at most 48"):
        try_out(LINE, [entrant("adam:batch=1e9")])


def without_batch(make_optimizer: Any, seed: int, steps: int) -> Iterator[float]:
    """Take no batch."""
    yield 1.0


def test_what_has_no_rows_is_refused() -> None:
    """A problem whose batches are no rows, a loop without the argument, and no count."""
    with pytest.raises(LabError, match="reddi cannot be given batches of 2"):
        try_out(built_in("reddi"), [entrant("adam:batch=2")])
    with pytest.raises(LabError, match="takes no batch"):
        run_loop(loop_problem(without_batch, steps=4), "adam:batch=2", 0.1, 1)
    with pytest.raises(LabError, match="is no count of samples"):
        entrant("adam:batch=2.5")


def test_a_name_turns_no_title_round() -> None:
    """A mark that reverses what follows is shown by its number in the name of a problem."""
    name = "weird \u202e"
    made = numpy_problem(slope, {"w": np.zeros(1)}, (X, X[:, 0]), steps=48, batch=4, name=name)
    looped = loop_problem(lambda make_optimizer, seed, steps: iter(()), name=name, steps=48)
    for about in (made.about, looped.about):
        assert about is not None
        assert set(about.title.values()) == {r"weird \u202e"}
