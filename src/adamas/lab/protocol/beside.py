"""The baselines of a problem on the seeds that judge, and how each optimizer stands to them.

They are computed anew at the end of every comparison, also of one that goes on, and are no runs of
its store: a fit is bounded in time, and depends on the release of scikit-learn as well.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adamas.lab.problems import Problem
from adamas.lab.protocol.results import plain
from adamas.lab.protocol.results_types import BaselineTree
from adamas.lab.protocol.runner import Load
from adamas.lab.protocol.study import Study
from adamas.lab.statistics.ranges import loss_interval, metric_interval
from adamas.lab.statistics.repeated import compare_at

BASELINE = "\0baseline"  # no optimizer has this name


def beside(study: Study, problem: Problem, load: Load, workers: int) -> dict[str, BaselineTree]:
    """Return the baselines by name; nothing for a problem that has none."""
    if problem.baselines is None:
        return {}
    seeds = [record.seed for record in next(iter(study.report.values()))]
    found = Parallel(workers)(delayed(partial(fitted, load, seed))() for seed in seeds)
    each = {name: [one[name] for one in found] for name in found[0]}
    return {name: tree(study, rows) for name, rows in each.items()}


def fitted(load: Load, seed: int) -> dict[str, dict[str, float]]:
    """Fit the baselines of one seed, on one thread."""
    import sklearn.ensemble  # noqa: F401  # a limit holds only for libraries that are loaded

    problem = load()
    with threadpool_limits(limits=1):
        return problem.baselines(seed) if problem.baselines else {}


def tree(study: Study, rows: Sequence[dict[str, float]]) -> BaselineTree:
    """Return the losses and measures of one baseline, and each optimizer's word beside it."""
    finals = [one["loss"] for one in rows]
    losses = {name: [record.final for record in study.report[name]] for name in study.report}
    compared = compare_at({**losses, BASELINE: finals}, [BASELINE], study.spent, study.plan.margin)
    found: BaselineTree = plain({
        "finals": finals,
        "interval": asdict(loss_interval(finals)),
        "extras": {key: asdict(metric_interval(key, [one[key] for one in rows]))
                   for key in rows[0] if key != "loss"},
        "words": {one.optimizer: one.word for one in compared},
    })  # fmt: skip
    return found
