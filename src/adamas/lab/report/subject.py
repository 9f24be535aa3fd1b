"""What every chapter of the report is given: the results, the language, and names with looks.

Any number of the results may be null, because a run may fail, and whole parts may be missing; `at`
and `listed` are how chapters read them without falling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from adamas.lab.page.elements import swatch
from adamas.lab.page.looks import Look, looks_of
from adamas.lab.text import Say

Tree = dict[str, Any]
METRIC_IS_LOSS = "loss"
# Two references are compared once; the other's side of it says the opposite.
MIRRORED = {"better": "worse", "worse": "better", "tie": "tie", "few": "few"}


@dataclass(frozen=True)
class Subject:
    """One comparison to be reported, in one language."""

    results: Tree
    timing: Tree
    say: Say
    looks: dict[str, Look]

    @property
    def rows(self) -> dict[str, Tree]:
        """Return each optimizer's part of the results."""
        return {name: at(self.results, "optimizers", name) or {} for name in self.looks}

    @property
    def plan(self) -> Tree:
        """Return the declared plan."""
        return at(self.results, "plan") or {}

    @property
    def problem(self) -> Tree:
        """Return what is known of the problem."""
        return at(self.results, "problem") or {}

    @property
    def seeds(self) -> int:
        """Return the number of report seeds."""
        return len(listed(self.plan, "report"))

    @property
    def references(self) -> list[str]:
        """Return the optimizers that the others are compared with, the first one first."""
        known = [name for name in listed(self.plan, "references") if name in self.looks]
        return known or list(self.looks)[:1]

    def name(self, optimizer: Any) -> str:
        """Return what an optimizer is called."""
        return self.looks[optimizer].name if optimizer in self.looks else str(optimizer)

    def names(self, optimizers: Sequence[str]) -> str:
        """Return several names in one phrase."""
        shown = [self.name(optimizer) for optimizer in optimizers]
        if len(shown) < 2:
            return self.say.names(shown)
        return self.say("report_and", names=self.say.names(shown[:-1]), last=shown[-1])

    def swatch(self, optimizer: str) -> str:
        """Return a name with its colour before it, as HTML."""
        look = self.looks[optimizer]
        return swatch(look.key, look.name)

    def words(self, texts: Any) -> str:
        """Return the text in the page's language, else the English one, else nothing."""
        return in_language(texts, self.say)

    def mean(self, optimizer: str) -> float:
        """Return the mean final loss, infinite where there is none."""
        value = at(self.rows[optimizer], "interval", "mean")
        return float("inf") if value is None else value

    def compared(self, reference: str) -> list[Tree]:
        """Return the comparisons with one reference, in the order of the optimizers."""
        every = [one for one in listed(self.results, "comparisons") if one]
        found = {o.get("optimizer"): o for o in every if o.get("reference") == reference}
        for one in every:
            if one.get("optimizer") == reference and one.get("word") in MIRRORED:
                found.setdefault(one.get("reference"), mirrored(one, self.mean(reference)))
        return [found[name] for name in self.looks if name in found]


def in_language(texts: Any, say: Say) -> str:
    """Return a text of the results in a page's language, else the English one, else nothing."""
    if not isinstance(texts, Mapping):
        return ""
    return str(texts.get(say.language) or texts.get("en") or "")


def mirrored(one: Tree, mean: float) -> Tree:
    """Return a comparison from the side of the other reference, whose mean loss is `mean`."""
    low, centre, high = (at(one, "difference", end) for end in ("low", "mean", "high"))
    turned = {"mean": centre, "low": high, "high": low}
    difference = {end: None if value is None else -value for end, value in turned.items()}
    share = {end: None if v is None else 100 * v / mean for end, v in difference.items()}
    wins = one.get("p_win")
    return one | {
        "optimizer": one.get("reference"),
        "reference": one.get("optimizer"),
        "difference": difference,
        "percent": share,
        "word": MIRRORED[str(one.get("word"))],
        "p_win": None if wins is None else 1 - wins,
    }


def subject(results: Tree, timing: Tree | None, say: Say) -> Subject:
    """Return the results ready to be reported."""
    found = at(results, "optimizers") or {}
    names = list(dict.fromkeys([n for n in listed(results, "plan", "optimizers") if n in found]))
    names += [name for name in found if name not in names]
    return Subject(results, timing or {}, say, looks_of(names))


def at(tree: Any, *keys: str) -> Any:
    """Return a value deep in the tree, None where any step of the way is missing.

    >>> at({"a": {"b": 1}}, "a", "b"), at({"a": None}, "a", "b")
    (1, None)
    """
    for key in keys:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree


def listed(tree: Any, *keys: str) -> list[Any]:
    """Return a list deep in the tree, empty where there is none."""
    found = at(tree, *keys)
    return list(found) if isinstance(found, list | tuple) else []


def gaps(values: Sequence[float | None]) -> list[float]:
    """Return numbers for a line that breaks where one is missing."""
    return [float("nan") if value is None else float(value) for value in values]


def known(values: Sequence[float | None]) -> list[float]:
    """Return the values that are there."""
    return [float(value) for value in values if value is not None and isfinite(value)]
