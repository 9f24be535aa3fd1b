"""The doctor: constructed illnesses with known causes, and cures that are run."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adamas.lab.doctor import diagnose
from adamas.lab.problems import Params, Problem
from adamas.lab.trial import run
from adamas.lab.zoo.digits import MLP, SOFTMAX
from adamas.lab.zoo.line import FULL, least_squares

# What is said of a run whose loss left.
LEFT = ("diverged", "rose")
TUTORIAL = replace(FULL, steps=1000, every=100)
SIGN = '''
from adamas.words import sign

def signed(p, g, *, lr=1e-3):
    """Sign descent."""
    return p - lr * sign(g)
'''


@dataclass(frozen=True)
class Bowl:
    """The sum of curvature * (x - 1) ** 2 / 2 over two parameters; `spike` times once, at `at`."""

    curvature: dict[str, float]
    spike: float = 1.0
    at: int = -1

    def start(self) -> Params:
        """Return 2 everywhere."""
        return {name: np.full(4, 2.0) for name in self.curvature}

    def batches(self) -> Iterator[int]:
        """Yield the number of the step."""
        yield from range(1, 10**9)

    def gradient(self, params: Params, batch: int, grads: Params) -> float:
        """Write curvature * (x - 1), of the one step multiplied."""
        factor = self.spike if batch == self.at else 1.0
        for name, curvature in self.curvature.items():
            grads[name][:] = factor * curvature * (params[name] - 1)
        return self.evaluate(params)

    def evaluate(self, params: Params) -> float:
        """Return the loss, and a little more so that it is positive."""
        total = sum(c * float(((params[n] - 1) ** 2).sum()) / 2 for n, c in self.curvature.items())
        return total + 1e-3

    def extras(self, params: Params) -> dict[str, float]:
        """Return nothing."""
        return {}


def bowl(steps: int = 100, **how: Any) -> Problem:
    """Return a quadratic of curvature 0.1 in `flat` and 10 in `steep`."""
    task = Bowl({"flat": 0.1, "steep": 10.0}, **how)
    return Problem("bowl", steps, 10, 1, lambda seed: task, random=False)


def test_the_tutorial_is_short() -> None:
    """At lr 0.001, 1,000 steps reach 1 at most, and the way is 2.49 long; both cures cure."""
    tuned = run(TUTORIAL, "adam", 0.1, 0)
    found = diagnose(TUTORIAL, "adam", 0.001, 0, tuned, 0.1)
    assert found is not None and (found["kind"], found["parameter"]) == ("short", "w")
    numbers = found["numbers"]
    # Measured steps are a little shorter than lr, because the gradient falls on the way.
    assert 0.9 < numbers["reach"] < numbers["lr_times_steps"] == 1.0
    assert numbers["distance"] == pytest.approx(least_squares()[0], abs=0.01)
    assert numbers["steps"] == pytest.approx(1000 * 2.487 / numbers["reach"], rel=0.01)
    assert found["advice"] == ["higher_lr", "more_steps"]
    start, before = run(TUTORIAL, "adam", 0.001, 0).losses[0], run(TUTORIAL, "adam", 0.001, 0).final
    better = run(TUTORIAL, "adam", 2 * numbers["lr"], 0)
    assert better.final < 1.1 * tuned.final < before < start
    longer = replace(TUTORIAL, steps=2 * int(numbers["steps"]))
    assert run(longer, "adam", 0.001, 0).final < 1.1 * tuned.final


def test_too_large_for_the_curvature_diverges() -> None:
    """Above 2 / L the steep parameter is named, its update is lr L of its distance; lower cures."""
    found = diagnose(bowl(), "sgd", 0.25, 0)
    assert found is not None and found["kind"] in LEFT and found["parameter"] == "steep"
    assert found["advice"] == ["lower_lr"]
    # The steep part of the loss grows by (1 - 2.5) ** 2 a step and is 1.5 ** 2 = 2.25, then 5.06.
    assert found["step"] == 2
    assert found["numbers"]["lr"] < 2 / 10
    assert diagnose(bowl(), "sgd", found["numbers"]["lr"], 0) is None
    known = diagnose(bowl(), "sgd", 0.25, 0, tuned_lr=0.15)
    assert known is not None and known["numbers"]["lr"] == 0.15


@pytest.mark.parametrize("optimizer", ["momentum", "rmsprop", "adam", "nesterov"])
@pytest.mark.parametrize("lr", [30.0, 1e4])
def test_every_classical_rule_is_cured_by_a_lower_lr(optimizer: str, lr: float) -> None:
    """Whatever diverged ends below its start at the lr that is advised."""
    problem = bowl(steps=15)
    found = diagnose(problem, optimizer, lr, 0)
    while found is not None and found["kind"] in LEFT:
        assert found["advice"][0] == "lower_lr" and found["step"] >= 1
        assert found["parameter"] in {"flat", "steep"}
        assert found["numbers"]["lr"] <= 0.1 * lr
        lr = found["numbers"]["lr"]
        found = diagnose(problem, optimizer, lr, 0)
    assert not run(problem, optimizer, lr, 0).diverged


def test_a_spike_asks_for_clipping() -> None:
    """One gradient 10,000 times the usual throws the run away at its step, and clipping cures."""
    problem = bowl(steps=45, spike=1e4, at=40)
    found = diagnose(problem, "momentum", 0.01, 0)
    assert found is not None and found["kind"] in LEFT
    assert found["step"] == 40 and "clip" in found["advice"]
    numbers = found["numbers"]
    assert numbers["grad_norm"] > 100 * numbers["clip_norm"]
    assert diagnose(bowl(steps=45), "momentum", 0.01, 0) is None


def test_early_divergence_asks_for_warm_up() -> None:
    """RMSProp's first step is lr / sqrt(1 - beta2) = 10 lr: early, so warm-up is advised."""
    found = diagnose(bowl(steps=1), "rmsprop", 1.0, 0)
    assert found is not None and found["step"] == 1
    assert found["advice"] == ["lower_lr", "warm_up"]
    assert found["numbers"]["window"] == pytest.approx(100)
    assert found["update_to_weight"] == pytest.approx(10 / 2, rel=1e-3)


def test_a_tiny_second_moment_asks_for_a_larger_eps() -> None:
    """Gradients near eps make full-length steps; a larger eps keeps the run from leaving."""
    tiny = Bowl({"w": 1e-9})
    grown = Problem("tiny", 20, 1, 1, lambda seed: Scaled(tiny), random=False)
    found = diagnose(grown, "adam", 1000.0, 0)
    assert found is not None and "larger_eps" in found["advice"]
    assert found["numbers"]["near_eps"] == 1.0
    assert found["numbers"]["root"] < 10 * found["numbers"]["eps"]
    assert not run(grown, "adam:eps=1e-3", 1000.0, 0).diverged


class Scaled(Bowl):
    """A bowl judged on its own scale, with gradients as tiny as its curvature."""

    def __init__(self, bowl: Bowl) -> None:
        super().__init__(bowl.curvature)

    def evaluate(self, params: Params) -> float:
        """Return the loss as if the curvature were 1."""
        return sum(float(((x - 1) ** 2).sum()) / 2 for x in params.values()) + 1e-3


def test_a_huge_eps_stalls() -> None:
    """With eps far above the gradients nothing moves; a smaller eps cures."""
    found = diagnose(SOFTMAX, "adam:eps=1e6", 0.01, 0)
    assert found is not None and found["kind"] == "stalled"
    assert found["advice"][0] == "smaller_eps"
    assert found["numbers"]["root"] < found["numbers"]["eps"] == 1e6
    assert diagnose(SOFTMAX, "adam", 0.01, 0) is None


def test_a_tiny_lr_stalls() -> None:
    """With an lr far too small the steps go straight and nowhere; the advice is to raise it."""
    found = diagnose(bowl(), "sgd", 1e-7, 0)
    assert found is not None and (found["kind"], found["advice"][0]) == ("stalled", "higher_lr")
    assert found["numbers"]["way"] == pytest.approx(found["numbers"]["reach"], rel=1e-6)
    assert diagnose(bowl(), "sgd", 0.1, 0) is None


def test_no_gradient_stalls() -> None:
    """Where every gradient is 0 the finding is about the gradients, not about lr."""
    flat = Problem("flat", 20, 5, 1, lambda seed: Bowl({"w": 0.0}), random=False)
    found = diagnose(flat, "adam", 0.1, 0)
    assert found is not None and (found["kind"], found["step"]) == ("stalled", 1)
    assert found["advice"] == ["check_gradients"]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
def test_a_healthy_run_has_no_finding(optimizer: str) -> None:
    """A run at the tuned lr is not ill, nor is one that ends within a tenth of it."""
    lr = {"sgd": 1.0, "momentum": 0.3, "rmsprop": 0.01, "adam": 0.03}[optimizer]
    tuned = run(SOFTMAX, optimizer, lr, 4)
    assert diagnose(SOFTMAX, optimizer, lr, 4, tuned, lr) is None
    assert diagnose(SOFTMAX, optimizer, lr, 4) is None


def test_a_slow_run_is_compared_with_the_tuned_one() -> None:
    """A run that ends more than a tenth worse while it still falls is slow, and lr says where to.

    The numbers are both losses; at the tuned lr nothing is left to say.
    """
    tuned = run(SOFTMAX, "sgd", 1.0, 4)
    found = diagnose(SOFTMAX, "sgd", 0.03, 4, tuned, 1.0)
    assert found is not None and found["kind"] in {"slow", "short"}
    assert found["advice"] == ["higher_lr", "more_steps"]
    assert found["numbers"]["tuned_lr"] == 1.0


def test_wandering_above_the_tuned_loss_is_a_stall() -> None:
    """Too large an lr ends on a floor of noise: it no longer falls, and lower is advised."""
    tuned = run(SOFTMAX, "rmsprop", 0.01, 4)
    found = diagnose(SOFTMAX, "rmsprop", 0.3, 4, tuned, 0.01)
    assert found is not None and found["advice"][0] == "lower_lr"
    assert found["kind"] in {"stalled", "slow"} and "more_steps" not in found["advice"]


@pytest.mark.parametrize(("optimizer", "lr"), [("adam", 1.78), ("rmsprop", 0.56), ("sgd", 10.0)])
def test_a_run_that_hovers_left_early(optimizer: str, lr: float) -> None:
    """A net thrown away in its first steps is said to have left then, not at its last hard batch.

    All three lrs are 10 to 100 times the best ones; lower ones, as advised, train.
    """
    found = diagnose(MLP, optimizer, lr, 1)
    assert found is not None and found["kind"] in LEFT
    assert found["step"] < MLP.steps / 4
    assert diagnose(MLP, optimizer, found["numbers"]["lr"] / 10, 1) is None


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
def test_a_tiny_lr_is_never_called_too_large(optimizer: str) -> None:
    """A run that stands still is told to raise lr, however its batches pull to and fro."""
    found = diagnose(SOFTMAX, optimizer, 1e-9, 1)
    assert found is not None and found["kind"] == "stalled"
    assert found["advice"][0] == "higher_lr"


def test_a_rule_without_moments(tmp_path: Path) -> None:
    """A user's own rule without any state is examined as well."""
    file = tmp_path / "mine.py"
    file.write_text(SIGN)
    rule = f"{file}:signed"
    tuned = run(TUTORIAL, rule, 0.01, 0)
    found = diagnose(TUTORIAL, rule, 0.001, 0, tuned, 0.01)
    assert found is not None and found["kind"] == "short"
    assert found["numbers"]["reach"] == pytest.approx(1.0)
    wild = diagnose(bowl(steps=5), rule, 100.0, 0)
    assert wild is not None and wild["kind"] in LEFT and wild["advice"] == ["lower_lr"]
