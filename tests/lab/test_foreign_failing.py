"""Optimizers of others that fail somewhere: refused beforehand, or a run that failed."""

from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from adamas.cli import main
from adamas.lab.entrants import entrant
from adamas.lab.finder.range_test import losses
from adamas.lab.needs import LabError
from adamas.lab.problems import Array, Params, Problem
from adamas.lab.protocol import measure
from adamas.lab.protocol.first_step import try_out
from adamas.lab.trial import run
from bowl import BOWL, HERE, Quadratic


class Underflows(Quadratic):
    """A quadratic whose own code meets numbers out of range, and means to."""

    def evaluate(self, params: Params) -> float:
        """Return the loss."""
        tiny: Array = np.array([1e-300])
        return super().evaluate(params) + float((tiny * tiny)[0])


def test_a_refused_rate_is_a_run_that_failed() -> None:
    """A class that takes no large rate is compared at the others, and its error names the rate."""
    text = f"{HERE}:Strict"
    try_out(BOWL, [entrant(text)])
    found = run(BOWL, text, 0.06, 1)
    assert found.error == "ValueError: lr too big (lr=0.06)"
    assert (found.final, found.diverged, found.steps) == (inf, True, (0,))
    assert run(BOWL, text, 0.05, 1).error == ""


def test_a_failing_eval_is_refused_before_the_first_run() -> None:
    """An optimizer that cannot be judged is refused in its own words, and in a run it fails."""
    text = f"{HERE}:BadEval"
    with pytest.raises(LabError, match=r"fails in its first step .* RuntimeError: no average yet"):
        try_out(BOWL, [entrant(text)])
    assert run(BOWL, text, 0.01, 1).error == "RuntimeError: no average yet"


@pytest.mark.parametrize("name", ["Alarms", "AsksAlarmed"])
def test_an_error_state_is_the_optimizers_own(name: str) -> None:
    """What an optimizer lets NumPy raise does not raise in the code of the problem."""
    problem = replace(BOWL, task=Underflows)
    try_out(problem, [entrant(f"{HERE}:{name}")])
    plain = {"Alarms": "Plain", "AsksAlarmed": "Sharp"}[name]
    found = run(problem, f"{HERE}:{name}", 0.01, 1)
    assert found.losses == run(problem, f"{HERE}:{plain}", 0.01, 1).losses


def test_a_rate_that_cannot_move_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """find-lr refuses an optimizer that keeps its rate to itself, before the first run."""
    out = tmp_path / "out"
    words = ["find-lr", "line", "--optimizer", f"{HERE}:Fixed", "--out", str(out)]
    assert main(words) == 1
    told = capsys.readouterr().err
    assert "moves the learning rate of" in told and "Traceback" not in told
    assert not out.exists()


def test_small_rates_may_be_refused() -> None:
    """A class that refuses the smallest rates of a range test is tried at those it takes."""
    (first,) = losses(BOWL, f"{HERE}:Strict", 1, [0.1, 1.0])
    assert first == (inf, 1)
    *_, last = losses(BOWL, f"{HERE}:Strict", 1, [0.01, 0.02])
    assert last[0] < inf


def test_everybodys_time_is_in_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a run is the mean of all who take part, in any order, each kind measured once.

    What a run takes once, as to be set up, is counted once, however short the measured runs are.
    """
    plain, clock, asked = f"{HERE}:Plain", [0.0], list[str]()

    def trained(problem: Problem, text: str, lr: float, seed: int) -> None:
        asked.append(text)
        clock[0] += 0.02 + problem.steps * (0.001 if text.startswith("sgd") else 0.004)

    monkeypatch.setattr(measure, "trained", trained)
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock[0])
    bowl = replace(BOWL, steps=100 * BOWL.every)
    for texts in (["sgd", plain], [plain, "sgd"]):
        found = measure.seconds_per_run(bowl, [entrant(text) for text in texts])
        assert found == pytest.approx(0.02 + bowl.steps * (0.001 + 0.004) / 2)
    assert measure.seconds_per_run(bowl, [entrant("sgd"), entrant("sgd:warmup=0.1")]) == (
        pytest.approx(0.02 + bowl.steps * 0.001)
    )
    assert "sgd:warmup=0.1" not in asked
