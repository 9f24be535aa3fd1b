"""What orthogonalizes, taken apart for those that compute it."""

import ast
from collections.abc import Collection
from dataclasses import replace

from adamas.kernel.nodes import fresh
from adamas.kernel.scopes import TENSOR, Matrix, Reduction, matrix
from adamas.newton_schulz import LEAST_NORM, of_one


def normalised(statement: ast.Assign, taken: Collection[str]) -> list[ast.Assign]:
    """The statement with the division by the norm in lines of their own; any other as it is.

    The norm is then a sum like any other, in an order that the shape alone decides.
    """
    if (found := matrix(statement.value)) is None:
        return [statement]
    size, unit = (fresh(name, taken) for name in ("frobenius", "unit"))
    least = ast.Call(_name("maximum"), [_name(size), ast.Constant(LEAST_NORM)], [])
    return [
        _assigned(size, Reduction("norm", found.argument, TENSOR).call),
        _assigned(unit, ast.BinOp(found.argument, ast.Div(), least)),
        ast.Assign(statement.targets, replace(found, argument=_name(unit)).call, lineno=1),
    ]


def of_vector(statement: ast.Assign, made: Matrix, taken: Collection[str]) -> list[ast.Assign]:
    """The same of a matrix of one column, which has one singular value: its norm."""
    size, unit, last = normalised(statement, taken)
    value = ast.BinOp(ast.Constant(of_one(made.coefficients)), ast.Mult(), unit.value)
    return [size, ast.Assign(last.targets, value, lineno=1)]


def _assigned(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value, lineno=1)


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())
