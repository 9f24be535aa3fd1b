"""What is looked at once everybody is judged: the inside of the steps, and what went wrong.

These are runs that were made before, made once more with somebody looking on.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from joblib import Parallel, delayed

from adamas.lab.doctor import agreeing, diagnose, helped, hopeless
from adamas.lab.doctor.findings import WORSE
from adamas.lab.doctor.inside import seen_inside
from adamas.lab.entrants import entrant
from adamas.lab.own.loop import Loop
from adamas.lab.protocol.results import plain
from adamas.lab.protocol.results_types import Looked
from adamas.lab.protocol.runner import Load, single_thread
from adamas.lab.protocol.study import Study
from adamas.lab.statistics.moments import average
from adamas.lab.trial import Record
from adamas.lab.tuning import Point

Job = Callable[[], tuple[str, str, Any]]


def afterwards(study: Study, load: Load, workers: int) -> Looked:
    """Return `inside` and `doctor` of the results."""
    # Nobody can look on at a user's own loop.
    jobs = [] if isinstance(load(), Loop) else list(looks(study, load))
    found = Parallel(workers)(delayed(one)() for one in jobs)
    findings = [(name, answer) for kind, name, answer in found if kind == "doctor" and answer]
    chosen = [(name, agreeing(answer, study.tuned[name])) for name, answer in findings]
    return {
        "inside": {name: plain(answer) for kind, name, answer in found if kind == "inside"},
        "doctor": [plain(answer) for _, answer in chosen],
    }


def looks(study: Study, load: Load) -> Iterator[Job]:
    """Yield a job for the inside of every optimizer, and for every kind of run that failed."""
    plan = study.plan
    seed = plan.report[0]
    for name in plan.optimizers:
        if entrant(
            name
        ).asks:  # what is looked at goes by updates, and a run of theirs by gradients
            continue
        tuned = study.report[name][0]
        lr = tuned.lr
        yield partial(look_inside, load, name, lr, seed)
        if not trained(study, name):
            better = [other for other in plan.optimizers if trained(study, other)]
            points = study.tuned[name].points
            yield partial(look_for_help, load, name, plan.defaults[name], seed, points, better)
            continue
        if bad(study.default[name][0], tuned):
            yield partial(look_after, load, name, plan.defaults[name], seed, tuned, lr)
        failed = next((record for record in study.report[name] if record.diverged), None)
        if failed is not None:
            yield partial(look_after, load, name, failed.lr, failed.seed, None, None)


def trained(study: Study, name: str) -> bool:
    """Return whether any learning rate took an optimizer clearly below where it began."""
    start = average(record.losses[0] for record in study.report[name])
    return helped(study.tuned[name].points, start)


def bad(record: Record, tuned: Record) -> bool:
    """Return whether an untuned run ended far from the tuned one."""
    return record.diverged or record.final > WORSE * tuned.final


def look_inside(load: Load, name: str, lr: float, seed: int) -> tuple[str, str, Any]:
    """Run once more and watch the steps."""
    problem = load()
    single_thread()
    return "inside", name, seen_inside(problem, name, lr, seed)


def look_for_help(
    load: Load, name: str, lr: float, seed: int, tried: Sequence[Point], better: list[str]
) -> tuple[str, str, Any]:
    """Run once more and say what may help where no learning rate did."""
    problem = load()
    single_thread()
    return "doctor", name, hopeless(problem, name, lr, seed, tried, better)


def look_after(
    load: Load, name: str, lr: float, seed: int, tuned: Record | None, tuned_lr: float | None
) -> tuple[str, str, Any]:
    """Run once more and find out what went wrong."""
    problem = load()
    single_thread()
    return "doctor", name, diagnose(problem, name, lr, seed, tuned, tuned_lr)
