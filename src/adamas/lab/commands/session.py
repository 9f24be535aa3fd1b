"""One comparison: declare, run or go on, write everything or keep what is done."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from adamas.lab.commands.meter import Meter, duration
from adamas.lab.commands.progress import Progress
from adamas.lab.constants import CLASSICAL, MARGIN, REFERENCES
from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from adamas.lab.own.sharing import shared
from adamas.lab.own.spec import Entered
from adamas.lab.own.telling import listening
from adamas.lab.page.given_names import check_names
from adamas.lab.protocol.after import afterwards
from adamas.lab.protocol.beside import beside
from adamas.lab.protocol.budget import Fitted, fit, seconds_in
from adamas.lab.protocol.first_step import try_out
from adamas.lab.protocol.measure import machine, seconds_apart, seconds_per_run, timing
from adamas.lab.protocol.output import output_directory, write_all
from adamas.lab.protocol.plan import (
    SIZES,
    SMALLER,
    SMALLER_WITH_LOOKS,
    Mode,
    Plan,
    Size,
    declare,
    digest,
    growing,
)
from adamas.lab.protocol.promise import PLAN, RESULTS, any_run, declared, differences, keep, tried
from adamas.lab.protocol.results import Tree, tree_of
from adamas.lab.protocol.results_types import Results, Timing
from adamas.lab.protocol.runner import Load, Runner, Trial, cluster
from adamas.lab.protocol.sequential import in_looks
from adamas.lab.protocol.space import RATE, Asked
from adamas.lab.protocol.store import NAME, Store
from adamas.lab.protocol.study import Look, Study
from adamas.lab.report import column_chapter
from adamas.lab.report.twins import twin_name
from adamas.lab.text import LANGUAGES, Say

TIMING, PAGE = "timing.json", "report.html"
FILES = (PLAN, NAME, RESULTS, TIMING, PAGE, *(twin_name(PAGE, code) for code in LANGUAGES))


@dataclass(frozen=True)
class Request:
    """What the user asked for; the defaults are those of the command line.

    `references` None are Adam and Momentum, where they take part. `budget` is a text such as `5m`,
    or seconds. `search` is what is searched besides the learning rate, by name, with a range or
    None for the usual one. `until_decided` looks at the results at growing numbers of seeds, of
    which `seeds` is the last, and ends at the first look at which all is decided. `workers` None
    means one for each core, of the cluster if `dask` is the address of a scheduler. `names` are
    what people are told that optimizers are called; they change no number, and are no part of the
    plan. Raises
    `LabError` for what contradicts itself.
    """

    spec: Entered
    out: Path
    optimizers: Sequence[str] = CLASSICAL
    references: Sequence[str] | None = None
    mode: Mode = "default"
    seeds: int | None = None
    budget: str | float | None = None
    until_decided: bool = False
    goal: float | None = None
    margin: float = MARGIN
    hypothesis: str | None = None
    search: Asked | None = None
    workers: int | None = None
    dask: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        check_names(self.optimizers, self.names)
        references = self.references or ()
        unknown = [name for name in references if name not in self.optimizers]
        if unknown:
            who = unknown[0]
            raise LabError("error.not_part", who=who)
        if len(set(references)) < len(references):
            raise LabError("error.reference_twice", names=", ".join(references))
        if self.budget is not None and self.seeds is not None:
            raise LabError("error.budget_or_seeds", budget=self.budget, seeds=self.seeds)
        if isinstance(self.budget, str):
            seconds_in(self.budget)
        if self.until_decided and self.search:
            raise LabError("error.search_looks")
        first = SIZES[self.mode].report
        if self.until_decided and self.seeds is not None and self.seeds <= first:
            raise LabError("error.one_look", seeds=self.seeds, first=first)

    @property
    def seconds(self) -> float | None:
        """Return the budget in seconds."""
        return seconds_in(self.budget) if isinstance(self.budget, str) else self.budget


class Outcome(NamedTuple):
    """What `results.json` and `timing.json` hold."""

    results: Results
    timing: Timing


def perform(request: Request, progress: Progress, say: Say) -> Outcome:
    """Carry out a comparison and return its results, which are then in `request.out` too.

    Runs that are in the directory already are not made again. Raises `LabError` for what cannot be
    done, before anything is run where possible: when another process works in the directory, or a
    plan is declared there that is not this one.
    """
    begun = progress.seconds
    identity = request.spec.identity()
    entrants = [entrant(name) for name in request.optimizers]
    with listening(lambda key, **numbers: progress.status(say(key, **numbers))):
        problem = request.spec.problem()
    loading = progress.seconds - begun
    make = partial(
        declare,
        problem,
        identity,
        entrants,
        references=tuple(request.references or REFERENCES),
        goal=request.goal,
        margin=request.margin,
        hypothesis=request.hypothesis,
        mode=request.mode,
        searched=request.search,
    )
    try_out(problem, entrants)
    for line in column_chapter.lines(problem.about, say):
        progress.say(line)
    make(wanted(request)[0])  # what cannot be declared is refused before there is a directory
    with (
        cluster(request.dask) as everybody,
        output_directory(request.out),
        Store(request.out) as store,
        shared(problem, request.spec, request.out) as load,
    ):
        workers = request.workers or everybody
        fitted = promised(request, make)
        if fitted is None:
            progress.status(say("compare_measuring"))
            each = seconds_per_run(problem, entrants)
            apart = seconds_apart(problem, loading)
            fitted = fit(make, wanted(request), each, workers, request.seconds, apart)
            kept = {"hash": fitted.plan.hash, "budget": request.seconds,
                    "expected": fitted.seconds, "after": fitted.after}  # fmt: skip
            write_all(request.out, {PLAN: pretty({**kept, "plan": fitted.plan.as_json()})})
        plan = fitted.plan
        announce(fitted, request, progress, say)
        if store.damaged:
            numbers = {"count": len(store.damaged), "line": store.damaged[0]}
            progress.say(say("compare_damaged", path=store.path, **numbers))
        with tried(request.out, lambda: bool(store.known)):
            found = carry_out(fitted, request, load, store, workers, progress, say)
        progress.status(say("compare_looking"))
        looked = afterwards(found, load, workers)
        looked["baselines"] = beside(found, problem, load, workers)
        results: Results = {**tree_of(found, problem), **looked, "machine": machine()}
        if request.names:
            results["names"] = dict(request.names)
        write_all(request.out, {RESULTS: pretty(results)})
        times: Timing = {
            **timing(problem, plan.optimizers),
            "seconds": progress.seconds - begun,
            "workers": workers,
        }
        write_all(request.out, {TIMING: pretty(times)})
    progress.finish()
    return Outcome(results, times)


def wanted(request: Request) -> tuple[Size, ...]:
    """Return the sizes that a request may get, the first that fits into its time being taken."""
    if request.until_decided:
        if request.seconds is not None:
            return SMALLER_WITH_LOOKS
        size = growing(SIZES[request.mode])
        return (size if request.seeds is None else replace(size, most=request.seeds),)
    return SMALLER if request.seconds is not None else (size_of(request),)


def size_of(request: Request) -> Size:
    """Return the seeds of the mode, with the user's number of report seeds where given.

    More seeds that judge need more that refine: what the search does by chance is common to all
    that judge, and does not shrink with their number as what is judged against it does.
    """
    size = SIZES[request.mode]
    if request.seeds is None:
        return size
    refine = max(size.refine, round(size.refine * request.seeds / size.report))
    return replace(size, refine=refine, report=request.seeds)


def promised(request: Request, make: Callable[[Size], Plan]) -> Fitted | None:
    """Return the plan that is declared in the directory, if it is the one that is asked for.

    None where there is none, or another one of which nobody has seen a run. A plan that was cut to
    a time keeps its seeds and rates, because another measurement of the time could choose others.
    Raises `LabError` that names what differs.
    """
    old = declared(request.out)
    if old is None:
        return None
    plans = [make(size) for size in sizes_of(request, old["plan"])]
    trees = [plan.as_json() | {"budget": request.seconds} for plan in plans]
    was = old["plan"] | {
        "budget": request.seconds if request.seconds is None else old.get("budget")
    }
    plan, tree = min(zip(plans, trees, strict=True), key=lambda one: len(differences(was, one[1])))
    if not keep(request.out, was, tree, partial(any_run, request.out, was)):
        return None
    return Fitted(plan, *(float(old.get(name) or 0) for name in ("expected", "after")))


def sizes_of(request: Request, old: Tree) -> list[Size]:
    """Return the sizes that a plan of this request may have had."""
    counts = [old.get(kind) for kind in ("tuning", "refine", "report")]
    if request.seconds is None or not all(isinstance(seeds, list) and seeds for seeds in counts):
        return [wanted(request)[0]]
    tuning, refine, report = (len(seeds) for seeds in counts if seeds)
    if request.until_decided:
        return list(SMALLER_WITH_LOOKS)
    # Equal seeds may have come from sizes that differ in what else they try.
    others = {(size.reach, size.points, size.finalists) for size in SMALLER}
    return [Size(tuning, refine, report, *other) for other in sorted(others)]


def announce(fitted: Fitted, request: Request, progress: Progress, say: Say) -> None:
    """Say what will be run before it is."""
    plan = fitted.plan
    searches = len(plan.parts())
    if plan.search:
        numbers = {"points": plan.search.points, "finalists": plan.search.finalists}
        names = say.names([name for name in plan.search.asked if name != RATE])
        progress.say(say("compare_search", names=names, tuning=len(plan.tuning), **numbers))
    progress.say(
        say(
            "compare_plan_looks" if plan.looks else "compare_plan",
            optimizers=say.names([request.names.get(name, name) for name in plan.optimizers]),
            problem=plan.problem,
            rates=len(next(iter(plan.grids.values()))),
            tuning=len(plan.tuning) // searches,
            refine=len(plan.refine) // searches,
            looks=say.names(list(map(str, plan.looks or ()))),
            first=(plan.looks or plan.report)[0],
            report=len(plan.report),
            runs=plan.costs()[0],
            time=duration(fitted.seconds, say),
            hash=plan.hash,
        )
    )


def carry_out(
    fitted: Fitted,
    request: Request,
    load: Load,
    store: Store,
    workers: int,
    progress: Progress,
    say: Say,
) -> Study:
    """Run the plan with the store of the output directory, and settle the store."""
    plan = fitted.plan
    first, *_ = plan.parts()
    meter = Meter(progress, say, *first.costs(), after=fitted.after)
    identity = digest([plan.identity, plan.steps, plan.every, plan.version])
    earlier = set(store.known)

    def seen(trial: Trial, key: str) -> None:
        meter.done(trial.steps / plan.steps, key not in earlier)

    def coming(trials: Sequence[Trial]) -> None:
        meter.coming(len(trials), sum(trial.steps for trial in trials) / plan.steps)

    runner = Runner(load, identity, store, workers, seen, coming)
    found = in_looks(plan, runner, meter.stage, partial(look, meter, progress, say))
    store.settle(list(runner.asked))
    return found


def look(meter: Meter, progress: Progress, say: Say, plan: Plan, seen: Look) -> None:
    """Say what a look showed; if it does not end there, the meter goes on to the next one."""
    key = "compare_look" if seen.undecided else "compare_look_decided"
    names = say.names(list(seen.undecided))
    progress.say(say(key, seeds=seen.seeds, most=len(plan.report), names=names))
    following = next((count for count in plan.looks or () if count > seen.seeds), 0)
    for part in plan.parts():
        if seen.undecided and seen.seeds <= plan.report.index(part.report[0]) < following:
            meter.more(*part.costs())


def pretty(tree: Any) -> str:
    """Return a tree as JSON that a person can read; the same tree is the same text."""
    return json.dumps(tree, allow_nan=False, ensure_ascii=False, indent=1) + "\n"
