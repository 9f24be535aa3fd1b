"""What a rule does in some steps only: a second body for the others, which leaves states alone.

Lookahead moves its slow weights in every fifth step. In the others they need be neither read nor
written, which a choice between two values of an element would do.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from adamas.kernel.formula import target
from adamas.kernel.hoist import Hoisted, renamed
from adamas.kernel.split import once
from adamas.kernel.stages import needed


@dataclass(frozen=True)
class Switch:
    """A text that is true where everything must be done, and the body for where it is not."""

    busy: str
    idle: Hoisted


def switch(parts: Hoisted, inputs: Sequence[str], states: Sequence[str]) -> Switch | None:
    """The steps in which some state can be left alone, by what is chosen for all elements alike.

    Those in which no condition holds, or one that is asked for in particular.
    """
    body = once(parts, inputs)
    found = _choices(body)
    for decided in (dict.fromkeys(found, False), *({name: True} for name in found)):
        idle = _decided(body, decided, found)
        if found and any(idle.outputs[s] == s != body.outputs[s] for s in states):
            tests = (f"{n} {'==' if decided[n] else '!='} {found[n]}" for n in decided)
            return Switch(" or ".join(tests), idle)
    return None


def _choices(parts: Hoisted) -> dict[str, str]:
    """The constants that decide for all elements alike, each with the one that is zero."""
    found = dict[str, str]()
    for statement in parts.body:
        for node in ast.walk(statement.value):
            if pair := _decides(node):
                found |= [pair] if {*pair} <= parts.constants.keys() else []
    return found


def _decides(node: ast.AST) -> tuple[str, str] | None:
    """Which name chooses, by not being another: `where(name != zero, ...)`."""
    match node:
        case ast.Call(
            func=ast.Name(id="where"),
            args=[
                ast.Compare(
                    left=ast.Name(id=name), ops=[ast.NotEq()], comparators=[ast.Name(id=zero)]
                ),
                _,
                _,
            ],
        ):
            return name, zero
    return None


def _decided(parts: Hoisted, decided: Mapping[str, bool], zeros: Mapping[str, str]) -> Hoisted:
    """The body where constants are not zero, or are; without what nobody reads then."""
    same, body = dict[str, str](), list[ast.Assign]()
    for statement in parts.body:
        worker = _Decide(decided, zeros)
        value = cast(ast.expr, worker.visit(renamed(statement.value, same)))
        name = target(statement)
        if isinstance(value, ast.Name):
            same[name] = value.id
        else:
            body.append(ast.Assign(statement.targets, value, lineno=1))
    outputs = {name: same.get(value, value) for name, value in parts.outputs.items()}
    return replace(parts, body=tuple(needed(body, set(outputs.values()))), outputs=outputs)


class _Decide(ast.NodeTransformer):
    def __init__(self, decided: Mapping[str, bool], zeros: Mapping[str, str]) -> None:
        self.decided, self.zeros = decided, zeros

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name, zero = _decides(node) or ("", "")
        if name in self.decided and self.zeros[name] == zero:
            return node.args[1] if self.decided[name] else node.args[2]
        return node
