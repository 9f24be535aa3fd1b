"""Losses of the report seeds become comparisons with the declared references, and a verdict."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite, nan
from typing import Any

from adamas.lab.protocol.study import Study
from adamas.lab.statistics import paired
from adamas.lab.statistics.intervals import Interval
from adamas.lab.statistics.repeated import compare_at


def compared(finals: paired.Finals, study: Study, random: bool) -> list[paired.Comparison]:
    """Return the comparisons with the declared references; `finals` holds a loss for each seed."""
    plan = study.plan
    found = compare_at(finals, plan.references, study.spent, plan.margin)
    return found if random else [exactly(one, finals, plan.margin) for one in found]


def exactly(one: paired.Comparison, finals: paired.Finals, margin: float) -> paired.Comparison:
    """Return the comparison of two runs without any randomness: the difference is what it is."""
    ours, other = finals[one.optimizer][0], finals[one.reference][0]
    if not isfinite(ours):
        word = "diverged"
    elif isfinite(other) and abs(ours - other) <= margin * abs(other):
        word = "tie"
    else:
        word = "worse" if ours >= other else "better"
    shift = ours - other
    share = 100 * shift / abs(other) if other else nan
    exact, percent = Interval(shift, shift, shift), Interval(share, share, share)
    return replace(one, difference=exact, percent=percent, word=word)


def verdict(comparisons: Sequence[paired.Comparison], reference: str) -> dict[str, Any]:
    """Return who was better than the first reference, worse, or neither."""
    words: dict[str, Any] = {"reference": reference}
    for word in ("better", "worse", "tie", "few", "diverged"):
        words[word] = [one.optimizer for one in comparisons
                       if one.reference == reference and one.word == word]  # fmt: skip
    return words
