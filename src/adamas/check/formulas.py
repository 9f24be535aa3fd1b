"""Formula texts as candidates: what they are called, how they decay, and where they lead.

A candidate is a function as text, in the language of `adamas.rules`; it is run on NumPy arrays of
float64 as it stands.
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from adamas import words
from adamas.check.plan import Array, Path, Plan, joined
from adamas.check.tables import table

SUMS = ("norm(", "rms(", "mean(", "total(", "orthogonalize(")
Numbers = Mapping[str, float]
# Where a decay stands: its line, and whether it is the first of a rule or the last.
DECAYS: dict[str, tuple[str, bool]] = table("family")["decays"]


@dataclass(frozen=True)
class Base:
    """A rule without its line of decay; `native` is the decay that it has by its own name.

    A rule whose decay is woven into it has all its lines, and "woven". `fixed` are numbers that the
    rule has where no argument sets them, `traits` the choices that it has made.
    """

    name: str
    arguments: str
    lines: tuple[str, ...]
    native: str
    traits: Mapping[str, str] = field(default_factory=dict)
    fixed: Numbers = field(default_factory=dict)

    def source(self, decay: str = "") -> str:
        """The text with one of DECAYS, by default its own."""
        lines, form = list(self.lines), decay or self.native
        if self.native == "woven" != form:
            lines = [line.replace("weight_decay", "0.0") for line in lines]
        if form != "woven":
            line, first = DECAYS[form]
            place = 0 if first else len(lines) - 1
            lines[place:place] = [line] if line else []
        return f"def rule({self.arguments}):\n" + "".join(f"    {line}\n" for line in lines)

    def called(self, decay: str) -> str:
        """What the rule with a decay is called here."""
        first, *rest = self.name.split("_")
        direct = self.native == "coupled" and decay == "decoupled" and self.name != "family"
        return "_".join((f"{first}w", *rest)) if direct else self.name

    @property
    def elementwise(self) -> bool:
        """Whether no number depends on another element."""
        return not any(word in line for word in SUMS for line in self.lines)


def read(source: str, traits: Mapping[str, str] | None = None) -> Base:
    """The text of a rule as a base: without its docstring, and without its line of decay."""
    (found,) = ast.parse(textwrap.dedent(source)).body
    assert isinstance(found, ast.FunctionDef)
    lines = [ast.unparse(line) for line in found.body if not isinstance(line, ast.Expr)]
    native = next((form for form, (line, _) in DECAYS.items() if line in lines), "ignored")
    # Between its place and the one that it is put back to, no rule reads what it changes.
    lines = [line for line in lines if line != DECAYS[native][0]]
    native = "woven" if any("weight_decay" in line for line in lines) else native
    return Base(found.name, ast.unparse(found.args), tuple(lines), native, traits or {})


class Runnable:
    """A text that runs: its states with their starts, its hyper-parameters with their defaults."""

    def __init__(self, source: str) -> None:
        space: dict[str, Any] = {word: getattr(words, word) for word in words.__all__}
        exec(compile(source, "<formula>", "exec"), space)
        self._function = space["rule"]
        parameters = inspect.signature(self._function).parameters.values()
        own = {q.name: q.default for q in parameters if q.kind is q.KEYWORD_ONLY}
        self.given = {name for name, value in own.items() if value is inspect.Parameter.empty}
        self.hypers = {k: float(v) for k, v in own.items() if k not in self.given}
        kept = [q for q in parameters if q.name not in own][2:]
        self.states = {q.name: 0.0 if q.default is q.empty else q.default for q in kept}

    def path(
        self, p: Any, gradients: Sequence[Array], rates: Sequence[float],
        hypers: Numbers, starts: Numbers,
    ) -> list[Array]:  # fmt: skip
        """The parameter after every step, in float64, from `p`."""
        # NumPy's numbers: Python's own raise where IEEE arithmetic gives inf or NaN.
        given = {k: np.float64(hypers.get(k, v)) for k, v in self.hypers.items()}
        states: list[Any] = [starts.get(name, value) for name, value in self.states.items()]
        shape, found = p.shape, []
        rows = shape[0] if shape else 1
        numbers = {"rows": rows, "columns": p.size / rows if rows and len(shape) > 1 else 1}
        with np.errstate(all="ignore"):
            for t, (g, lr) in enumerate(zip(gradients, rates, strict=True), 1):
                given |= {"lr": np.float64(lr)} if "lr" in given else {}
                numbers["t"] = t
                known = {name: np.float64(numbers[name]) for name in self.given}
                out = self._function(p, g, *states, **given, **known)
                p, *states = out if isinstance(out, tuple) else (out,)
                found.append(np.array(np.broadcast_to(p, shape)))
        return found


@cache
def runnable(source: str) -> Runnable:
    """The compiled text."""
    return Runnable(source)


def path(base: Base, plan: Plan, hypers: Numbers, starts: Numbers, decay: str = "") -> Path:
    """The parameters after every step of a plan, as an optimizer would have them."""
    rule, values = runnable(base.source(decay)), {**base.fixed, **hypers}
    if base.elementwise:
        start, gradients = joined(plan.starts), [joined(g) for g in plan.gradients]
        steps = rule.path(start, gradients, plan.rates, values, starts)
        return [_parted(step, plan.starts) for step in steps]
    each = [
        rule.path(start, [g[i] for g in plan.gradients], plan.rates, values, starts)
        for i, start in enumerate(plan.starts)
    ]
    return [list(step) for step in zip(*each, strict=True)]


def _parted(step: Array, like: Sequence[Array]) -> list[Array]:
    parts = np.split(step, np.cumsum([one.size for one in like])[:-1])
    return [part.reshape(one.shape) for part, one in zip(parts, like, strict=True)]
