"""The lab's problems: gradients by finite differences, and what a seed must fix."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.data.uci_digits import IMAGES, data
from adamas.lab.problems import Batch, Params, Problem, Task, shuffled_batches
from adamas.lab.zoo import rare_words
from adamas.lab.zoo.dense import log_softmax
from adamas.lab.zoo.digits import MLP, SOFTMAX, VALIDATION, DigitsTask
from adamas.lab.zoo.line import FULL, SINGLE
from adamas.lab.zoo.rare_words import WORD_PROBLEM, WordsTask, frequencies

PROBLEMS = [FULL, SINGLE, WORD_PROBLEM, SOFTMAX, MLP]


def in_float64(task: Task, batch: Batch) -> tuple[Params, Batch]:
    """Return the task's start and batch in float64, where finite differences are sharp."""
    params = {name: value.astype(np.float64) for name, value in task.start().items()}
    x, y = batch
    return params, (x.astype(np.float64), y)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: f"{p.name}-{p.batch}")
def test_gradient_agrees_with_finite_differences(problem: Problem) -> None:
    """Along random directions the gradient is the slope of the loss it comes with."""
    rng = np.random.default_rng(7)
    task = problem.task(5)
    params, batch = in_float64(task, next(task.batches()))
    grads = {name: np.empty_like(value) for name, value in params.items()}
    unused = {name: np.empty_like(value) for name, value in params.items()}
    task.gradient(params, batch, grads)
    for _ in range(5):
        way = {name: rng.standard_normal(value.shape) for name, value in params.items()}
        ahead, behind = (
            task.gradient({n: v + h * way[n] for n, v in params.items()}, batch, unused)
            for h in (1e-6, -1e-6)
        )
        slope = sum(float((grads[name] * way[name]).sum()) for name in params)
        assert (ahead - behind) / 2e-6 == pytest.approx(slope, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: f"{p.name}-{p.batch}")
def test_seed_fixes_everything(problem: Problem) -> None:
    """The same seed gives the same start, batches and judge, whoever asks and however often."""
    first, second = problem.task(3), problem.task(3)
    for one, other in zip(islice(first.batches(), 5), islice(second.batches(), 5), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])
    start = first.start()
    for name, value in second.start().items():
        np.testing.assert_array_equal(start[name], value)
        assert not np.shares_memory(start[name], value)
    assert first.evaluate(start) == second.evaluate(second.start())


@pytest.mark.parametrize("problem", [p for p in PROBLEMS if p.random], ids=lambda p: p.name)
def test_other_seed_is_other_training(problem: Problem) -> None:
    """Another seed draws another order, so seeds are not copies of one run."""
    one, other = (next(problem.task(seed).batches())[0] for seed in (1, 2))
    assert not np.array_equal(one, other)


def test_digits_split_is_a_partition() -> None:
    """Each image is in the training or in the validation set, never in both."""
    task = DigitsTask(4, (64, 10))
    x, _ = data()
    together = np.concatenate([task.training[0], task.validation[0]])
    assert len(x) == IMAGES == len(together)
    assert len(task.validation[0]) == VALIDATION
    assert sorted(image.tobytes() for image in together) == sorted(image.tobytes() for image in x)


def test_cross_entropy_of_a_guess_is_log_ten() -> None:
    """With weights of 0 every class has probability 1/10, so the loss is log 10."""
    task = DigitsTask(4, (64, 10))
    blank = {name: np.zeros_like(value) for name, value in task.start().items()}
    assert task.evaluate(blank) == pytest.approx(np.log(10), rel=1e-6)


def test_log_softmax_survives_large_logits() -> None:
    """Logits of a diverging run give finite log-probabilities as long as they are finite."""
    found = log_softmax(np.array([[1e30, 0.0], [-1e4, -1e4]]))
    np.testing.assert_allclose(found, [[0.0, -1e30], [-np.log(2), -np.log(2)]])


def test_words_come_as_often_as_promised() -> None:
    """The share of documents with a word is its frequency, within six standard errors."""
    x, _ = WordsTask(11).training
    expected = frequencies()
    error = np.sqrt(expected * (1 - expected) / len(x))
    assert np.all(np.abs(x.mean(axis=0) - expected) < 6 * error)
    assert len(x) == WORD_PROBLEM.steps * WORD_PROBLEM.batch == rare_words.STEPS * rare_words.BATCH


def test_perfect_weights_leave_only_the_noise() -> None:
    """With the hidden weights the loss is the noise variance and nothing is unlearned."""
    task = WordsTask(11)
    perfect = {"w": task.hidden.copy()}
    assert task.evaluate(perfect) == pytest.approx(rare_words.NOISE**2, rel=0.2)
    assert task.extras(perfect) == {"rare": 0.0, "common": 0.0}
    assert task.extras(task.start()) == {"rare": 1.0, "common": 1.0}


@pytest.mark.parametrize("size", [0, 6])
def test_a_batch_that_no_pass_fills_is_refused(size: int) -> None:
    """Fewer samples than a batch takes are an error, and no search without end."""
    batches = shuffled_batches(np.arange(5), np.arange(5), size, np.random.default_rng(1))
    with pytest.raises(ValueError, match=rf"{size} samples .* from 5"):
        next(batches)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))
def test_a_pass_shows_no_sample_twice(count: int, size: int, seed: int) -> None:
    """Each pass over the data is a new permutation, cut into whole batches."""
    size = min(size, count)
    data = np.arange(count)
    batches = shuffled_batches(data, data, size, np.random.default_rng(seed))
    for _ in range(2):
        shown = [x for x, _ in islice(batches, count // size)]
        assert all(len(x) == size for x in shown)
        assert len(np.unique(np.concatenate(shown))) == size * (count // size)
