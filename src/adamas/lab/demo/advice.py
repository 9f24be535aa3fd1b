"""What a beginner may conclude, said only as far as the numbers of this run carry it.

Each sentence has others beside it for runs that came out differently, and the numbers choose.
"""

from collections.abc import Sequence
from math import inf

from adamas.lab.demo.contest import REFERENCE
from adamas.lab.demo.rates_chapter import best_rates
from adamas.lab.report.numbers import learning_rate, measured, percent
from adamas.lab.report.subject import Subject
from adamas.lab.report.verdict import groups, others
from adamas.lab.text import Say

Contests = dict[str, Subject]


def beaten(contests: Contests) -> dict[str, list[str]]:
    """Return who is shown to end better than Adam, by problem."""
    found = {problem: groups(about, REFERENCE)["better"] for problem, about in contests.items()}
    return {problem: names for problem, names in found.items() if names}


def even(contests: Contests) -> bool:
    """Tell whether nobody failed and no difference to Adam is shown on any of the problems."""
    words = [one["word"] for about in contests.values() for one in about.compared(REFERENCE)]
    failed = sum(row["diverged"] for about in contests.values() for row in about.rows.values())
    return not failed and set(words) <= {"few", "tie"}


def digits(contests: Contests, say: Say) -> str:
    """Say whether the choice of an optimizer matters on the digits, and whether that of lr does."""
    about = next(iter(contests.values()))
    seeds = {"seeds": about.seeds}
    if not even(contests):
        return say("digits_differ", verdicts=verdicts(contests, say), **seeds)
    rows = [row for one in contests.values() for row in one.rows.values()]
    least, most = ends([row["extras"]["accuracy"]["mean"] for row in rows])
    shares = {"least": percent(100 * least, say, ""), "most": percent(100 * most, say, "")}
    untuned, spread = penalties(contests), max(apart(one) for one in contests.values())
    key = "digits_even" if min(untuned) <= spread else "digits_even_rate"
    low, high, factor = (measured(ratio, 3) for ratio in (*ends(untuned), spread))
    default = learning_rate(about.rows[REFERENCE]["default"]["lr"])
    numbers = {"low": low, "high": high, "spread": factor, "default": default, **shares}
    return say(key, count=len(about.looks), **numbers, **seeds)


def verdicts(contests: Contests, say: Say) -> str:
    """Return how everybody stands beside Adam, problem by problem."""
    found = [
        say("digits_beside", problem=say(f"problem_{problem}"), groups=others(about, REFERENCE))
        for problem, about in contests.items()
    ]
    return say("sentence_gap").join(found)


def penalties(contests: Contests) -> list[float]:
    """Return by which factor Adam's loss is higher at its default rate than tuned, by problem.

    Infinite where a run at the default rate diverged.
    """
    found = [about.rows[REFERENCE]["default"]["penalty"] for about in contests.values()]
    return [inf if penalty is None else penalty for penalty in found]


def apart(about: Subject) -> float:
    """Return the largest mean loss of the tuned optimizers in units of the least."""
    least, most = ends([about.mean(name) for name in about.looks])
    return most / least


def ends(values: Sequence[float | None]) -> tuple[float, float]:
    """Return the least and the largest of the values that are there."""
    there = [value for value in values if value is not None]
    return min(there), max(there)


def begin(contests: Contests, say: Say) -> str:
    """Say which optimizer to begin with, or that these problems do not tell."""
    failed = [name for name, about in contests.items() if about.rows[REFERENCE]["diverged"]]
    if failed:
        return say("begin_failed", problems=say.names([say(f"problem_{name}") for name in failed]))
    if found := beaten(contests):
        where = [
            say("on_problem", problem=say(f"problem_{problem}"), names=about.names(found[problem]))
            for problem, about in contests.items()
            if problem in found
        ]
        return say("begin_open", where=say.names(where))
    words = [one["word"] for about in contests.values() for one in about.compared(REFERENCE)]
    lost = sum(word in ("worse", "diverged") for word in words)
    adam, sgd = (ends(best_rates(contests, name)) for name in (REFERENCE, "sgd"))
    factors = {"adam": adam[1] / adam[0], "sgd": sgd[1] / sgd[0]}
    key = "begin_adam" if factors["adam"] < factors["sgd"] else "begin_adam_wide"
    shown = {name: measured(factor, 2) for name, factor in factors.items()}
    low, high = map(learning_rate, adam)
    return say(key, count=len(contests), pairs=len(words), lost=lost, low=low, high=high, **shown)
