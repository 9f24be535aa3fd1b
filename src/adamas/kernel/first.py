"""What a formula asks of the first step, and what an element holds that has not had one.

A tensor's step count goes on while some of its rows rest, so `t` is not theirs. Arithmetic with
`t`, such as a bias correction, means the tensor's count, as in torch's SparseAdam. A comparison
that tells the first step from all others, such as `t == 1`, sets something up, and means the first
step of the element itself.
"""

import ast
from collections.abc import Container, Iterable, Mapping

import numpy as np

from adamas import words
from adamas.kernel.scopes import matrix, reduction

# Whoever tells these apart from 1, and not from each other, tells the first step from the others.
LATER = (*range(2, 200), 1000, 12345, 10**6)
VOCABULARY = {name: getattr(words, name) for name in words.__all__}


def asks(test: ast.expr, clocks: Mapping[str, ast.expr]) -> bool | None:
    """Whether a condition holds at the first step only (True) or at all others (False).

    None where it is something else, and where a remainder makes it come again. `clocks` are the
    names that depend on `t` alone, `t` among them, with their expressions. Of several comparisons
    each must tell the first step from all others: what holds at one that nobody thinks of comes
    again.
    """
    read = names(test)
    if not read or not read <= clocks.keys():
        return None
    told = inlined(test, clocks)
    if any(isinstance(node, ast.Mod) for node in ast.walk(told)):
        return None
    every = [node for node in ast.walk(told) if isinstance(node, ast.Compare)]
    if len(every) > 1 and any(_tells(one) is None for one in every):
        return None
    return _tells(told)


def _tells(told: ast.expr) -> bool | None:
    """The same of a condition in which only `t` is read, by its value at some steps."""
    numbers = (float(ast.unparse(n)) for n in ast.walk(told) if isinstance(n, ast.Constant))
    # What a condition compares with is where it may turn.
    near = {
        float(k)
        for number in numbers
        if 2 <= number < 2**53
        for k in range(int(number) - 1, int(number) + 3)
    }
    code = compile(ast.fix_missing_locations(ast.Expression(told)), "<t>", "eval")
    steps = (1, *LATER, *sorted(near - {1.0}))
    try:
        with np.errstate(all="ignore"):
            found = [bool(eval(code, {**VOCABULARY, "t": np.float64(t)})) for t in steps]
    except ArithmeticError:
        return None
    first, *later = found
    return None if first in later else first


def inlined(node: ast.expr, clocks: Mapping[str, ast.expr]) -> ast.expr:
    """A copy of `node` in which only `t` is read, and all numbers are floats."""
    copy = ast.parse(ast.unparse(node), mode="eval").body
    found = _Inline(clocks).visit(copy)
    assert isinstance(found, ast.expr)
    return found


class _Inline(ast.NodeTransformer):
    def __init__(self, clocks: Mapping[str, ast.expr]) -> None:
        self.clocks = clocks

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.clocks.get(node.id, node)

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        assert isinstance(node.value, int | float)
        return ast.Constant(float(node.value))


def names(node: ast.AST) -> set[str]:
    """The names that an expression reads, without the words that it calls."""
    every = list(ast.walk(node))
    called = {id(n.func) for n in every if isinstance(n, ast.Call)}
    return {n.id for n in every if isinstance(n, ast.Name) and id(n) not in called}


def clock(value: ast.expr, clocks: Mapping[str, ast.expr]) -> ast.expr | None:
    """The expression of a value that depends on `t` alone; None for any other."""
    read = names(value)
    alone = read and read <= clocks.keys() and not (reduction(value) or matrix(value))
    return inlined(value, clocks) if alone else None


def chosen(node: ast.expr) -> tuple[ast.expr, ast.expr, ast.expr] | None:
    """Condition and both sides of a choice, however it is written."""
    match node:
        case ast.IfExp():
            return node.test, node.body, node.orelse
        case ast.Call(func=ast.Name(id="where"), args=[test, yes, no]):
            return test, yes, no
    return None


def starts(
    statements: Iterable[ast.Assign], states: Container[str], hypers: Iterable[str]
) -> dict[str, ast.expr]:
    """What each state is before its element's first step, where that is made of the parameter.

    Read from lines such as `z = p if t == 1 else z`: the state's own value, but at the first step
    something of `p` and hyper-parameters.
    """
    found: dict[str, ast.expr] = {}
    clocks: dict[str, ast.expr] = {"t": ast.Name("t", ast.Load())}
    given, assigned = {"p", *hypers}, set[str]()
    for statement in statements:
        (target,) = statement.targets
        assert isinstance(target, ast.Name)
        choice = chosen(statement.value)
        if choice and (first := asks(choice[0], clocks)) is not None:
            value, kept = choice[1:] if first else choice[:0:-1]
            fits = "p" in names(value) and names(value) <= given - assigned
            if (
                fits
                and isinstance(kept, ast.Name)
                and kept.id in states
                and kept.id not in assigned
            ):
                found.setdefault(kept.id, value)
        assigned.add(target.id)
        known = clock(statement.value, clocks)
        clocks.pop(target.id, None)
        clocks |= {} if known is None else {target.id: known}
    return found
