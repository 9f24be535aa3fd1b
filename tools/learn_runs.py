"""Runs of the lab for the guide: contests, batch sizes, schedules, rates (see `learn.measured`)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from math import log10
from statistics import fmean
from typing import Any

import adamas.lab
from adamas import Optimizer
from adamas.lab.constants import CLASSICAL
from adamas.lab.data.uci_digits import data
from adamas.lab.problems import Params, Problem
from adamas.lab.protocol.results_types import Results
from adamas.lab.protocol.search import tune
from adamas.lab.statistics import paired
from adamas.lab.statistics.intervals import t_interval
from adamas.lab.trial import Record, Watch, run
from adamas.lab.tuning import Point, chosen, gained, log_grid
from adamas.lab.zoo import built_in
from adamas.lab.zoo.dense import CLASSES, DenseTask, split
from adamas.lab.zoo.digits import DIGITS, HIDDEN, VALIDATION
from adamas.lab.zoo.line import SINGLE, least_squares
from adamas.learn.measured import (
    AdamRate,
    BatchRate,
    BatchStudy,
    Contest,
    Contestant,
    Factor,
    ScheduleStudy,
)
from adamas.schedule import cosine

CONTESTS = ("digits", "mnist5k", "sentiment")
RATES = (
    "line", "words", "digits-softmax", "digits", "mnist5k", "diabetes", "diamonds", "breast-cancer",
    "noisy-quadratic", "ratings", "sentiment",
)  # fmt: skip
SEEDS = tuple(range(1, 11))
BATCHES = (8, 64, 512)
SEEN = 20 * 1408  # samples: 20 passes over what batches of 64 take of the 1,437
BATCH_GRIDS = {"sgd": log_grid(-2, 1, 4), "adam": log_grid(-3.5, -0.25, 4)}
# name -> problem, rates, and the least loss that there can be.
SCHEDULES = {
    "line": (SINGLE, log_grid(-3, 0, 4), least_squares()[1]),
    "digits": (DIGITS, log_grid(-3, -1, 4), 0.0),
}
MANY_SEEDS = tuple(range(1, 21))
TUNING = tuple(range(1001, 1006))


def compared(problem: str, optimizers: Sequence[str] = CLASSICAL) -> Results:
    """Return what `adamas compare` finds in its default protocol."""
    found: Any = adamas.lab.compare(problem, optimizers, workers=1, progress=False).to_dict()
    return found  # type: ignore[no-any-return]


def contest(found: Results) -> Contest:
    """Return the figures of one comparison."""
    beside = {one["optimizer"]: one for one in found["comparisons"] if one["reference"] == "adam"}
    same = {"word": "reference", "p_holm": 1.0, "percent": {"mean": 0.0, "low": 0.0, "high": 0.0}}
    rows: dict[str, Any] = {}
    for name, row in found["optimizers"].items():
        one: Any = beside.get(name, same)
        rows[name] = Contestant(
            lr=row["lr"],
            lrs=row["lrs"],
            finals=[float(final or "nan") for final in row["finals"]],
            loss=number(row["interval"]["mean"]),
            low=number(row["interval"]["low"]),
            high=number(row["interval"]["high"]),
            accuracy=number(row["extras"]["accuracy"]["mean"]),
            steps=row["target"]["median"],
            word=one["word"],
            percent=one["percent"]["mean"],
            percent_low=one["percent"]["low"],
            percent_high=one["percent"]["high"],
            p_holm=one["p_holm"],
        )
    seeds = len(found["plan"]["report"])
    return {"seeds": seeds, "target": number(found["target"]["value"]), "optimizers": rows}


def number(value: float | None) -> float:
    """Return a figure that must be there."""
    assert value is not None
    return value


def digits_in(batch: int) -> Problem:
    """Return the lab's digits and network with another batch size, the same samples seen."""

    def task(seed: int) -> DenseTask:
        return DenseTask(seed, split(*data(), VALIDATION, seed), (64, HIDDEN, 10), batch, CLASSES)

    steps = SEEN // batch
    return Problem(f"digits in {batch}", steps, steps, batch, task)


def best_rate(rule: str, batch: int, seed: int) -> tuple[float, float]:
    """Return the rate that the lab would choose on one seed, and the lowest loss of that seed."""
    problem = digits_in(batch)
    records = [run(problem, rule, lr, seed) for lr in BATCH_GRIDS[rule]]
    points = [Point(one.lr, one.final, 1, int(one.diverged)) for one in records]
    return chosen(points, gained(points)), min(point.score for point in points)


def batch_study(rule: str, seeds: Sequence[int] = SEEDS) -> BatchStudy:
    """Return the best rates of one optimizer at each batch size."""
    rows: dict[str, BatchRate] = {}
    for batch in BATCHES:
        rates, losses = zip(*(best_rate(rule, batch, seed) for seed in seeds), strict=True)
        middle = interval_of_logs(rates)
        rows[str(batch)] = {
            "lr": middle[0], "low": middle[1], "high": middle[2], "chosen": list(rates),
            "loss": fmean(losses), "steps": digits_in(batch).steps,
        }  # fmt: skip
    return {"batches": rows, "factors": factors(rows)}


def factors(rows: dict[str, BatchRate]) -> dict[str, Factor]:
    """Return by how much the best rate grows, seed by seed, from one batch size to the next."""
    found: dict[str, Factor] = {}
    for small, large in pairwise(BATCHES):
        pair = rows[str(small)]["chosen"], rows[str(large)]["chosen"]
        grown = interval_of_logs([b / a for a, b in zip(*pair, strict=True)])
        found[f"{small}-{large}"] = {"factor": grown[0], "low": grown[1], "high": grown[2]}
    return found


def interval_of_logs(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the geometric mean and its 95 % interval."""
    found = t_interval([log10(value) for value in values])
    return 10**found.mean, 10**found.low, 10**found.high


class Cosine(Watch):
    """Lets the learning rate fall to 0 along half a cosine over the run."""

    def __init__(self, lr: float, steps: int) -> None:
        self.rate = cosine(lr, steps=steps)

    def begin(self, params: Params, opt: Optimizer | None) -> None:
        """Set it, before the first step."""
        assert opt is not None
        opt.param_groups[0]["lr"] = self.rate


def constant_run(problem: Problem, lr: float, seed: int) -> Record:
    """Train with Adam at one rate."""
    return run(problem, "adam", lr, seed)


def cosine_run(problem: Problem, lr: float, seed: int) -> Record:
    """Train with Adam and the cosine."""
    return run(problem, "adam", lr, seed, Cosine(lr, problem.steps))


WAYS = {"constant": constant_run, "cosine": cosine_run}


def schedule_study(name: str) -> ScheduleStudy:
    """Return the loss with a constant rate beside that with a cosine, on one problem."""
    problem, grid, floor = SCHEDULES[name]
    problem = replace(problem, every=problem.steps)
    lrs, finals = {}, {}
    for key, way in WAYS.items():
        lrs[key] = tune(partial(way, problem), grid, TUNING).lr
        finals[key] = [way(problem, lrs[key], seed).final - floor for seed in MANY_SEEDS]
    return judged(lrs, finals, floor)


def judged(lrs: dict[str, float], finals: dict[str, list[float]], floor: float) -> ScheduleStudy:
    """Return the figures of a study from its runs."""
    found = paired.compare(finals, ["constant"])[0]
    return {
        "constant_lr": lrs["constant"],
        "cosine_lr": lrs["cosine"],
        "constant": fmean(finals["constant"]),
        "cosine": fmean(finals["cosine"]),
        "constant_finals": finals["constant"],
        "cosine_finals": finals["cosine"],
        "floor": floor,
        "percent": found.percent.mean,
        "percent_low": found.percent.low,
        "percent_high": found.percent.high,
        "word": found.word,
    }


def rate(problem: str, found: Results) -> AdamRate:
    """Return Adam's best rate of a comparison, and the losses at smaller ones on its seeds."""
    row, plan = found["optimizers"]["adam"], found["plan"]
    assert row["default"]["lr"] == 1e-3

    def at(lr: float) -> float:
        return fmean(run(built_in(problem), "adam", lr, seed).final for seed in plan["report"])

    return {
        "lr": row["lr"],
        "loss": number(row["interval"]["mean"]),
        "loss_3": number(row["default"]["interval"]["mean"]),
        "loss_4": at(1e-4),
        "loss_5": at(1e-5),
        "steps": plan["steps"],
        "seeds": len(plan["report"]),
    }
