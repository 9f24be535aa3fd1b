"""What kind of number each state of a formula holds, read from the formula itself.

A state that can only be positive or zero, and divides or stands under a root, is a second moment:
in few bits it must never become zero. One that grows without forgetting (a sum, a running maximum,
an iterate), or whose difference from another state divides, must not be rounded at all. Everything
else is a signed mean.
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from adamas.kernel.first import names
from adamas.kernel.formula import Formula, target

# What a step knows by itself.
NUMBERS = ("t", "rows", "columns")


@dataclass(frozen=True)
class Kind:
    """`sign` is "mean" or "square"; `exact` says that few bits would spoil it."""

    sign: str
    exact: bool

    @property
    def name(self) -> str:
        """The kind under which its format is looked up."""
        return "exact" if self.exact else self.sign


@lru_cache
def kinds(formula: Formula) -> Mapping[str, Kind]:
    """The kind of every state of `formula`."""
    squares, cancelling = positive(formula)[0], _cancelling(formula)
    found = {}
    for state in formula.states:
        kind = "square" if state in squares and _divides(formula, state) else "mean"
        # An average of the parameter is as fine as the parameter.
        exact = state == "average" or _keeps(formula, state) or state in cancelling
        found[state] = Kind(kind, exact)
    return found


def fed(formula: Formula, sources: Iterable[str]) -> set[str]:
    """The names that have something of `sources` in them."""
    found = {*sources}
    for statement in formula.statements:
        found |= {target(statement)} if names(statement.value) & found else set()
    return found


def positive(formula: Formula) -> tuple[set[str], set[str]]:
    """States that stay at or above 0, the greatest set that its own formula confirms; all names.

    Hyper-parameters are taken as they are meant: positive, and 1 minus a rate as well.
    """
    states = {s for s, value in formula.initial.items() if value >= 0}
    each = _differing(formula)
    while True:
        known = {*states, *formula.hypers, *NUMBERS}
        for statement in formula.statements:
            name = target(statement)
            (known.add if sign(statement.value, known, each) else known.discard)(name)
        left = {s for s in states if formula.outputs[s] in known}
        if left == states:
            return states, known
        states = left


def _differing(formula: Formula) -> set[str]:
    """The names that have something of elements in them, at some step or other."""
    found = {"p", "g", "h", *formula.draws}
    while True:
        known = fed(formula, found)
        left = {s for s in formula.initial if formula.outputs[s] in known} - found
        if not left:
            return known
        found |= left


def sign(node: ast.expr, known: set[str], each: set[str]) -> bool:
    """Whether an expression cannot be negative; `known` cannot, `each` differ by element."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float) and value >= 0
        case ast.Name(id=name):
            return name in known
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            same = ast.unparse(left) == ast.unparse(right)
            # `c * g * g` is read as `(c * g) * g`.
            inner = (
                isinstance(left, ast.BinOp)
                and isinstance(left.op, ast.Mult)
                and ast.unparse(left.right) == ast.unparse(right)
                and sign(left.left, known, each)
            )
            return same or inner or (sign(left, known, each) and sign(right, known, each))
        case ast.BinOp(op=ast.Add() | ast.Div(), left=left, right=right):
            return sign(left, known, each) and sign(right, known, each)
        case ast.BinOp(op=ast.Sub(), left=ast.Constant(value=1), right=right):
            # `1 - beta` is; 1 minus something of an element need not be.
            return sign(right, known, each) and not names(right) & each
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            even = isinstance(right, ast.Constant) and right.value in (2, 4)
            return even or sign(left, known, each)
        case ast.IfExp(body=body, orelse=orelse):
            return sign(body, known, each) and sign(orelse, known, each)
        case ast.Call(func=ast.Name(id=word), args=args):
            return _called(word, [sign(argument, known, each) for argument in args])
    return False


def _called(word: str, signs: list[bool]) -> bool:
    if word in ("sqrt", "abs", "exp", "norm", "rms"):
        return True
    if word in ("mean", "total"):
        return all(signs)
    if word == "maximum":
        return any(signs)
    return word in ("minimum", "where") and all(signs[-2:])


def _divides(formula: Formula, state: str) -> bool:
    """Whether the state reaches a divisor, a root or a logarithm."""
    reached = {state}
    for statement in formula.statements:
        if any(names(part) & reached for part in _sensitive(statement.value)):
            return True
        (reached.add if names(statement.value) & reached else reached.discard)(target(statement))
    return False


def _sensitive(node: ast.expr) -> list[ast.expr]:
    found: list[ast.expr] = []
    for part in ast.walk(node):
        match part:
            case ast.BinOp(op=ast.Div(), right=right):
                found.append(right)
            case ast.Call(func=ast.Name(id="sqrt" | "log"), args=args):
                found += args
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                found += [left, right]
    return found


def _keeps(formula: Formula, state: str) -> bool:
    """Whether the state enters its own new value whole: then it never forgets."""
    whole = {state}
    for statement in formula.statements:
        (whole.add if _whole(statement.value, whole) else whole.discard)(target(statement))
    return formula.outputs[state] in whole


def _whole(node: ast.expr, whole: set[str]) -> bool:
    match node:
        case ast.Name(id=name):
            return name in whole
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _whole(left, whole) or _whole(right, whole)
        case ast.BinOp(op=ast.Sub(), left=left):
            return _whole(left, whole)
        case ast.IfExp(body=body, orelse=orelse):
            return _whole(body, whole) or _whole(orelse, whole)
        case ast.Call(func=ast.Name(id="maximum" | "minimum" | "where"), args=args):
            return any(_whole(argument, whole) for argument in args[-2:])
    return False


def _cancelling(formula: Formula) -> set[str]:
    """States whose difference, not squared, stands under a root or divides: rounding is all of it.

    The variance of centered RMSProp is one: in few bits `v - m * m` would often be 0.
    """
    holds = {state: ({state}, set[str]()) for state in formula.states}
    found: set[str] = set()
    for statement in formula.statements:
        for part in _sensitive(statement.value):
            found |= _differences(part, holds)[1]
        holds[target(statement)] = _differences(statement.value, holds)
    return found


def _differences(
    node: ast.AST, holds: dict[str, tuple[set[str], set[str]]]
) -> tuple[set[str], set[str]]:
    """The states that an expression is made of, and those of them that it subtracts."""
    if isinstance(node, ast.Name):
        return holds.get(node.id, (set(), set()))
    parts = [_differences(child, holds) for child in ast.iter_child_nodes(node)]
    states = set[str]().union(*(part[0] for part in parts))
    lost = set[str]().union(*(part[1] for part in parts))
    match node:
        case ast.BinOp(op=ast.Sub()) if parts[0][0] and parts[-1][0]:
            return states, lost | states
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            inner = left.right if isinstance(left, ast.BinOp) else left
            if ast.unparse(right) in (ast.unparse(left), ast.unparse(inner)):
                return states, set()
    return states, lost
