"""Every built-in problem: its gradient, what its seed fixes, and what a report can say of it."""

from itertools import islice

import numpy as np
import pytest

from adamas.lab.needs import LabError
from adamas.lab.problems import Params, Problem, Words
from adamas.lab.text import SENTENCES
from adamas.lab.zoo import CATALOGUE, built_in
from zoo_training import as_bytes, in_float64, train

NAMES = sorted(CATALOGUE)
LABELS = {"real", "composite", "synthetic"}


# The packages with their data pin other versions of what adamas needs, so no extra can name them.
UNDECLARED = ("ratings", "nuclei")


@pytest.fixture(params=NAMES)
def problem(request: pytest.FixtureRequest) -> Problem:
    """Give one built-in problem after the other."""
    found = built_in(request.param)
    if request.param in UNDECLARED:
        try:
            found.task(1)
        except LabError as error:
            pytest.skip(str(error))
    return found


def about(problem: Problem):
    """Return the problem's description, which every built-in one has."""
    assert problem.about is not None
    return problem.about


def test_gradient_agrees_with_finite_differences(problem: Problem) -> None:
    """Along random directions the gradient is the slope of the loss it comes with, in float64."""
    if about(problem).kind == "reinforcement":
        pytest.skip("the gradient is an estimate, not the slope of a loss")
    task = problem.task(5)
    if hasattr(task, "model"):
        task.model.double()
    params, batch = in_float64(task.start()), in_float64(next(task.batches()))
    grads = {name: np.empty_like(value) for name, value in params.items()}
    unused = {name: np.empty_like(value) for name, value in params.items()}
    task.gradient(params, batch, grads)
    grads = {name: value.copy() for name, value in grads.items()}
    rng = np.random.default_rng(7)
    for _ in range(3):
        way = {name: rng.standard_normal(value.shape) for name, value in params.items()}
        ahead, behind = (
            task.gradient({n: v + h * way[n] for n, v in params.items()}, batch, unused)
            for h in (1e-6, -1e-6)
        )
        slope = sum(float((grads[name] * way[name]).sum()) for name in params)
        assert (ahead - behind) / 2e-6 == pytest.approx(slope, rel=1e-4, abs=1e-7)


def test_gradient_overwrites(problem: Problem) -> None:
    """Whatever the gradient arrays held before, they hold the batch's gradient after."""
    found = []
    for junk in (0.0, 7.0):
        task = problem.task(5)
        params = task.start()
        grads = {name: np.full_like(value, junk) for name, value in params.items()}
        loss = task.gradient(params, next(task.batches()), grads)
        found.append((loss, as_bytes(grads)))
    assert found[0] == found[1]


def test_same_seed_is_the_same_run(problem: Problem) -> None:
    """Two tasks of one seed give the same weights, loss and extras, byte for byte."""

    def end() -> tuple[bytes, float, dict[str, float]]:
        task, params = train(problem, "adam", 1e-3, seed=3, steps=4)
        return as_bytes(params), task.evaluate(params), task.extras(params)

    assert as_bytes(end()) == as_bytes(end())


def test_start_is_fresh(problem: Problem) -> None:
    """Each call of `start` returns the same numbers in memory of its own."""
    task = problem.task(3)
    first, second = task.start(), task.start()
    assert as_bytes(first) == as_bytes(second)
    assert not any(np.shares_memory(first[name], second[name]) for name in first)
    assert all(value.dtype in (np.float32, np.float64) for value in first.values())


def test_seed_changes_what_it_says(problem: Problem) -> None:
    """Another seed is another training exactly where the problem calls itself random."""

    def opening(seed: int) -> bytes:
        task = problem.task(seed)
        return as_bytes((task.start(), tuple(islice(task.batches(), 101))))

    assert (opening(1) != opening(2)) == problem.random


def test_loss_has_a_logarithm(problem: Problem) -> None:
    """The judge's loss is finite and positive at the start, and leaves the weights alone."""
    task = problem.task(3)
    params = task.start()
    before = as_bytes(params)
    loss = task.evaluate(params)
    assert isinstance(loss, float) and np.isfinite(loss) and loss > 0
    assert as_bytes(params) == before


def test_numbers_that_are_not_finite_show(problem: Problem) -> None:
    """A run whose weights are NaN is judged NaN or infinite, never as a small loss."""
    task = problem.task(3)
    broken: Params = {name: np.full_like(value, np.nan) for name, value in task.start().items()}
    with np.errstate(all="ignore"):
        assert not np.isfinite(task.evaluate(broken))


def complete(words: Words) -> bool:
    """Tell whether a text is there in English and in Chinese."""
    chinese = any("\u4e00" <= character <= "\u9fff" for character in words.get("zh", ""))
    return bool(words.get("en")) and (chinese or words["zh"] == words["en"])


def test_report_has_its_texts(problem: Problem) -> None:
    """Title, model, loss, target and notes are there in English and Chinese; the label is known."""
    told = about(problem)
    texts = [told.title, told.model, told.loss, *([told.notes] if told.notes else [])]
    if told.quality:
        texts.append(told.quality.basis)
    assert all(complete(words) for words in texts)
    assert told.label in LABELS and told.kind


def test_real_data_name_their_source(problem: Problem) -> None:
    """Data that are not synthetic have a package, a licence, a citation and a checksum."""
    told = about(problem)
    assert (told.label == "synthetic") == (not told.sources)
    for source in told.sources:
        assert source.title and source.package and source.licence and source.citation
        assert len(bytes.fromhex(source.sha256)) == 32


def test_metrics_exist(problem: Problem) -> None:
    """The target's metric and those better when higher are reported, and each has a name."""
    told, task = about(problem), problem.task(3)
    extras = task.extras(task.start())
    assert set(told.higher) <= set(extras)
    assert told.quality is None or told.quality.metric in {"loss", *extras}
    # A variable of the formula is called the same in every language.
    for name in set(extras) - {"w", "x"}:
        keys = {f"{problem.name}.metric.{name}", f"metric_{name}"}
        assert keys & set(SENTENCES), f"say in lab/text what {name} is"


def test_name_and_rhythm(problem: Problem) -> None:
    """A problem is called what the catalogue calls it, and is judged 20 to 40 times in a run."""
    assert problem.name in CATALOGUE and built_in(problem.name) == problem
    assert problem.steps % problem.every == 0
    assert 20 <= problem.steps // problem.every <= 40


def test_unknown_name_is_answered_with_the_known_ones() -> None:
    """Whoever mistypes a name reads the names there are."""
    with pytest.raises(LabError, match="digits-softmax"):
        built_in("digit")
