"""What counts as diverged, what is only worse, and what is overfitting."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import inf, nan
from typing import Any

import numpy as np
import pytest

from adamas.lab.doctor import diagnose
from adamas.lab.problems import Params, Problem
from adamas.lab.report.compare_page import render
from adamas.lab.text import Say
from adamas.lab.trial import Record, run
from report_sample import sample, sample_timing

Curve = Callable[[float], float]
STEPS = 40


@dataclass(frozen=True)
class Path:
    """A task without chance: after k steps of SGD at lr 1 / STEPS the weight is k / STEPS.

    `judged` and `trained` are the two losses, functions of the weight.
    """

    judged: Curve
    trained: Curve

    def start(self) -> Params:
        """Return 0."""
        return {"w": np.zeros(1)}

    def batches(self) -> Iterator[int]:
        """Yield nothing of interest."""
        while True:
            yield 0

    def gradient(self, params: Params, batch: int, grads: Params) -> float:
        """Push the weight upwards."""
        grads["w"][:] = -1.0
        return self.trained(float(params["w"][0]))

    def evaluate(self, params: Params) -> float:
        """Return the judged loss."""
        return self.judged(float(params["w"][0]))

    def extras(self, params: Params) -> dict[str, float]:
        """Return nothing."""
        return {}


def posed(judged: Curve, trained: Curve) -> Problem:
    """Return the problem of one path."""
    return Problem("path", STEPS, 10, 1, partial(task, Path(judged, trained)), random=False)


def task(path: Path, seed: int) -> Path:
    """Return the path, whatever the seed."""
    return path


def trained(judged: Curve, train: Curve) -> Record:
    """Run along a path."""
    return run(posed(judged, train), "sgd", 1 / STEPS, 1)


def overfitting(w: float) -> float:
    """The validation loss of a table of company profits: 0.80, down to 0.24, up to 1.02."""
    return float(np.interp(w, [0, 0.25, 1], [0.80, 0.24, 1.02]))


def falling(w: float) -> float:
    """A training loss that goes on falling."""
    return 0.8 * float(np.exp(-2 * w))


def test_a_finite_run_above_its_start_is_a_number() -> None:
    """A run that overfitted ends worse than it began, and has a final loss all the same."""
    record = trained(overfitting, falling)
    assert not record.diverged
    assert record.final == pytest.approx(1.02)
    assert record.overfitted_from == 10


@pytest.mark.parametrize(
    ("judged", "train", "lost"),
    [
        (lambda w: 1 + 8.9 * w, lambda w: 1 + 20 * w, False),  # worse, not blown up
        (lambda w: 1 + 99 * w, falling, False),  # learned by heart, judged a hundred times worse
        (lambda w: 1 - w / 2, lambda w: 1 + 99 * w, False),  # only the batches got harder
        (lambda w: 1 + 99 * w, lambda w: 1 + 99 * w, True),  # blown up
        (lambda w: 1 if w < 0.5 else nan, falling, True),
        (lambda w: 1 if w < 0.5 else inf, falling, True),
        (lambda w: -5 + 44 * w, lambda w: -5 + 44 * w, False),  # losses below zero have no ratio
        (lambda w: -5 + 99 * w, lambda w: -5 + 99 * w, True),
    ],
)
def test_diverged_is_not_finite_or_blown_up(judged: Curve, train: Curve, lost: bool) -> None:
    """Diverged: the last loss is not finite, or both losses ended at ten times the first."""
    record = trained(judged, train)
    assert record.diverged == lost
    assert (record.final == inf) == lost


def test_only_a_turn_under_a_falling_training_loss_is_overfitting() -> None:
    """A validation loss that rises with the training loss, or by less than 10 %, is none."""
    assert trained(overfitting, lambda w: 0.8 + w).overfitted_from is None
    assert trained(lambda w: 0.5 + 0.04 * w, falling).overfitted_from is None
    assert trained(lambda w: 1 - w / 2, falling).overfitted_from is None


def test_the_doctor_does_not_blame_the_rate_for_overfitting() -> None:
    """A run that learned its rows by heart is told where it was best, not to take a lower rate."""
    found = diagnose(posed(overfitting, falling), "sgd", 1 / STEPS, 1)
    assert found is not None
    assert (found["kind"], found["step"], found["advice"]) == ("overfitted", 10, ["fewer_steps"])


def overfitted_sample() -> dict[str, Any]:
    """Return results in which Adam overfitted, and the doctor said so."""
    tree = sample(("sgd", "adam"))
    curve = tree["optimizers"]["adam"]["curve"]
    curve["mean"] = [2.3 - 2 * k / 10 if k <= 10 else 0.3 + 0.01 * k for k in range(21)]
    curve["train"] = [None, *(2.0 * 0.8**k for k in range(20))]
    tree["doctor"] = [
        {"optimizer": "adam", "lr": 1e-3, "seed": 1, "kind": kind, "step": 340, "parameter": None,
         "update_to_weight": None, "advice": advice, "numbers": {"steps": 340.0}}
        for kind, advice in (("overfitted", ["fewer_steps"]), ("rose", ["lower_lr"]))
    ]  # fmt: skip
    return tree


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Overfitting", "lowest at step 340", "fewer steps", "ended above the loss it")),
        ("zh", ("过拟合", "第 340 步最低", "减少步数", "比开始时还高")),
    ],
)
def test_the_page_says_where_the_validation_loss_was_lowest(
    language: str, said: tuple[str, ...]
) -> None:
    """Overfitting stands at the top of the page with its step, and its interval stays."""
    page = render(overfitted_sample(), sample_timing(), Say(language))
    assert all(text in page for text in said)
    assert "340" in page


def test_no_word_of_overfitting_where_there_is_none() -> None:
    """A loss that falls to the end is not called overfitted."""
    tree = sample(("sgd", "adam"))
    assert "Overfitting" not in render(tree, sample_timing(), Say("en"))
    broken = replace(trained(overfitting, falling), train=(nan,), steps=(0,), losses=(1.0,))
    assert broken.overfitted_from is None
