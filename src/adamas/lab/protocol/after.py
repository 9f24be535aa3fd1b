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
    # The rates that were searched say nothing of a run with other hyper-parameters.
    chosen = [(name, answer if "settings" in answer else agreeing(answer, study.tuned[name]))
              for name, answer in findings]  # fmt: skip
    return {
        "inside": {name: plain(answer) for kind, name, answer in found if kind == "inside"},
        "doctor": [plain(answer) for _, answer in chosen],
    }


def looks(study: Study, load: Load) -> Iterator[Job]:
    """Yield a job for the inside of every optimizer, and for every kind of run that failed."""
    plan = study.plan
    # An untuned run differs from these in the rate alone.
    alone = study.worth.alone if study.worth else study.report
    for name in plan.optimizers:
        # What is looked at goes by updates, and a run of theirs by gradients.
        if entrant(name).asks:
            continue
        tuned, untuned = alone[name][0], study.default[name][0]
        yield partial(look_inside, load, study.report[name][0])
        if not trained(study, name):
            better = [other for other in plan.optimizers if trained(study, other)]
            yield partial(look_for_help, load, untuned, points_of(study, name), better)
            continue
        if bad(untuned, tuned):
            yield partial(look_after, load, untuned, tuned)
        failed = next((record for record in study.report[name] if record.diverged), None)
        if failed is not None:
            yield partial(look_after, load, failed, None)


def trained(study: Study, name: str) -> bool:
    """Return whether anything that was tried took an optimizer clearly below where it began."""
    start = average(record.losses[0] for record in study.report[name])
    return helped(points_of(study, name), start)


def points_of(study: Study, name: str) -> list[Point]:
    """Return every point of an optimizer's searches."""
    more = study.worth.found[name].candidates if study.worth else ()
    return [*study.tuned[name].points, *(one.point for one in more)]


def bad(record: Record, tuned: Record) -> bool:
    """Return whether an untuned run ended far from the tuned one."""
    return record.diverged or record.final > WORSE * tuned.final


def look_inside(load: Load, seen: Record) -> tuple[str, str, Any]:
    """Run once more and watch the steps."""
    problem, name = load(), seen.optimizer
    single_thread()
    found = seen_inside(problem, name, seen.lr, seen.seed, further=seen.further)
    return "inside", name, found


def look_for_help(
    load: Load, untuned: Record, tried: Sequence[Point], better: list[str]
) -> tuple[str, str, Any]:
    """Run once more and say what may help where nothing that was tried did."""
    problem, name = load(), untuned.optimizer
    single_thread()
    return "doctor", name, hopeless(problem, name, untuned.lr, untuned.seed, tried, better)


def look_after(load: Load, seen: Record, tuned: Record | None) -> tuple[str, str, Any]:
    """Run once more and find out what went wrong, beside the tuned run on the same seed."""
    problem, name = load(), seen.optimizer
    single_thread()
    lr = tuned.lr if tuned else None
    return "doctor", name, diagnose(problem, name, seen.lr, seen.seed, tuned, lr, seen.further)
