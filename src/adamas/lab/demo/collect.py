"""All the numbers of the demo, as one tree of plain Python values that JSON can hold.

The page is rendered from this tree alone, so that no number on it can come from anywhere else.
"""

import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adamas.lab.demo import tutorial, tutorial_numpy
from adamas.lab.demo.contest import contest, declared
from adamas.lab.demo.race import CLOSE, ENTRANTS, arrival, race, thin
from adamas.lab.demo.rare import effective_steps
from adamas.lab.problems import Problem
from adamas.lab.protocol.plan import Plan, Size
from adamas.lab.protocol.results import plain
from adamas.lab.tuning import log_grid
from adamas.lab.zoo.digits import MLP, SOFTMAX
from adamas.lab.zoo.line import data, least_squares, loss_at
from adamas.lab.zoo.rare_words import WORD_PROBLEM

CONTESTS = (WORD_PROBLEM, SOFTMAX, MLP)
STAGES = 1 + len(ENTRANTS) + 2 * len(CONTESTS)

# stage(chapter, part) is called when a piece of work begins, an optimizer's or a stage's; log(line)
# prints a line.
Stage = Callable[[str, str], None]
Log = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """How much to run.

    `seeds` report seeds (1, 2, 3, ...) and `tuning_seeds` others for the search; `per_decade` grid
    points; `share` shortens every run but the tutorial's, for tests that only need the shape.
    """

    seeds: int = 10
    tuning_seeds: int = 3
    per_decade: int = 2
    share: float = 1.0

    @property
    def grid(self) -> tuple[float, ...]:
        """Return the learning rates 1e-4 to 10."""
        return log_grid(-4, 1, self.per_decade)

    def plan(self, problem: Problem) -> Plan:
        """Return what is declared before the runs of one problem."""
        size = Size(self.tuning_seeds, self.tuning_seeds, self.seeds)
        return declared(problem, size, self.grid)

    def shorten(self, problem: Problem) -> Problem:
        """Return the problem with its number of updates multiplied by `share`."""
        return replace(problem, steps=max(problem.every, round(problem.steps * self.share)))


QUICK = Settings(seeds=3, tuning_seeds=1, per_decade=1, share=0.1)


def collect(settings: Settings, stage: Stage, log: Log) -> dict[str, Any]:
    """Run everything and return the numbers; infinite and missing ones are None."""
    # With two BLAS threads the small matrices of these models took 4 to 11 times as long.
    with threadpool_limits(limits=1):
        results = _collect(settings, stage, log)
    return {key: plain(value) for key, value in results.items()}


def _collect(settings: Settings, stage: Stage, log: Log) -> dict[str, Any]:
    results: dict[str, Any] = {"versions": versions()}
    stage("tutorial", "adam")
    results["tutorial"] = tutorial_numbers(log)
    horizon = round(2000 * max(settings.share, 0.5))
    plan = settings.plan(CONTESTS[0])
    line_grid = log_grid(-5, 1, settings.per_decade)
    results["race"] = race(line_grid, plan.tuning, plan.report, horizon, partial(stage, "race"))
    for problem in CONTESTS:
        short = settings.shorten(problem)
        told = partial(stage, problem.name)
        results[problem.name] = contest(short, settings.plan(short), told)
    rows = results["words"]["optimizers"]
    lrs = {name: rows[name]["lr"] for name in ("sgd", "adagrad", "adam")}
    short = settings.shorten(WORD_PROBLEM)
    results["rare"] = effective_steps(short, lrs, plan.report[0])
    return results


def versions() -> dict[str, str]:
    """Return the versions that the numbers depend on."""
    names = ("adamas", "numpy", "numba", "scikit-learn")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "source tree"
    return found


def tutorial_numbers(log: Log) -> dict[str, Any]:
    """Run the tutorial, its NumPy program and the converging learning rate; compare all three."""
    ours = tutorial.train(log=log)
    losses, weight = tutorial_numpy.train(tutorial.EPOCHS, tutorial.LR)
    converging = tutorial.train(tutorial.CONVERGING_LR)
    best_weight, best_loss = least_squares()
    epochs = range(tutorial.LOG_EVERY, tutorial.EPOCHS + 1, tutorial.LOG_EVERY)
    x, y = data()
    return {
        "lr": ours.lr,
        "epochs": tutorial.EPOCHS,
        "table": [
            {"epoch": e, "adamas": float(ours.losses[e - 1]), "numpy": losses[e - 1]}
            for e in epochs
        ],
        "largest_difference": float(np.abs(ours.losses - losses).max()),
        "w": float(ours.weights[-1]),
        "w_numpy": weight,
        "best": {"w": best_weight, "loss": best_loss},
        "reach": ours.lr * tutorial.EPOCHS,
        "converging": {
            "lr": converging.lr,
            "w": float(converging.weights[-1]),
            "loss": loss_at(float(converging.weights[-1])),
            "arrival": arrival(converging.losses.tolist(), CLOSE * best_loss),
        },
        "largest_uncorrected": float(ours.uncorrected_in_lr.max()),
        "first_step_uncorrected": float(ours.uncorrected_in_lr[0]),
        "largest_update": max(float(t.update_in_lr.max()) for t in (ours, converging)),
        "points": {"x": x.ravel().tolist(), "y": y.ravel().tolist()},
        "traces": {"tutorial": trace(ours), "converging": trace(converging)},
    }


def trace(run: tutorial.Trace) -> dict[str, Any]:
    """Return a run's curves on about 120 epochs, evenly spread on a log axis."""
    shown = thin(len(run.epochs))
    return {
        "epochs": run.epochs[shown].tolist(),
        "loss": run.losses[shown].tolist(),
        "update": run.update_in_lr[shown].tolist(),
        "uncorrected": run.uncorrected_in_lr[shown].tolist(),
        "effective": run.effective_step[shown].tolist(),
        "m_correction": tutorial.correction(tutorial.BETA1, run.epochs[shown]).tolist(),
        "v_correction": tutorial.correction(tutorial.BETA2, run.epochs[shown]).tolist(),
    }
