"""A user's own rule is a first-class citizen: one decorator, and it has all the family has."""

import functools
from collections.abc import Callable
from typing import Any

from adamas.engine.optimizer import Optimizer
from adamas.engine.options import formula_of
from adamas.kernel.formula import Formula

__all__ = ["Rule", "rule"]


class Rule:
    """A compiled formula that makes optimizers: `my_rule(params, lr=1e-2)`.

    `function` is the text as written, which also runs on plain floats and arrays; `formula` is
    what adamas read in it.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._formula: Formula = formula_of(function)
        functools.update_wrapper(self, function)

    # No attributes, because a decorator copies those to its wrapper.
    @property
    def function(self) -> Callable[..., Any]:
        """The text as written."""
        return self._function

    @property
    def formula(self) -> Formula:
        """What adamas read in it."""
        return self._formula

    def __call__(self, params: Any, **settings: Any) -> Optimizer:
        """An `Optimizer` by this rule; takes what `Optimizer` takes, and the hyper-parameters."""
        return Optimizer(self, params, **settings)

    def __reduce__(self) -> str:
        """By name, as functions are: the name leads to this object, not to `function`."""
        return self.function.__qualname__

    def __repr__(self) -> str:
        """The rule with its states and hyper-parameters."""
        formula = self.formula
        state = ", ".join(formula.initial) or "none"
        shown = ", ".join(f"{name}={value:g}" for name, value in formula.hypers.items())
        return f"<rule {formula.name}: state {state}; {shown}>"


def rule(function: Callable[..., Any]) -> Rule:
    """Make an optimizer of an update rule written as a formula.

    The first arguments are `p, g`, further positional ones are the state, keyword-only ones the
    hyper-parameters with their defaults (`t` is the step, 1 at the first); return the new `p` and
    the new state. The body is made of assignments, also of tuples and in `if`, arithmetic,
    comparisons with `and`, `or`, `not`, `a if c else b`, and the words of `adamas.words`, whose
    functions in NumPy, math or torch are the same; `%` and `//` take what depends on
    hyper-parameters, numbers and t alone. Numbers that stand around the rule are read now, once and
    for all, and functions of its file are put in the place of their calls. Raises `FormulaError`
    for anything else: of every fault the line, a caret and what to write instead.

    >>> import numpy as np, adamas
    >>> from adamas.words import sign
    >>> @adamas.rule
    ... def signum(p, g, m, *, lr=1e-3, beta=0.9):
    ...     m = beta * m + (1 - beta) * g
    ...     return p - lr * sign(m), m
    >>> w = np.zeros(2)
    >>> optimizer = signum(w, lr=0.5)
    >>> optimizer.step(np.array([3.0, -4.0]))
    True
    >>> w
    array([-0.5,  0.5])
    """
    return function if isinstance(function, Rule) else Rule(function)
