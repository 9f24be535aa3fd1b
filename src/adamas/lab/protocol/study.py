"""The protocol, run: a search for every optimizer side by side, then fresh seeds that judge.

Each judging seed runs at the learning rate that the search would have chosen on other seeds (its
own were drawn again), so that the chance in choosing is a part of what is judged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from adamas.lab.protocol.plan import Plan
from adamas.lab.protocol.runner import Runner, Trial
from adamas.lab.protocol.search import Ask, Search, search
from adamas.lab.trial import Record
from adamas.lab.tuning import Tuned


@dataclass(frozen=True)
class Look:
    """A look at the results: after how many seeds, what of the 5 % it spent, who was undecided."""

    seeds: int
    spent: float
    undecided: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """What a plan brought: the search of every optimizer, its tuned runs and its default runs.

    `looks` are those that were made, none in a plan without looks.
    """

    plan: Plan
    tuned: dict[str, Tuned]
    report: dict[str, list[Record]]
    default: dict[str, list[Record]]
    looks: tuple[Look, ...] = ()


def study(plan: Plan, runner: Runner, stage: Callable[[str], None]) -> Study:
    """Carry out `plan`; `stage(name)` is told "search" and "report" as they begin."""
    stage("search")
    # The untuned runs do not wait for anything, so they fill the workers during the first search.
    defaults = {name: [plan.defaults[name]] * len(plan.report) for name in plan.optimizers}
    untuned = judged(plan, defaults)
    tuned = converse(plan, runner, untuned)
    stage("report")
    drawn = {name: tuned[name].drawn for name in plan.optimizers}
    return Study(plan, tuned, grouped(plan, runner, drawn), grouped(plan, runner, defaults))


# The learning rate of every optimizer on each report seed.
Rates = Mapping[str, Sequence[float]]


def judged(plan: Plan, lrs: Rates) -> list[Trial]:
    """Return the trials of the report seeds at the given learning rates, seed by seed.

    Seed by seed, so that a problem that is costly to draw is drawn once for all optimizers.
    """
    return [
        Trial(name, lrs[name][place], seed, plan.steps)
        for place, seed in enumerate(plan.report)
        for name in plan.optimizers
    ]


def grouped(plan: Plan, runner: Runner, lrs: Rates) -> dict[str, list[Record]]:
    """Run the report seeds and return each optimizer's records."""
    trials = judged(plan, lrs)
    found: dict[str, list[Record]] = {name: [] for name in plan.optimizers}
    for trial, record in zip(trials, runner.run(trials), strict=True):
        found[trial.optimizer].append(record)
    return found


def converse(plan: Plan, runner: Runner, others: list[Trial]) -> dict[str, Tuned]:
    """Let all searches ask in rounds, so that each round fills the workers; `others` run along."""
    talks: dict[str, Search] = {
        name: search(plan.grids[name], plan.tuning, plan.refine, plan.report)
        for name in plan.optimizers
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
