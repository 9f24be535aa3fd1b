"""A fair comparison on one problem: tune everyone alike, then judge on seeds nobody has seen.

The thin seed of the lab's protocol: constant learning rate, a fixed number of updates, paired
seeds, the difference to Adam with its interval, corrected for the number of comparisons.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import mean
from typing import Any

import numpy as np

from adamas.lab.paired import Comparison, compare
from adamas.lab.problems import Problem
from adamas.lab.protocol.search import tune
from adamas.lab.statistics import interval
from adamas.lab.trial import RULES, Record, run
from adamas.lab.tuning import Tuned, Width, width

REFERENCE = "adam"
NEAR = 1.1


@dataclass(frozen=True)
class Plan:
    """What is decided before the first run: the learning rates and the two disjoint sets of seeds.

    Raises `ValueError` when a report seed was also used for tuning.
    """

    grid: tuple[float, ...]
    tuning: tuple[int, ...]
    report: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse a plan that would judge an optimizer on the seeds it was tuned on."""
        shared = sorted(set(self.tuning) & set(self.report))
        if shared:
            raise ValueError(f"seeds {shared} would both tune and judge; use disjoint seeds")


def contest(problem: Problem, plan: Plan, stage: Callable[[str], None]) -> dict[str, Any]:
    """Tune and judge every optimizer; `stage(name)` is called before each is tuned."""
    tuned: dict[str, Tuned] = {}
    for name in RULES:
        stage(name)
        tuned[name] = tune(partial(run, problem, name), plan.grid, plan.tuning)
    records: dict[str, list[Record]] = {name: [] for name in RULES}
    # Seed by seed, so that a problem that is costly to draw is drawn once for all optimizers.
    for seed in plan.report:
        for name in RULES:
            records[name].append(run(problem, name, tuned[name].lr, seed))
    finals = {name: [record.final for record in records[name]] for name in RULES}
    comparisons = {found.optimizer: found for found in compare(finals, [REFERENCE])}
    bar = NEAR * max(tuned[name].best for name in RULES)
    return {
        "problem": problem.name,
        "steps": problem.steps,
        "batch": problem.batch,
        "plan": asdict(plan),
        "bar": bar,
        "optimizers": {
            name: row(tuned[name], records[name], comparisons.get(name), bar) for name in RULES
        },
    }


def row(
    tuned: Tuned, records: Sequence[Record], verdict: Comparison | None, bar: float
) -> dict[str, Any]:
    """Return one optimizer's numbers: search, widths, final losses, interval, verdict, mean curve.

    `verdict` is the comparison with the reference, None for the reference itself. `bar` is
    the loss that all optimizers are held to in the second of the two widths.
    """
    finals = [record.final for record in records]
    return {
        "lr": tuned.lr,
        "at_edge": tuned.at_edge,
        "points": [asdict(point) for point in tuned.points],
        "width_own": described(width(tuned.points, NEAR * tuned.best)),
        "width_bar": described(width(tuned.points, bar)),
        "finals": finals,
        "diverged": sum(record.diverged for record in records),
        "interval": asdict(interval(finals)),
        "verdict": asdict(verdict) if verdict else None,
        "extras": {key: mean(r.extras[key] for r in records) for key in records[0].extras},
        "curve": mean_curve(records),
    }


def described(found: Width) -> dict[str, Any]:
    """Return a width with its number of decades."""
    return asdict(found) | {"decades": found.decades}


def mean_curve(records: Sequence[Record]) -> dict[str, Any]:
    """Return the mean loss at each evaluation that every run reached."""
    length = min(len(record.steps) for record in records)
    losses = np.array([record.losses[:length] for record in records])
    return {"steps": list(records[0].steps[:length]), "loss": losses.mean(axis=0).tolist()}
