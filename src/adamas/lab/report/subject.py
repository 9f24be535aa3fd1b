"""What every chapter of the report is given: the results, the language, and names with looks.

Losses may be null, because a run may fail; `lab/protocol/results_types.py` says what else may.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from adamas.lab.page.looks import Look, looks_of
from adamas.lab.protocol.results_types import (
    ComparisonTree,
    IntervalTree,
    Number,
    OptimizerTree,
    PlanTree,
    ProblemTree,
    Results,
    Timing,
)
from adamas.lab.protocol.worth_types import AloneTree
from adamas.lab.text import Say
from adamas.lab.trial import finite
from adamas.pages.elements import row_name
from adamas.pages.sentences import literal

METRIC_IS_LOSS = "loss"
# Two references are compared once; the other's side of it says the opposite.
MIRRORED = {"better": "worse", "worse": "better", "tie": "tie", "few": "few"}


@dataclass(frozen=True)
class Subject:
    """One comparison to be reported, in one language."""

    results: Results
    timing: Timing | None
    say: Say
    looks: dict[str, Look]

    @property
    def rows(self) -> dict[str, OptimizerTree]:
        """Return each optimizer's part of the results."""
        return {name: self.results["optimizers"][name] for name in self.looks}

    @property
    def plan(self) -> PlanTree:
        """Return the declared plan."""
        return self.results["plan"]

    @property
    def problem(self) -> ProblemTree:
        """Return what is known of the problem."""
        return self.results["problem"]

    @property
    def seeds(self) -> int:
        """Return the number of report seeds that were run; a plan with looks may have more."""
        return len(next(iter(self.rows.values()))["finals"])

    @property
    def judging(self) -> list[int]:
        """Return the report seeds that were run."""
        return self.plan["report"][: self.seeds]

    @property
    def references(self) -> list[str]:
        """Return the optimizers that the others are compared with, the first one first."""
        return self.plan["references"]

    def name(self, optimizer: Any) -> str:
        """Return what an optimizer is called."""
        return self.looks[optimizer].name if optimizer in self.looks else str(optimizer)

    def called(self, optimizer: str) -> str:
        """Return the name that the user gave an optimizer, else its text."""
        return self.results.get("names", {}).get(optimizer, optimizer)

    def said(self, optimizer: Any) -> str:
        """Return a name for a sentence in which marks have a meaning: no part of it is one."""
        return literal(self.name(optimizer))

    def names(self, optimizers: Sequence[str]) -> str:
        """Return several names in one phrase of such a sentence."""
        shown = [self.said(optimizer) for optimizer in optimizers]
        if len(shown) < 2:
            return self.say.names(shown)
        return self.say("report_and", names=self.say.names(shown[:-1]), last=shown[-1])

    def swatch(self, optimizer: str) -> str:
        """Return a name with its colour before it, as HTML."""
        look = self.looks[optimizer]
        return row_name(look.key, look.name)

    def short(self, optimizer: str) -> str:
        """Return a name as in pictures, for a table of many rows of each optimizer."""
        look = self.looks[optimizer]
        return row_name(look.key, look.short)

    def words(self, texts: Any) -> str:
        """Return the text in the page's language, else the English one, else nothing."""
        return in_language(texts, self.say)

    def mean(self, optimizer: str) -> float:
        """Return the mean final loss, infinite where there is none."""
        value = self.rows[optimizer]["interval"]["mean"]
        return float("inf") if value is None else value

    def compared(self, reference: str) -> list[ComparisonTree]:
        """Return the comparisons with one reference, in the order of the optimizers."""
        return self.beside(reference, self.results["comparisons"], self.mean(reference))

    def beside(
        self, reference: str, every: Sequence[ComparisonTree], mean: float
    ) -> list[ComparisonTree]:
        """Return those of `every` comparison with a reference, whose mean loss is `mean`."""
        found = {one["optimizer"]: one for one in every if one["reference"] == reference}
        for one in every:
            if one["optimizer"] == reference and one["word"] in MIRRORED:
                found.setdefault(one["reference"], mirrored(one, mean))
        return [found[name] for name in self.looks if name in found]


def rate_alone(row: OptimizerTree) -> "AloneTree | OptimizerTree":
    """Return an optimizer's rate, rates of the judging seeds and losses with the rate alone tuned.

    That is `row` itself where nothing else was searched.
    """
    return row["worth"]["alone"] if "worth" in row else row


def metric_name(subject: Subject, metric: str) -> str:
    """Return what a metric is called: by its problem, by all, else its name in the results."""
    own = f"{subject.problem['name']}.metric.{metric}"
    return subject.say.known(own) or subject.say.known(f"metric_{metric}") or metric


def in_language(texts: Any, say: Say) -> str:
    """Return a text of the results in a page's language, else the English one, else nothing."""
    if not isinstance(texts, Mapping):
        return ""
    return str(texts.get(say.language) or texts.get("en") or "")


def mirrored(one: ComparisonTree, mean: float) -> ComparisonTree:
    """Return a comparison from the side of the other reference, whose mean loss is `mean`."""
    wins, size = one["p_win"], abs(mean)
    return {
        **one,
        "optimizer": one["reference"],
        "reference": one["optimizer"],
        "difference": turned(one["difference"], lambda value: -value),
        "percent": turned(one["difference"], lambda v: finite(100 * -v / size) if size else None),
        "word": MIRRORED[one["word"]],
        "p_win": None if wins is None else 1 - wins,
    }


def turned(one: IntervalTree, change: Callable[[float], Number]) -> IntervalTree:
    """Return an interval whose other end is the lower one, each number changed."""
    mean, low, high = (
        None if value is None else change(value) for value in (one["mean"], one["high"], one["low"])
    )
    return {"mean": mean, "low": low, "high": high}


def subject(results: Results, timing: Timing | None, say: Say) -> Subject:
    """Return the results ready to be reported."""
    return Subject(
        results, timing, say, looks_of(results["plan"]["optimizers"], results.get("names", {}))
    )


def gaps(values: Sequence[float | None]) -> list[float]:
    """Return numbers for a line that breaks where one is missing."""
    return [float("nan") if value is None else float(value) for value in values]


def known(values: Sequence[float | None]) -> list[float]:
    """Return the values that are there."""
    return [float(value) for value in values if value is not None and isfinite(value)]
