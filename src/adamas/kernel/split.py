"""A body in two passes: what the block scales wait for, and everything else.

A block can be encoded only when its largest number is known. The first pass therefore computes the
new states that share scales and nothing more; the roots and divisions of the second then overlap
with the encoding, which is integer work.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from adamas.kernel.formula import fresh, target
from adamas.kernel.hoist import Hoisted, renamed


@dataclass(frozen=True)
class Passes:
    """Statements of both passes, the inputs each reads, and the names that cross over."""

    first: tuple[ast.Assign, ...]
    second: tuple[ast.Assign, ...]
    first_reads: frozenset[str]
    second_reads: frozenset[str]
    crossing: tuple[str, ...]


def reads(node: ast.AST) -> set[str]:
    """The names that an expression reads."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def once(parts: Hoisted, inputs: Sequence[str]) -> Hoisted:
    """The same body with a name for every value: none is assigned twice, no input is replaced."""
    taken, body = {*inputs, *parts.constants}, []
    current: dict[str, str] = {}
    for statement in parts.body:
        taken |= {target(statement), *reads(statement.value)}
    seen = {*inputs}
    for statement in parts.body:
        value = renamed(statement.value, current)
        name = target(statement)
        new = fresh(f"{name}_new", taken) if name in seen else name
        taken.add(new)
        seen.add(name)
        current[name] = new
        body.append(ast.Assign([ast.Name(new, ast.Store())], value, lineno=1))
    outputs = {name: current.get(value, value) for name, value in parts.outputs.items()}
    return replace(parts, body=tuple(body), outputs=outputs)


def passes(
    parts: Hoisted, inputs: Sequence[str], early: Sequence[str], gone: Sequence[str]
) -> Passes:
    """Split `parts`, whose names are unique, so that the states `early` come first.

    The inputs `gone` can be read in the first pass only, because the second overwrites them.
    """
    wanted = {parts.outputs[name] for name in early}
    first: list[ast.Assign] = []
    for statement in reversed(parts.body):
        if target(statement) in wanted:
            first.insert(0, statement)
            wanted |= reads(statement.value)
    done = {target(statement) for statement in first}
    second = tuple(s for s in parts.body if target(s) not in done)
    asked = set().union(*(reads(s.value) for s in second), {parts.outputs["p"]})
    asked |= {parts.outputs[name] for name in inputs if name in parts.outputs}
    known = {*inputs}
    # The gradient crosses too where both passes read it: scaling it again would cost more.
    kept = {*gone, "g"} & (wanted if early else set()) | set(gone)
    crossing = (asked & (done | kept)) | {parts.outputs[name] for name in early}
    # A state that a rule leaves alone is its own new value, and its own input.
    return Passes(
        tuple(first),
        second,
        frozenset((wanted | crossing) & known),
        frozenset((asked & known) - crossing),
        tuple(sorted(crossing)),
    )


def carrying(parts: Hoisted, source: str) -> set[str]:
    """The names that cannot be finite where `source` is not, as far as their form tells.

    Sums, products, numerators, roots and magnitudes of a number that is NaN or infinite are NaN or
    infinite, whatever else is in them.
    """
    found = {source}
    for statement in parts.body:
        (found.add if _carries(statement.value, found) else found.discard)(target(statement))
    return found


def _carries(node: ast.expr, found: set[str]) -> bool:
    match node:
        case ast.Name(id=name):
            return name in found
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult(), left=left, right=right):
            return _carries(left, found) or _carries(right, found)
        case ast.BinOp(op=ast.Div(), left=left):
            return _carries(left, found)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _carries(operand, found)
        case ast.Call(func=ast.Name(id="sqrt" | "abs"), args=[argument]):
            return _carries(argument, found)
    return False
