"""A codec's formula on int32 becomes text that the compiler keeps in int32.

Numba widens every integer operation to 64 bits, which halves the vectors; each operator is
therefore written as the single instruction it stands for.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

OPERATORS = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.BitAnd: "both",
    ast.BitOr: "either",
    ast.LShift: "left",
    ast.RShift: "right",
}
WORDS = {
    "plus": "_b.plus",
    "minus": "_b.minus",
    "is_nan": "_b.is_nan",
    "maximum": "_b.larger",
    "minimum": "_b.smaller",
    "where": "_m.where",
}


def lower(function: Callable[..., Any], name: str) -> list[str]:
    """The lines of `function` for a kernel's file, where it is called `name`."""
    source = textwrap.dedent(inspect.getsource(function))
    (tree,) = ast.parse(source).body
    assert isinstance(tree, ast.FunctionDef)
    body = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
    names = ", ".join(argument.arg for argument in tree.args.args)
    lines = ["@_m.compiled", f"def {name}({names}):", "    _b.inline()"]
    return lines + ["    " + ast.unparse(_Lower(source).visit(statement)) for statement in body]


class _Lower(ast.NodeTransformer):
    def __init__(self, source: str) -> None:
        self.source = source

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return self.number(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        assert isinstance(node.op, ast.USub)
        return self.number(node)

    def number(self, node: ast.expr) -> ast.expr:
        """A number as it is written: masks of bits are read in hexadecimal."""
        return ast.Name(f"_b.int32({ast.get_source_segment(self.source, node)})", ast.Load())

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        parts = [self.visit(node.left), self.visit(node.right)]
        return ast.Call(_dotted(f"_b.{OPERATORS[type(node.op)]}"), parts, [])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        arguments: list[ast.expr] = [self.visit(argument) for argument in node.args]
        return ast.Call(_dotted(WORDS[node.func.id]), arguments, [])


def _dotted(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())
