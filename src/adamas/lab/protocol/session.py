"""The job behind `adamas compare`: declare, run or go on, write everything or keep what is done."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from adamas.lab.entrants import CLASSICAL, entrant
from adamas.lab.meter import Meter, clock
from adamas.lab.output import output_directory, write_all
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.progress import Progress
from adamas.lab.protocol.after import afterwards
from adamas.lab.protocol.budget import Fitted, fit
from adamas.lab.protocol.measure import machine, seconds_per_run, timing
from adamas.lab.protocol.plan import REFERENCES, SIZES, SMALLER, Mode, Plan, Size, declare, digest
from adamas.lab.protocol.results import Tree, tree_of
from adamas.lab.protocol.runner import Runner, Trial, cluster
from adamas.lab.protocol.store import Store
from adamas.lab.protocol.study import Study, study
from adamas.lab.text import Say

RESULTS, PLAN, TIMING, PAGE = "results.json", "plan.json", "timing.json", "report.html"


@dataclass(frozen=True)
class Request:
    """What the user asked for; the defaults are those of the command line.

    `budget` is in seconds. `workers` None means one for each core. `dask` is the address of a
    scheduler.
    """

    spec: Spec
    out: Path
    optimizers: Sequence[str] = CLASSICAL
    references: Sequence[str] = REFERENCES
    mode: Mode = "default"
    seeds: int | None = None
    budget: float | None = None
    goal: float | None = None
    margin: float = 0.02
    hypothesis: str | None = None
    workers: int | None = None
    dask: str | None = None


def compare(request: Request, progress: Progress, say: Say) -> Tree:
    """Carry out a comparison and return its results, which are then in `request.out` too.

    Runs that are in the directory already are not made again. Raises `LabError` for what cannot be
    done, before anything is run where possible.
    """
    begun = progress.seconds
    identity = request.spec.identity()
    entrants = [entrant(name) for name in request.optimizers]
    problem = resolve(request.spec)
    workers = request.workers or os.cpu_count() or 1
    with output_directory(request.out):
        make = partial(
            declare,
            problem,
            identity,
            entrants,
            references=tuple(request.references),
            goal=request.goal,
            margin=request.margin,
            hypothesis=request.hypothesis,
            mode=request.mode,
        )
        progress.status(say("compare_measuring"))
        each = seconds_per_run(problem, entrants[0].text)
        fitted = earlier(request, make) or fit(
            make, size_of(request), each, workers, request.budget
        )
        plan = fitted.plan
        announce(fitted, progress, say)
        declared = {"hash": plan.hash, "budget": request.budget, "expected": fitted.seconds}
        write_all(request.out, {PLAN: pretty({**declared, "plan": plan.as_json()})})
        with cluster(request.dask):
            found = carry_out(plan, request, workers, progress, say)
            load = partial(resolve, request.spec)
            progress.status(say("compare_looking"))
            results = {**tree_of(found, problem), **afterwards(found, load, workers)}
        results["machine"] = machine()
        write_all(request.out, {RESULTS: pretty(results)})
        times = timing(problem, plan.optimizers)
        times |= {"seconds": progress.seconds - begun, "workers": workers}
        write_all(request.out, {TIMING: pretty(times)})
    progress.finish()
    return {"results": results, "timing": times}


def size_of(request: Request) -> Size:
    """Return the seeds of the mode, with the user's number of report seeds where given."""
    size = SIZES[request.mode]
    if request.seeds is None:
        return size
    return Size(size.tuning, size.refine, request.seeds, size.reach)


def earlier(request: Request, make: Callable[[Size], Plan]) -> Fitted | None:
    """Return the plan that this request had before in the same directory, if it was cut to a time.

    Because another measurement of the time could choose another plan, and then going on after an
    interruption would begin anew.
    """
    path = request.out / PLAN
    if request.budget is None or not path.exists():
        return None
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        declared = kept["plan"]
        tuning, refine, report = (len(declared[kind]) for kind in ("tuning", "refine", "report"))
        for reach in sorted({size.reach for size in SMALLER}):
            plan = make(Size(tuning, refine, report, reach))
            if (plan.hash, request.budget) == (kept["hash"], kept["budget"]):
                return Fitted(plan, kept["expected"])
    except (ValueError, KeyError, TypeError):
        return None
    return None


def announce(fitted: Fitted, progress: Progress, say: Say) -> None:
    """Say what will be run before it is."""
    plan = fitted.plan
    progress.say(
        say(
            "compare_plan",
            optimizers=say.names(list(plan.optimizers)),
            problem=plan.problem,
            rates=len(next(iter(plan.grids.values()))),
            tuning=len(plan.tuning),
            refine=len(plan.refine),
            report=len(plan.report),
            runs=plan.costs()[0],
            time=clock(fitted.seconds),
            hash=plan.hash,
        )
    )


def carry_out(plan: Plan, request: Request, workers: int, progress: Progress, say: Say) -> Study:
    """Run the plan with the store of the output directory, and settle the store."""
    runs, weight = plan.costs()
    meter = Meter(progress, say, runs, weight)
    identity = digest([plan.identity, plan.steps, plan.every, plan.version])
    with Store(request.out) as store:
        earlier = set(store.known)

        def seen(trial: Trial, key: str) -> None:
            meter.done(trial.steps / plan.steps, key not in earlier)

        runner = Runner(partial(resolve, request.spec), identity, store, workers, seen)
        found = study(plan, runner, meter.stage)
        store.settle(list(runner.asked))
    return found


def pretty(tree: Any) -> str:
    """Return a tree as JSON that a person can read; the same tree is the same text."""
    return json.dumps(tree, allow_nan=False, ensure_ascii=False, indent=1) + "\n"
