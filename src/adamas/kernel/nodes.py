"""Pieces of a formula that its readers write themselves, with the places they stand for."""

import ast
import copy
from collections.abc import Container, Mapping, Sequence


def fresh(name: str, taken: Container[str]) -> str:
    """`name`, or `name_2`, `name_3`, ...: the first that is not taken."""
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name}_{count}"
    return candidate


def assigned(name: str, value: ast.expr) -> ast.Assign:
    """`name = value`, which stands where the value does."""
    target = ast.copy_location(ast.Name(name, ast.Store()), value)
    return ast.copy_location(ast.Assign([target], value), value)


def again(node: ast.expr) -> ast.expr:
    """A node of its own for what is read at more than one place."""
    return copy.copy(node)


def inserted(node: ast.expr, values: Mapping[str, ast.expr]) -> ast.expr:
    """The same expression with the values of these names, and of those in them, in their places."""

    class Inserted(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.expr:
            return inserted(values[name.id], values) if name.id in values else name

    made = Inserted().visit(copy.deepcopy(node))
    assert isinstance(made, ast.expr)
    return made


def compared(node: ast.expr, op: ast.cmpop, place: ast.AST) -> ast.expr:
    """`node` compared with 0."""
    return ast.copy_location(ast.Compare(node, [op], [ast.Constant(0)]), place)


def joined(nodes: Sequence[ast.expr], op: ast.operator, place: ast.AST) -> ast.expr:
    """One operation on all of them, from the left."""
    made = nodes[0]
    for node in nodes[1:]:
        made = ast.copy_location(ast.BinOp(made, op, node), place)
    return made


def called(word: str, arguments: list[ast.expr], place: ast.AST) -> ast.Call:
    """A call of a word, which stands where `place` does."""
    return ast.copy_location(ast.Call(ast.Name(word, ast.Load()), arguments, []), place)


def signed(value: float) -> ast.expr:
    """A number as it is written: Python has no negative literals."""
    if value >= 0 and str(value)[0] != "-":
        return ast.Constant(value)
    return ast.UnaryOp(ast.USub(), ast.Constant(-value))
