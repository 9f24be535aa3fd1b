"""The protocol, run: a search for every optimizer side by side, then fresh seeds that judge.

Each judging seed runs at the learning rate that the search would have chosen on other seeds (its
own were drawn again), so that the chance in choosing is a part of what is judged.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

from adamas.lab.constants import ALPHA
from adamas.lab.protocol.plan import Plan
from adamas.lab.protocol.runner import Runner, Trial
from adamas.lab.protocol.search import Ask, search
from adamas.lab.protocol.wider import Setting, Wide, widen
from adamas.lab.trial import Record
from adamas.lab.tuning import Tuned


@dataclass(frozen=True)
class Look:
    """A look at the results: after how many seeds, what of the 5 % it spent, who was undecided."""

    seeds: int
    spent: float
    undecided: tuple[str, ...]


@dataclass(frozen=True)
class Worth:
    """What a search over more than the rate brought, by optimizer, and runs that tell its worth.

    `alone` are the judging seeds at the rate alone, `without` those with one hyper-parameter put
    back to its default and everything else as it was chosen.
    """

    found: dict[str, Wide]
    alone: dict[str, list[Record]]
    without: dict[str, dict[str, list[Record]]]


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
    worth: Worth | None = None

    @property
    def spent(self) -> float:
        """Return the level of its words: what the last look spent, all of it without looks."""
        return self.looks[-1].spent if self.looks else ALPHA


# What an optimizer runs with on each judging seed.
Settings = Mapping[str, Sequence[Setting]]
# The searches of one optimizer, one after the other.
Talk = Generator[list[Ask], Sequence[float], tuple[Tuned, Wide | None]]


def study(plan: Plan, runner: Runner, stage: Callable[[str], None]) -> Study:
    """Carry out `plan`; `stage(name)` is told "search" and "report" as they begin."""
    stage("search")
    # The untuned runs do not wait for anything, so they fill the workers during the first search.
    defaults = {name: [(plan.defaults[name], ())] * len(plan.report) for name in plan.optimizers}
    untuned = judged(plan, defaults)
    found = converse(plan, runner, untuned)
    tuned = {name: found[name][0] for name in plan.optimizers}
    wide = {name: other for name, (_, other) in found.items() if other}
    stage("report")
    alone = {name: [(lr, ()) for lr in tuned[name].drawn] for name in plan.optimizers}
    report = {name: wide[name].drawn for name in plan.optimizers} if wide else alone
    runs = grouped(plan, runner, report), grouped(plan, runner, defaults)
    return Study(plan, tuned, *runs, worth=worth(plan, runner, alone, wide) if wide else None)


def worth(plan: Plan, runner: Runner, alone: Settings, wide: Mapping[str, Wide]) -> Worth:
    """Run what tells the worth of a search over more than the rate."""
    dimensions = plan.search.dimensions if plan.search else {}
    names = dict.fromkeys(one.name for dims in dimensions.values() for one in dims)
    back = {
        part: {
            name: [(lr, tuple(pair for pair in further if pair[0] != part))
                   for lr, further in wide[name].drawn]
            for name, dims in dimensions.items()
            if part in [one.name for one in dims]
        }
        for part in names
    }  # fmt: skip
    runner.run([trial for these in (alone, *back.values()) for trial in judged(plan, these)])
    without = {part: grouped(plan, runner, these) for part, these in back.items()}
    each = {
        name: {part: found[name] for part, found in without.items() if name in found}
        for name in plan.optimizers
    }
    return Worth(dict(wide), grouped(plan, runner, alone), each)


def judged(plan: Plan, settings: Settings) -> list[Trial]:
    """Return the trials of the report seeds with the given settings, seed by seed.

    Seed by seed, so that a problem that is costly to draw is drawn once for all optimizers.
    """
    return [
        Trial(name, settings[name][place][0], seed, plan.steps, settings[name][place][1])
        for place, seed in enumerate(plan.report)
        for name in plan.optimizers
        if name in settings
    ]


def grouped(plan: Plan, runner: Runner, settings: Settings) -> dict[str, list[Record]]:
    """Run the report seeds and return each optimizer's records."""
    trials = judged(plan, settings)
    found: dict[str, list[Record]] = {name: [] for name in plan.optimizers if name in settings}
    for trial, record in zip(trials, runner.run(trials), strict=True):
        found[trial.optimizer].append(record)
    return found


def searches(plan: Plan, name: str) -> Talk:
    """Search the rate of an optimizer, and then what else the plan names."""
    tuned = yield from search(plan.grids[name], plan.tuning, plan.refine, plan.report)
    if plan.search is None:
        return tuned, None
    settings, seeds = plan.search.settings(name), (plan.tuning, plan.refine, plan.report)
    return tuned, (yield from widen(tuned, settings, *seeds, plan.search.finalists))


def converse(
    plan: Plan, runner: Runner, others: list[Trial]
) -> dict[str, tuple[Tuned, Wide | None]]:
    """Let all searches ask in rounds, so that each round fills the workers; `others` run along."""
    talks: dict[str, Talk] = {name: searches(plan, name) for name in plan.optimizers}
    asked: dict[str, list[Ask]] = {name: next(talk) for name, talk in talks.items()}
    found: dict[str, tuple[Tuned, Wide | None]] = {}
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
                found[name] = end.value
    return found


def wanted(plan: Plan, name: str, ask: Ask) -> Trial:
    """Return the trial that a search asks for."""
    steps = plan.steps if ask.full else plan.short_steps
    return Trial(name, ask.lr, ask.seed, steps, ask.further)
