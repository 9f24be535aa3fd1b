"""What one unit of gradient is multiplied by on its way into the parameter, read from the formula.

For Adam that is lr / (sqrt(v_hat) + eps): in `p - lr * m_hat / (sqrt(v_hat) + eps)` everything but
the averaged gradient, `m_hat`, the only factor that can be negative. The sign is left out: a rule
may subtract `lr` times something or add `-lr` times it. A rule that divides by nothing that differs
from element to element has no such step: there it is lr, or a share of it.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adamas.kernel.first import chosen, names
from adamas.kernel.formula import Formula, target
from adamas.kernel.hoist import Hoisted
from adamas.kernel.kinds import fed, positive, sign
from adamas.kernel.reference import compiled, execute
from adamas.kernel.split import once


@dataclass(frozen=True)
class EffectiveStep:
    """The step of a rule for each element, in float64, as the rule itself would compute it.

    `before` names what must be known of the time before the step, besides the states after it:
    Adadelta's `d`, and where a rule has them in its divisor, `p` and `g`.
    """

    before: frozenset[str]
    _after: dict[str, str]
    _code: tuple[CodeType, ...]

    def __call__(
        self,
        t: ArrayLike,
        hypers: Mapping[str, float],
        after: Mapping[str, ArrayLike],
        before: Mapping[str, ArrayLike] | None = None,
    ) -> NDArray[np.float64]:
        """Return the multiplier at step `t`; raises KeyError for a name that is not given.

        `hypers` has every hyper-parameter, `after` every state, scalar ones too, after that step.
        """
        given = {**{name: (before or {})[name] for name in self.before}, **hypers, "t": t}
        given |= {name: after[state] for name, state in self._after.items()}
        known: dict[str, Any] = {k: np.asarray(v, np.float64)[()] for k, v in given.items()}
        execute(self._code, known)
        return np.asarray(np.abs(known["_step"]))


def effective_step(formula: Formula) -> EffectiveStep | None:
    """Return the effective step of a rule; None for one that no divisor gives a step of its own.

    >>> from adamas import rules
    >>> from adamas.kernel.formula import parse
    >>> step = effective_step(parse(rules.rmsprop))
    >>> step(1, {"lr": 0.1, "beta2": 0.99, "eps": 0.0, "weight_decay": 0.0}, {"v": [4.0, 25.0]})
    array([0.05, 0.02])
    >>> effective_step(parse(rules.momentum))
    """
    inputs = ("p", "g", "t", *formula.initial, *formula.hypers)
    # No name is assigned twice, so that each means one value.
    single = once(Hoisted((), formula.statements, {}, {}, formula.outputs), inputs)
    formula = replace(formula, statements=single.body, outputs=single.outputs)
    found = _Path(formula).step(ast.Name(formula.outputs["p"], ast.Load()))
    if found is None:
        return None
    after = {formula.outputs[state]: state for state in formula.initial}
    lines = [ast.Assign([ast.Name("_step", ast.Store())], found, lineno=1)]
    wanted = names(found)
    for statement in reversed(formula.statements):
        if target(statement) in wanted - after.keys():
            lines.insert(0, statement)
            wanted |= names(statement.value)
    wanted -= {*map(target, lines), *formula.hypers, "t"}
    read = {name: state for name, state in after.items() if name in wanted}
    before = frozenset(wanted - read.keys())
    if formula.over or before - {"p", "g", *formula.initial}:
        # Of a sum, a second array or a random number nobody knows afterwards what it was.
        return None
    return EffectiveStep(before, read, tuple(map(compiled, lines)))


class _Path:
    """The way of the gradient through a formula in which no name is assigned twice."""

    def __init__(self, formula: Formula) -> None:
        self.values = {target(s): s.value for s in formula.statements}
        self.each = fed(formula, ("p", "g", *formula.states))
        self.gradients = fed(formula, ("g", *formula.states))
        self.positive = positive(formula)[1]

    def step(self, node: ast.expr) -> ast.expr | None:
        """Return what multiplies the gradient in `node`, if on its way an element divides it."""
        if not names(node) & self.gradients:
            return None
        match node:
            case ast.Name(id=name) if name in self.values:
                return self.step(self.values[name])
            case ast.UnaryOp(operand=operand):
                return self.step(operand)
            case ast.BinOp(op=ast.Add() | ast.Sub(), left=left, right=right):
                return self.step(right) or self.step(left)
            case ast.BinOp(op=ast.Div(), left=left, right=right):
                above = self.share(left) if names(right) & self.each else self.step(left)
                return above and ast.BinOp(above, ast.Div(), right)
            case ast.BinOp(left=base, op=ast.Pow(), right=ast.UnaryOp(op=ast.USub())):
                # x ** -k is 1 / x ** k.
                return node if names(base) & self.each else None
            case ast.BinOp(op=ast.Mult(), left=left, right=right):
                for one, other in ((left, right), (right, left)):
                    if found := self.step(one):
                        return ast.BinOp(self.share(other), ast.Mult(), found)
        if (choice := chosen(node)) is None:
            return None
        test, *sides = choice
        steps = [self.step(side) for side in sides]
        if names(test) & self.each or not any(steps):
            # Which elements move at all is no matter of how far.
            return steps[0] or steps[1]
        yes, no = (step or self.share(side) for step, side in zip(steps, sides, strict=True))
        return ast.IfExp(test, yes, no)

    def share(self, node: ast.expr) -> ast.expr:
        """Return the factors of `node` but the gradient: numbers, and what cannot be negative."""
        if not names(node) & self.each or sign(node, self.positive, self.each):
            return node
        match node:
            case ast.BinOp(op=ast.Mult(), left=left, right=right):
                return ast.BinOp(self.share(left), ast.Mult(), self.share(right))
            case ast.BinOp(op=ast.Div(), left=left, right=right):
                return ast.BinOp(self.share(left), ast.Div(), right)
        return ast.Constant(1.0)
