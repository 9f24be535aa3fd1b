"""Models that are no networks, beside the networks: what they lose, and what is said of it."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss

from adamas.lab.own.spec import Spec
from adamas.lab.problems import Problem
from adamas.lab.protocol.beside import beside, tree
from adamas.lab.protocol.study import Look, Study
from adamas.lab.report import baseline_chapter
from adamas.lab.report.compare_page import render
from adamas.lab.text import Say
from own_files import found, numbers, written
from report_sample import sample

COUNT = 150


def table(classes: bool) -> dict[str, list[object]]:
    """Return a table whose target is a line with noise, or one of three classes along it."""
    x, z, noise = (np.array(numbers(COUNT, seed), float) for seed in (1, 2, 3))
    y = 3 * x - z + noise
    kinds = np.digitize(y, np.quantile(y, [0.5, 0.8])).tolist()
    words = [f"class {kind}" for kind in kinds]
    return {"a": x.tolist(), "b": z.tolist(), "y": words if classes else (5 * y + 7).tolist()}


def measured(problem: Problem, seed: int) -> tuple[Any, dict[str, dict[str, float]]]:
    """Return the task of a seed and the baselines."""
    assert problem.baselines is not None
    return problem.task(seed), problem.baselines(seed)


@pytest.mark.parametrize("seed", [1, 2])
def test_classes_are_measured_as_by_scikit_learn(seed: int, tmp_path: Path) -> None:
    """The blind answer is the training shares, the linear one LogisticRegression's log loss."""
    task, beside = measured(found(tmp_path, **table(classes=True)), seed)
    (x, y), (held, judge) = task.training, task.validation
    shares = np.bincount(y) / len(y)
    assert beside["blind"]["loss"] == pytest.approx(-np.log(shares)[judge].mean())
    assert beside["blind"]["accuracy"] == pytest.approx((judge == shares.argmax()).mean())
    model = LogisticRegression(max_iter=1000).fit(x, y)
    expected = log_loss(judge, model.predict_proba(held), labels=[0, 1, 2])
    assert beside["linear"]["loss"] == pytest.approx(expected, rel=1e-3)
    assert beside["linear"]["accuracy"] == accuracy_score(judge, model.predict(held))
    assert beside["trees"]["loss"] < beside["blind"]["loss"]


@pytest.mark.parametrize("seed", [1, 2])
def test_numbers_are_measured_as_by_scikit_learn(seed: int, tmp_path: Path) -> None:
    """A blind answer costs 1 in the unit of the network's loss, and Ridge its share of that."""
    columns = table(classes=False)
    task, beside = measured(found(tmp_path, **columns), seed)
    assert beside["blind"]["loss"] == pytest.approx(1, rel=1e-6)
    (x, y), (held, judge) = task.training, task.validation
    off = Ridge().fit(x, y[:, 0]).predict(held) - judge[:, 0]
    assert beside["linear"]["loss"] == pytest.approx(np.mean(off**2) / np.mean(judge**2), rel=1e-5)
    unit = np.array(columns["y"], float).std() / np.concatenate([y, judge]).std()
    assert beside["linear"]["rmse"] == pytest.approx(unit * np.sqrt(np.mean(off**2)), rel=1e-4)


def study(losses: dict[str, list[float]]) -> Any:
    """Return a study of which only the judged losses are known."""
    report: Any = {
        name: [SimpleNamespace(seed=seed, final=loss) for seed, loss in enumerate(each, start=1)]
        for name, each in losses.items()
    }
    plan: Any = SimpleNamespace(margin=0.02)
    return Study(plan, {}, report, {})


def test_one_worker_or_two_measure_the_same(tmp_path: Path) -> None:
    """Baselines are the same numbers whatever the number of workers."""
    spec = Spec(str(written(tmp_path, table(classes=True))), "y")
    judged = study({"sgd": [1.0, 1.1], "adam": [0.9, 1.2]})
    one, two = (beside(judged, spec.problem(), spec.problem, workers) for workers in (1, 2))
    assert one == two and list(one) == ["blind", "linear", "trees"]


NOISE = [0.01, -0.02, 0.005, 0.015, -0.01, 0.0]
SAID = [
    ({"sgd": 1.0, "adam": 1.01}, {"blind": 1.0, "linear": 1.2, "trees": 1.3}, "blind answer"),
    ({"sgd": 1.0, "adam": 0.5}, {"blind": 1.0, "linear": 0.9, "trees": 0.9}, ""),
    ({"sgd": 0.6, "adam": 0.5}, {"blind": 1.0, "linear": 0.3, "trees": 0.9}, "linear model"),
    ({"sgd": 0.6, "adam": np.inf}, {"blind": 1.0, "linear": 0.9, "trees": 0.3}, "boosted trees"),
]


@pytest.mark.parametrize(("networks", "others", "words"), SAID)
def test_what_beats_the_networks_is_said(
    networks: dict[str, float], others: dict[str, float], words: str
) -> None:
    """Page and terminal warn if nobody beats a blind answer, and name who beats everybody."""
    judged = study({name: [loss + off for off in NOISE] for name, loss in networks.items()})
    trees = {
        name: tree(judged, [{"loss": loss - 0.5 * off} for off in NOISE])
        for name, loss in others.items()
    }
    results: Any = sample(("sgd", "adam")) | {"baselines": trees}
    for name, loss in networks.items():
        results["optimizers"][name]["diverged"] = len(NOISE) * (loss == np.inf)
    told = baseline_chapter.said(results, Say("en"))
    assert words in told and bool(told) == bool(words)
    assert len(baseline_chapter.lines(results, Say("en"))) == 1 + bool(words)
    page = render(results, None, Say("en"))
    assert ("No optimizer is shown" in page) == (words == "blind answer")
    assert 'id="baselines"' in page


UNBEATEN = [
    ([[0.2, 0.3]] * 2, ": 2 seeds cannot show it, 3 or more can."),
    ([[0.7, 1.2, 0.6, 1.5, 0.9, 0.8]] * 2, "."),
    ([[0.1, 0.2, 0.1, 0.2, 0.1, np.inf]] * 2, "."),
    ([[1.0, 1.01, 1.0], [1.2, 1.21, 1.2]], ": every one is shown to end with about the same loss"),
]


@pytest.mark.parametrize(("losses", "told"), UNBEATEN)
def test_what_was_not_shown_is_no_finding(losses: list[list[float]], told: str) -> None:
    """That the networks are no better is told only where ties or worse losses show it."""
    judged = study(dict(zip(("sgd", "adam"), losses, strict=True)))
    answers = [{"loss": 0.98 + 0.01 * seed} for seed in range(len(losses[0]))]
    results: Any = sample(("sgd", "adam")) | {"baselines": {"blind": tree(judged, answers)}}
    said = baseline_chapter.said(results, Say("en"))
    assert re.sub(r".*whose loss is [\d.]+\d", "", said).startswith(told)
    assert ("shown" in told) == ("说明不了" in baseline_chapter.said(results, Say("zh")))


def test_baselines_have_the_intervals_of_optimizers() -> None:
    """No interval of a baseline says what cannot be: a loss below 0, an accuracy above 1."""
    judged = study({"sgd": [1.0, 1.1], "adam": [0.9, 1.2]})
    rows = [{"loss": 0.05, "accuracy": 1.0}, {"loss": 0.4, "accuracy": 0.92}]
    found = tree(judged, rows)
    loss, accuracy = found["interval"], found["extras"]["accuracy"]
    assert 0 < loss["low"] < 0.05 and accuracy["low"] < 0.92 < accuracy["high"] <= 1


def test_words_beside_baselines_are_as_sure_as_the_others() -> None:
    """After looks a baseline is told apart at the level of the last one, not at 5 %."""
    shift = np.array([1.0, -1.0, 0.5, -0.5, 0.2, -0.2])
    t = stats.t.isf(0.01, 5)  # two-sided 0.02
    losses = 2 + 0.3 * (shift + t * shift.std(ddof=1) / np.sqrt(6))
    judged = study({"sgd": losses.tolist()})
    assert tree(judged, [{"loss": 2.0}] * 6)["words"] == {"sgd": "worse"}
    looked = replace(judged, looks=(Look(6, 0.0125, ()),))
    assert tree(looked, [{"loss": 2.0}] * 6)["words"] == {"sgd": "few"}


def test_a_run_that_failed_is_not_behind() -> None:
    """A baseline is not better than an optimizer that failed on one seed of six."""
    judged = study({"sgd": [0.5] * 5 + [np.inf], "adam": [0.5] * 5 + [np.inf]})
    trees = {
        name: tree(judged, [{"loss": loss}] * 6) for name, loss in (("blind", 1), ("trees", 0.6))
    }
    trees["blind"]["words"]["adam"] = "better"
    results: Any = sample(("sgd", "adam")) | {"baselines": trees}
    for one in results["optimizers"].values():
        one["diverged"] = 1
    assert baseline_chapter.said(results, Say("en")) == ""


def test_problems_without_baselines() -> None:
    """A problem that has none has no such chapter, and nothing is said in the terminal."""
    tree = sample(("sgd", "adam")) | {"baselines": {}}
    assert 'id="baselines"' not in render(tree, None, Say("en"))
    assert baseline_chapter.lines(tree, Say("en")) == []
