"""Whether a rule's step depends on the parameter at all: who calls `update` without is told so.

Told from the text, for every step and every value: each line is free of the parameter, or the
parameter plus what is free of it, or neither. Hyper-parameters that are known numbers are taken
for what they are, so that a decay of 0 is none.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from typing import Any

import numpy as np

from adamas import words
from adamas.kernel.formula import Formula, target
from adamas.kernel.scopes import REDUCTIONS

FREE, SHIFTED, MIXED = "free", "shifted", "mixed"
OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.Pow: operator.pow, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip

# What changes nothing on the right.
NEUTRAL: dict[type[ast.AST], float] = {
    ast.Add: 0.0,
    ast.Sub: 0.0,
    ast.Mult: 1.0,
    ast.Div: 1.0,
    ast.Pow: 1.0,
}


@dataclass(frozen=True)
class Value:
    """What is known of an expression; `number` is its value where the text alone gives it."""

    kind: str = FREE
    number: float | None = None


def needed(formula: Formula, hypers: Mapping[str, Any]) -> bool:
    """Whether a step depends on the parameter, and not on its gradient and states alone."""
    known = ((k, float(v) if isinstance(v, Real) else None) for k, v in hypers.items())
    return _told(formula, *known)


@lru_cache
def _told(formula: Formula, *hypers: tuple[str, float | None]) -> bool:
    names = {name: Value(FREE, number) for name, number in hypers} | {"p": Value(SHIFTED)}
    with np.errstate(all="ignore"):
        for statement in formula.statements:
            names[target(statement)] = _value(statement.value, names)
    ends = {name: names.get(one, Value()).kind for name, one in formula.outputs.items()}
    return ends.pop("p") != SHIFTED or set(ends.values()) - {FREE} != set()


def _value(node: ast.expr, names: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return Value(FREE, float(number))
        case ast.Name(id=name):
            return names.get(name, Value())
        case ast.BinOp(left=left, op=op, right=right):
            return _computed(type(op), _value(left, names), _value(right, names))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            found = _computed(type(op), _value(left, names), _value(right, names))
            return Value(MIXED) if found.kind == SHIFTED else found
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _computed(ast.Sub, Value(FREE, 0.0), _value(operand, names))
        case ast.UnaryOp(operand=operand):
            return _value(operand, names)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _chosen(*(_value(one, names) for one in (test, body, orelse)))
        case ast.Call(func=ast.Name(id=word), args=args):
            return _called(word, [_value(one, names) for one in args])
    return Value(MIXED)


def _computed(op: type[ast.AST], x: Value, y: Value) -> Value:
    if x.number is not None and y.number is not None and op in OPERATORS:
        return Value(FREE, float(OPERATORS[op](np.float64(x.number), np.float64(y.number))))
    nothing = op is ast.Mult and 0.0 in (x.number, y.number)
    if nothing or (op is ast.Div and x.number == 0.0):
        return Value(FREE, 0.0)
    if y.number is not None and y.number == NEUTRAL.get(op):
        return x
    if op in (ast.Mult, ast.Add) and x.number == NEUTRAL[op]:
        return y
    kinds = (x.kind, y.kind)
    if kinds == (FREE, FREE) or (op is ast.Sub and kinds == (SHIFTED, SHIFTED)):
        return Value()
    shifted = (op in (ast.Add, ast.Sub) and kinds == (SHIFTED, FREE)) or (
        op is ast.Add and kinds == (FREE, SHIFTED)
    )
    return Value(SHIFTED if shifted else MIXED)


def _chosen(test: Value, yes: Value, no: Value) -> Value:
    if test.number is not None:
        return yes if test.number else no
    same = test.kind == FREE and yes.kind == no.kind
    return Value(yes.kind if same else MIXED, yes.number if same and yes == no else None)


def _called(word: str, given: list[Value]) -> Value:
    if word == "where":
        test, yes, no = given
        return _chosen(test, yes, no)
    if any(one.kind != FREE for one in given):
        return Value(MIXED)
    numbers = [one.number for one in given]
    if None in numbers or word in REDUCTIONS:
        return Value()
    return Value(FREE, float(getattr(words, word)(*numbers)))
