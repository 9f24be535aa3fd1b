"""What the chapter on Adam's limits says."""

import re
from math import sqrt

import numpy as np
import pytest

from adamas.classes import hypers
from adamas.learn.chapters import limits
from adamas.learn.chapters.limits import RACERS, STEPS, at, best, ends, reddi
from adamas.learn.measured import measured
from adamas.learn.numbers import shown
from adamas.learn.problems import PROBLEMS
from adamas.learn.text import SENTENCES
from adamas.learn.trace import trace
from adamas.rules import adam, amsgrad, momentum
from places import ROOT
from v8 import run


@pytest.mark.parametrize("racer", RACERS)
def test_rates(racer: str) -> None:
    """All rates at once end where each ends alone, and the best is inside of what was tried."""
    for problem in ("valley", "rosenbrock"):
        lr, loss = best(racer, problem)
        alone = trace(RACERS[racer], PROBLEMS[problem], STEPS, lr=lr).losses[-limits.LATE :]
        assert np.mean(alone) == pytest.approx(loss, rel=1e-9)
        assert limits.RATES[0] < lr < limits.RATES[-1]
        assert loss == np.nanmin(ends(racer, problem))


def test_shared_rate_decides() -> None:
    """Who wins at one shared rate depends on the rate; SGD diverges above 2 / curvature."""
    fast = {racer: at(racer, "valley", limits.LONG_STEP) for racer in RACERS}
    slow = {racer: at(racer, "valley", limits.SHORT_STEP) for racer in RACERS}
    assert fast["adam"] < 0.01 and fast["momentum"] > 1e6 and fast["sgd"] > 1e6
    assert slow["momentum"] < 0.01 < 0.1 < slow["adam"]
    assert limits.LONG_STEP > 2 / 50 * (1 + 0.9), "momentum's bound on a curvature of 50"


@pytest.mark.parametrize("problem", ["valley", "rosenbrock"])
def test_fair_race(problem: str) -> None:
    """Each at its own best rate, Adam and momentum are level and SGD is well behind."""
    losses = {racer: best(racer, problem)[1] for racer in RACERS}
    assert 2 / 3 < losses["adam"] / losses["momentum"] < 3 / 2
    assert losses["sgd"] > 5 * max(losses["adam"], losses["momentum"])


def test_what_the_race_leaves_alone() -> None:
    """Both keep the same memory; other ones, or none at all, do far better in the narrow valley."""
    assert hypers(adam)["beta1"] == hypers(momentum)["beta"]
    levels = [best(racer, "valley")[1] for racer in ("momentum", "adam")]
    memoryless = best("adam", "valley", beta1=0.0)[1]
    chosen, polyak = limits.polyak()
    assert max(memoryless, polyak) < 1e-6 * min(levels)
    # Polyak 1964 for curvatures from 1 to 50.
    assert chosen["beta"] == pytest.approx(((sqrt(50) - 1) / (sqrt(50) + 1)) ** 2)
    assert best("adam", "rosenbrock", beta1=0.0)[1] < best("adam", "rosenbrock")[1]


def test_counter_example() -> None:
    """Adam with a short memory ends at the worst point, with a longer one or AMSGrad at the best.

    Reddi, Kale & Kumar 2018, theorem 1: C > 2, beta1 = 0 and beta2 = 1 / (1 + C**2).
    """
    assert pytest.approx(0.1) == limits.SHORT_BETA2
    assert reddi(adam, limits.SHORT_BETA2).last[0] > 0.95
    assert reddi(amsgrad, limits.SHORT_BETA2).last[0] < -0.95
    assert reddi(adam, limits.LONG_BETA2).last[0] < -0.95


def test_pulls() -> None:
    """In a cycle of the counter-example the small gradients pull farther than the large one."""
    b = limits.SHORT_BETA2
    # v after a whole cycle, 3 the newest gradient: the fixed point of three updates.
    v = (1 - b) * (9 + b * 1 + b * b * 1) / (1 - b**3)
    after = b * v + (1 - b), b * (b * v + (1 - b)) + (1 - b)
    large, small = limits.pulls()
    assert large == pytest.approx(3 / sqrt(v), rel=1e-6)
    assert small == pytest.approx(sum(1 / sqrt(x) for x in after), rel=1e-6)
    assert small > large


def test_what_the_lab_found() -> None:
    """SGD is better and faster on one problem, worse and slower on another, undecided on one."""
    found = {name: one["optimizers"] for name, one in measured()["contests"].items()}
    words = {name: one["sgd"]["word"] for name, one in found.items()}
    assert words == {"mnist5k": "better", "sentiment": "worse", "digits": "few"}
    steps = {name: [one[x]["steps"] or 1e9 for x in ("sgd", "adam")] for name, one in found.items()}
    assert steps["mnist5k"][0] < steps["mnist5k"][1]
    assert steps["sentiment"][0] > steps["sentiment"][1]


def test_the_table_says_what_its_words_mean() -> None:
    """The target is the loss of the weakest; a tie rules out 10 %; seeds are as many each."""
    for contest in measured()["contests"].values():
        rows = contest["optimizers"].values()
        assert contest["target"] == pytest.approx(max(row["loss"] for row in rows))
        assert contest["seeds"] == measured()["contests"]["digits"]["seeds"]
        for row in rows:
            far = max(-row["percent_low"], row["percent_high"])
            assert (row["word"] != "tie" or far < limits.TIE) and (
                row["word"] != "few" or far > limits.TIE
            )


@pytest.mark.parametrize("key", limits.APPLICATIONS)
def test_applications_are_those_of_the_lab(key: str) -> None:
    """Each number and each verdict is that of the lab's table, in both of its languages."""
    row, *means = limits.APPLICATIONS[key]
    page = (ROOT / "docs/lab.md").read_text("utf-8")
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {row} |")]
    cells = [cell.strip() for cell in line.split("|")]
    assert [cells[3].split()[0], cells[6].split()[0]] == means
    verdict = cells[3].partition("] ")[2]
    assert verdict in SENTENCES[f"limits.{key}"]["en"]
    known = {"worse": "更差", "too few seeds": "种子太少"}
    assert known[verdict] in SENTENCES[f"limits.{key}"]["zh"]
    assert "22 November 2026" in page and limits.MEASURED_ON == "2026-11-22"
    (command,) = re.findall(r"`adamas compare ([\w-]+)`", SENTENCES[f"limits.{key}"]["zh"])
    assert command in page


def test_figure_starts_with_the_best() -> None:
    """The race opens with each one's best rate for the valley, and ends where the text says."""
    start = run("startValues(PLAYS.limits)")
    rows = run("PLAYS.limits.show(startValues(PLAYS.limits), 640).numbers")
    for racer in RACERS:
        lr, loss = best(racer, "valley")
        assert start[racer] == pytest.approx(lr, rel=1e-9)
        assert rows.count(f"<td>{shown(lr, 2)}</td>") == 2
        assert rows.count(f"<td>{shown(loss, 2)}</td>") == 2


@pytest.mark.parametrize("beta2", [limits.SHORT_BETA2, limits.LONG_BETA2])
def test_figure_of_the_counter_example(beta2: float) -> None:
    """The counter-example's figure ends where the text says."""
    text = run(f"PLAYS.limits_reddi.show({{beta2: {beta2}}}, 640).sentence")
    ends = [shown(reddi(rule, beta2).last[0], 2) for rule in (adam, amsgrad)]
    assert f"Adam is at {ends[0]}, AMSGrad at {ends[1]}" in text


def test_a_run_that_flies_off() -> None:
    """A run without a loss that means anything is said to have diverged."""
    rows = run(
        "PLAYS.limits.show({problem: 'rosenbrock', sgd: 1, momentum: 1, adam: 1}, 640).numbers"
    )
    assert rows.count("<td>diverged</td>") == 2 and "NaN" not in rows
