"""All the numbers of the demo, as one tree of plain Python values that JSON can hold.

The page is rendered from this tree alone, so that no number on it can come from anywhere else.
"""

import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import TypedDict

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adamas.kernel.build import adamas_version
from adamas.lab.constants import DEMO_SEEDS
from adamas.lab.demo.contest import Ranges, contest, declared, ranges
from adamas.lab.demo.race import ENTRANTS, Race, race
from adamas.lab.demo.rare_steps import RareSteps, effective_steps
from adamas.lab.demo.tutorial import Log
from adamas.lab.demo.tutorial_check import Checked, checked
from adamas.lab.problems import Problem
from adamas.lab.protocol.plan import Plan, Size
from adamas.lab.protocol.results import plain
from adamas.lab.protocol.results_types import Results
from adamas.lab.tuning import log_grid
from adamas.lab.zoo.digits import DIGITS, DIGITS_SOFTMAX
from adamas.lab.zoo.rare_words import ENTRY

CONTESTS = {"words": ENTRY, "softmax": DIGITS_SOFTMAX, "mlp": DIGITS}
STAGES = 1 + len(ENTRANTS) + 2 * len(CONTESTS)

# stage(chapter, part) is called when a piece of work begins, an optimizer's or a stage's.
Stage = Callable[[str, str], None]


class DemoResults(TypedDict):
    """Everything that the page shows; contests and their ranges by the names in `CONTESTS`."""

    versions: dict[str, str]
    tutorial: Checked
    race: Race
    contests: dict[str, Results]
    ranges: dict[str, dict[str, Ranges]]
    rare: RareSteps


@dataclass(frozen=True)
class Settings:
    """How much to run.

    `seeds` report seeds (1, 2, 3, ...) and `tuning_seeds` others for the search; `per_decade` grid
    points; `share` shortens every run but the tutorial's, for tests that only need the shape.
    """

    seeds: int = DEMO_SEEDS
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


def collect(settings: Settings, stage: Stage, log: Log) -> DemoResults:
    """Run everything and return the numbers; infinite and missing ones are None."""
    # With two BLAS threads the small matrices of these models took 4 to 11 times as long.
    with threadpool_limits(limits=1):
        found: DemoResults = plain(_collect(settings, stage, log))
    return found


def _collect(settings: Settings, stage: Stage, log: Log) -> DemoResults:
    stage("tutorial", "adam")
    tutorial = checked(log)
    plan = settings.plan(ENTRY)
    grid, horizon = log_grid(-5, 1, settings.per_decade), round(2000 * max(settings.share, 0.5))
    line = race(grid, plan.tuning, plan.report, horizon, partial(stage, "race"))
    short = {name: settings.shorten(problem) for name, problem in CONTESTS.items()}
    contests = {
        name: contest(problem, settings.plan(problem), partial(stage, name))
        for name, problem in short.items()
    }
    rows = contests["words"]["optimizers"]
    lrs = {name: rows[name]["lr"] for name in ("sgd", "adagrad", "adam")}
    return {
        "versions": versions(),
        "tutorial": tutorial,
        "race": line,
        "contests": contests,
        "ranges": {name: ranges(found) for name, found in contests.items()},
        "rare": effective_steps(short["words"], lrs, plan.report[0]),
    }


def versions() -> dict[str, str]:
    """Return the versions that the numbers depend on."""
    found = {"python": platform.python_version(), "adamas": adamas_version()}
    return found | {name: version(name) for name in ("numpy", "numba", "scikit-learn")}
