"""The same formula on float64 arrays, line by line as it was written: the oracle of every kernel.

Nothing is hoisted, fused or rounded here, and no line of a rule is written a second time: the
statements that the kernel is woven from are executed with the words bound to NumPy.
"""

import ast
import math
from collections.abc import Iterable
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adamas import words
from adamas.kernel.draws import numbers
from adamas.kernel.formula import Formula

VOCABULARY = {word: getattr(words, word) for word in words.__all__} | {"_float64": np.float64}


class Reference:
    """A rule stepped in float64 NumPy: `p` and `state` hold the current values.

    `p` has any shape, states of rows and columns have all its dimensions; `hypers` replace the
    rule's defaults. Raises TypeError for a name that is not a hyper-parameter of the rule.

    Random numbers are those of an optimizer with this `seed` for its tensor number `own`, in C
    order; both are 0 until they are set.
    """

    def __init__(self, formula: Formula, p: ArrayLike, **hypers: float) -> None:
        if unknown := set(hypers) - set(formula.hypers):
            raise TypeError(f"{formula.name} has no hyper-parameter {min(unknown)!r}.")
        self.formula = formula
        # NumPy's numbers: Python's own raise where IEEE arithmetic gives inf or NaN.
        self.hypers = {k: np.float64(v) for k, v in {**formula.hypers, **hypers}.items()}
        self.p: NDArray[np.float64] = np.array(p, np.float64)
        shape = self.p.shape
        # Every element of a vector is a row, and the whole is one column.
        kept = (
            (formula.states, shape),
            (formula.rows, shape[:1] + (1,) * len(shape[1:])),
            (formula.columns, (1, *shape[1:])[: len(shape)]),
            (formula.scalars, ()),
        )
        self.shapes = {name: one for names, one in kept for name in names}
        self.state: dict[str, Any] = {
            name: np.full(shape, formula.initial[name])[()] for name, shape in self.shapes.items()
        }
        self.t, self.seed, self.own = 0, 0, 0
        self._code = _lines(formula)

    def step(self, g: ArrayLike, h: ArrayLike | None = None) -> None:
        """Apply the rule to gradient `g` of the parameter's shape, in float64.

        `h` is the array beside it, of the same shape, for a rule that asks for one.
        """
        names = self.begin(g, h)
        execute(self._code, names)
        self.end(names)

    def begin(self, g: ArrayLike, h: ArrayLike | None = None) -> dict[str, Any]:
        """What the names of the rule are before its first line, in the next step."""
        gradient, second = (np.asarray(x, np.float64) for x in (g, g if h is None else h))
        for what, array in (("gradient", gradient), ("second array", second)):
            if array.shape != self.p.shape:
                raise ValueError(f"{what} of shape {array.shape}; p has {self.p.shape}.")
        self.t += 1
        names: dict[str, Any] = {
            "p": self.p,
            "g": gradient,
            "h": second,
            "t": np.float64(self.t),
            "rows": np.float64(self.p.shape[0] if self.p.ndim else 1),
            "columns": np.float64(math.prod(self.p.shape[1:])),
            **self.state,
            **self.hypers,
        }
        for name in self.formula.draws:
            found = numbers(self.seed, self.own, self.t, name, self.p.size)
            names[name] = found.reshape(self.p.shape)
        return names

    def end(self, names: dict[str, Any]) -> None:
        """Take over what the names of the rule are after its last line."""
        outputs = self.formula.outputs
        self.p = np.array(np.broadcast_to(names[outputs["p"]], self.p.shape))
        for name, shape in self.shapes.items():
            self.state[name] = np.array(np.broadcast_to(names[outputs[name]], shape))[()]


def execute(lines: Iterable[CodeType], names: dict[str, Any]) -> None:
    """Run what `compiled` made on these names, float64 numbers and arrays, and add to them."""
    # Both sides of a choice are evaluated, so the side not taken may divide by zero.
    with np.errstate(all="ignore"):
        for line in lines:
            exec(line, VOCABULARY, names)


@lru_cache(maxsize=128)
def _lines(formula: Formula) -> list[CodeType]:
    """The lines of a rule for `execute`; to compile them takes longer than to run them once."""
    return [compiled(statement) for statement in formula.statements]


def compiled(statement: ast.Assign) -> CodeType:
    """One line of a formula for `execute`."""
    text = ast.unparse(statement)
    (copy,) = ast.parse(text).body
    module = ast.Module([_Numbers().visit(copy)], [])
    return compile(ast.fix_missing_locations(module), f"<{text}>", "exec")


class _Numbers(ast.NodeTransformer):
    """Make every value a float64: literals, and comparisons, which are 1.0 or 0.0.

    `a if c else b` asks an array for one truth value; `where` asks each element.
    """

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return node if isinstance(node.value, str) else _call("_float64", node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        return _call("where", node, ast.Constant(1.0), ast.Constant(0.0))

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return _call("where", node.test, node.body, node.orelse)


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])
