"""Whether tests that have a short and a long form run the long one, and what the short one takes.

With `ADAMAS_LONG=1` such a test looks at everything it can, for minutes; without it at a part of
that, so that the whole suite stays quick. Run one file at a time.

Another part is drawn for every run. Its number stands at the head of what pytest prints, and
`ADAMAS_SAMPLE=number` draws the same again.
"""

import os
import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

LONG = bool(os.environ.get("ADAMAS_LONG"))
Case = TypeVar("Case")


def sampled(cases: Iterable[Case], at_least: int = 0) -> list[Case]:
    """Return as few of the cases as hold every value of theirs, and not fewer than so many.

    A case is a value, or a sequence of values, of which each counts for its place: of all pairs of
    a rule and a format every rule and every format is kept. All of them in the long form.
    """
    every = list(cases)
    if LONG:
        return every
    left = _shuffled(len(every))
    held = [_values(case) for case in every]
    wanted, kept = set().union(*held) if held else set(), list[int]()
    while left and (wanted or len(kept) < at_least):
        best = max(left, key=lambda k: len(held[k] & wanted))
        left.remove(best)
        kept.append(best)
        wanted -= held[best]
    return [every[k] for k in sorted(kept)]


def few_of(cases: Iterable[Case], count: int) -> list[Case]:
    """Return so many of the cases, others in every run, and all of them in the long form.

    For what takes seconds for each of many rules, where another test looks at every rule.
    """
    every = list(cases)
    return every if LONG else [every[k] for k in sorted(_shuffled(len(every))[:count])]


def _shuffled(count: int) -> list[int]:
    """So many numbers, in the order of this run."""
    order = list(range(count))
    random.Random(f"{os.environ.get('ADAMAS_SAMPLE', '0')} {count}").shuffle(order)
    return order


def _values(case: object) -> set[tuple[int, str]]:
    """Every value of a case with its place, by what it is called or shows."""
    parts = case if isinstance(case, Sequence) and not isinstance(case, str) else [case]
    return {
        (place, getattr(part, "__qualname__", None) or repr(part))
        for place, part in enumerate(parts)
    }
