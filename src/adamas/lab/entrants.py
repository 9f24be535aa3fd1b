"""Who takes part: a text such as `adam:beta1=0.8`, `mine.py:signum` or `torch.optim.Adafactor`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from math import inf
from typing import Any

import numpy as np

import adamas
from adamas import rules
from adamas.classes import CLASSES
from adamas.cli_text.core_words import told as translated
from adamas.engine.options import formula_of
from adamas.kernel.formula import Formula
from adamas.lab.course import Further
from adamas.lab.entrant_base import Entrant, Pairs, own_settings, parts_of, split
from adamas.lab.foreign.finding import find, is_rule
from adamas.lab.foreign.kinds import foreign
from adamas.lab.needs import LabError
from adamas.lab.problems import Params
from adamas.lab.stepping import FormulaStepping, LayersStepping, Stepping
from adamas.lab.text import words
from adamas.show import find_rule

# The rules of adamas by their classes, such as adamas.Adam.
CLASSES_OF_RULES = {getattr(adamas, name): rule.__name__ for name, rule in CLASSES.items()}


@dataclass(frozen=True)
class FormulaEntrant(Entrant):
    """A rule of adamas or of the user, as a formula."""

    rule: Formula = field(kw_only=True)

    @property
    def formula(self) -> Formula:
        """Return the rule."""
        return self.rule

    @property
    def default_lr(self) -> float:
        """Return the learning rate that the rule itself declares."""
        return self.rule.hypers["lr"]

    @property
    def free(self) -> dict[str, Any]:
        """Return the rule's hyper-parameters but lr."""
        return {name: value for name, value in self.rule.hypers.items() if name != "lr"}

    @property
    def code(self) -> str:
        """Return the formula."""
        return self.rule.key

    def begin(self, params: Params, grads: Params, lr: float, further: Further = ()) -> Stepping:
        """Return the rule's kernel on the parameters, on one thread."""
        chosen = {**self.hypers, **own_settings(further)}
        if self.rule.orthogonalizes:
            return LayersStepping(self.rule, params, lr, chosen)
        opt = adamas.Optimizer(
            self.rule, params, lr=lr, threads=1, on_nonfinite="allow", **chosen
        )  # fmt: skip
        return FormulaStepping(opt)


# What texts mean while a comparison runs that was handed functions or files from Python.
_HANDED: dict[str, Entrant] = {}


def hand(entrants: Mapping[str, Entrant]) -> dict[str, Entrant]:
    """Let texts mean these optimizers in this process; return those that were handed before."""
    before = dict(_HANDED)
    _HANDED.clear()
    _HANDED.update(entrants)
    entrant.cache_clear()
    return before


@cache
def entrant(text: str) -> Entrant:
    """Return the optimizer that `text` names: `rule`, `rule:key=value,...`, `file.py:function`.

    Or `module.Class` and `module:Class`, of PyTorch's kind, of optax, or a class on NumPy's arrays.
    Raises `LabError` for a rule, a class or a hyper-parameter that does not exist.

    >>> entrant("adam:beta1=0.8,warmup=0.1").hypers
    {'beta1': 0.8}
    """
    if text in _HANDED:
        return _HANDED[text]
    source, pairs = parts_of(text)
    if source in rules.__all__:
        return entered(text, find_rule(source), pairs)
    if ":" not in source and "." not in source:
        raise _unknown(source)
    found = find(source)
    if found.thing in CLASSES_OF_RULES:
        return entered(text, find_rule(CLASSES_OF_RULES[found.thing]), pairs)
    if not is_rule(found.thing):
        return foreign(text, found, pairs)
    try:
        formula = formula_of(found.thing)
    except ValueError as error:
        raise LabError("error.plain", reason=translated(error)) from error
    return entered(text, formula, pairs)


def _unknown(name: str) -> LabError:
    """Return the error that there is no such rule, with the closest one."""
    close = get_close_matches(name.lower(), rules.__all__, 1)
    hint = words("hint.mean", name=close[0]) if close else words("hint.stop")
    names, examples = ", ".join(rules.__all__), "torch.optim.Adam, mine.py:Mine"
    return LabError("error.no_rule", name=name, hint=hint, names=names, examples=examples)


def entered(text: str, formula: Formula, pairs: Pairs = ()) -> FormulaEntrant:
    """Return a formula with some hyper-parameters as an optimizer called `text`.

    Raises `LabError` if there is no learning rate to search, or a value is not allowed.
    """
    if "lr" not in formula.hypers:
        raise LabError("error.no_lr", text=text)
    if not 0 < formula.hypers["lr"] < inf:
        raise LabError("error.default_lr", text=text, lr=formula.hypers["lr"])
    hypers, course = split(text, pairs, formula.name, [n for n in formula.hypers if n != "lr"])
    try:
        adamas.Optimizer(formula, np.zeros(1), **hypers)
    except (TypeError, ValueError) as error:
        raise LabError("error.plain", reason=translated(error)) from error
    return FormulaEntrant(text, hypers, course=course, rule=formula)
