"""What a formula's constants are worth: an expression of numbers alone is computed where it stands.

Python would make a complex number of `(-8) ** 0.5`, raise an error for `1 / 0`, and a kernel has
neither. A constant that is not a finite real number is therefore refused when the rule is defined.
"""

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from adamas import words
from adamas.kernel.text import Text

__all__ = ["check_constants", "too_deep"]

DEEPEST = 100
"""Operations inside each other: Python's and Numba's compilers call themselves for each."""

OPERATIONS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def too_deep(text: Text, node: ast.AST) -> bool:
    """Whether operations lie more than `DEEPEST` deep inside each other, which is a fault."""
    level: list[ast.AST] = [node]
    for _ in range(DEEPEST + 2):
        level = [child for parent in level for child in ast.iter_child_nodes(parent)]
    deep = any(isinstance(child, ast.expr) for child in level)
    if deep:
        text.fault(
            node,
            f"more than {DEEPEST} operations lie inside each other",
            "A sum of many terms counts one for each. Give parts of it names, in lines of their "
            "own.",
        )
    return deep


def check_constants(text: Text, node: ast.AST) -> None:
    """Find a part of an accepted expression that is a constant and no finite number."""
    with np.errstate(all="ignore"):
        _value(text, node)


def _value(text: Text, node: ast.AST) -> Any:
    """What `node` is worth, in float64; None if it depends on a name."""
    if isinstance(node, ast.Name):
        return None
    if isinstance(node, ast.Constant):
        return _finite(text, node, lambda: node.value)
    operands = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    parts = [_value(text, part) for part in operands if isinstance(part, ast.expr)]
    if any(part is None for part in parts):
        return None
    if isinstance(node, ast.Compare):
        return np.float64(OPERATIONS[type(node.ops[0])](*parts))
    if isinstance(node, ast.BinOp | ast.UnaryOp):
        return _finite(text, node, lambda: OPERATIONS[type(node.op)](*parts))
    # What is left is a word, or a choice, which is one too.
    word = ast.unparse(node.func) if isinstance(node, ast.Call) else "where"
    return _finite(text, node, lambda: getattr(words, word)(*parts))


def _finite(text: Text, node: ast.AST, compute: Callable[[], Any]) -> Any:
    try:
        value = np.float64(compute())
    except OverflowError:
        value = np.float64(np.inf)
    if not np.isfinite(value):
        shown = ast.unparse(node)
        text.fault(
            node,
            f"`{shown if len(shown) <= 40 else shown[:37] + '...'}` is {value}",
            "A constant must be a finite real number.",
        )
        return None
    return value
