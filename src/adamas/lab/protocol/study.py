"""The protocol, run: a search for every optimizer side by side, then fresh seeds that judge."""

from collections.abc import Callable
from dataclasses import dataclass

from adamas.lab.protocol.plan import Plan
from adamas.lab.protocol.runner import Runner, Trial
from adamas.lab.protocol.search import Ask, Search, search
from adamas.lab.trial import Record
from adamas.lab.tuning import Tuned


@dataclass(frozen=True)
class Study:
    """What a plan brought: the search of every optimizer, its tuned runs and its default runs."""

    plan: Plan
    tuned: dict[str, Tuned]
    report: dict[str, list[Record]]
    default: dict[str, list[Record]]


def study(plan: Plan, runner: Runner, stage: Callable[[str], None]) -> Study:
    """Carry out `plan`; `stage(name)` is told "search" and "report" as they begin."""
    stage("search")
    # The untuned runs do not wait for anything, so they fill the workers during the first search.
    untuned = judged(plan, plan.defaults)
    tuned = converse(plan, runner, untuned)
    stage("report")
    chosen = {name: tuned[name].lr for name in plan.optimizers}
    return Study(plan, tuned, grouped(plan, runner, chosen), grouped(plan, runner, plan.defaults))


def judged(plan: Plan, lrs: dict[str, float]) -> list[Trial]:
    """Return the trials of the report seeds at the given learning rates, seed by seed.

    Seed by seed, so that a problem that is costly to draw is drawn once for all optimizers.
    """
    names = plan.optimizers
    return [Trial(name, lrs[name], seed, plan.steps) for seed in plan.report for name in names]


def grouped(plan: Plan, runner: Runner, lrs: dict[str, float]) -> dict[str, list[Record]]:
    """Run the report seeds and return each optimizer's records."""
    trials = judged(plan, lrs)
    found: dict[str, list[Record]] = {name: [] for name in plan.optimizers}
    for trial, record in zip(trials, runner.run(trials), strict=True):
        found[trial.optimizer].append(record)
    return found


def converse(plan: Plan, runner: Runner, others: list[Trial]) -> dict[str, Tuned]:
    """Let all searches ask in rounds, so that each round fills the workers; `others` run along."""
    talks: dict[str, Search] = {
        name: search(plan.grids[name], plan.tuning, plan.refine) for name in plan.optimizers
    }
    asked: dict[str, list[Ask]] = {name: next(talk) for name, talk in talks.items()}
    tuned: dict[str, Tuned] = {}
    while asked:
        trials = [wanted(plan, name, ask) for name, asks in asked.items() for ask in asks]
        records = iter(runner.run([*trials, *others]))
        others = []
        answers = {name: [next(records).final for _ in asks] for name, asks in asked.items()}
        asked = {}
        for name, scores in answers.items():
            try:
                asked[name] = talks[name].send(scores)
            except StopIteration as end:
                tuned[name] = end.value
    return tuned


def wanted(plan: Plan, name: str, ask: Ask) -> Trial:
    """Return the trial that a search asks for."""
    return Trial(name, ask.lr, ask.seed, plan.steps if ask.full else plan.short_steps)
