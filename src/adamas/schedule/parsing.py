"""A schedule from its text, as a saved state holds it: nothing is evaluated but the eight shapes.

The text of a file is read as an expression and taken apart; whatever is no shape with numbers, no
``.then`` and no product is refused by its own text.
"""

from __future__ import annotations

import ast
from typing import Any

from adamas.schedule import shapes
from adamas.schedule.base import Schedule

LIMIT = 4_000  # characters: the depth Python itself refuses is another once a library moved it
SHAPES = {name: getattr(shapes, name) for name in shapes.__all__ if name != "Schedule"}


def parse(text: str) -> Schedule:
    """Return the schedule whose ``repr`` is ``text``, bit for bit.

    Raises TypeError for what is no text, ValueError that names the part which is no schedule, and
    for a shape's arguments what the shape raises.

    >>> parse("cosine(0.001, steps=100) * 0.5")
    cosine(0.001, steps=100, end=0.0) * 0.5
    """
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not the text of a schedule, such as 'cosine(0.1, steps=9)'.")
    if len(text) > LIMIT:
        raise ValueError(
            f"{text[:80]!r} is no schedule: {len(text)} characters, at most {LIMIT} are read."
        )
    try:
        made = _made(ast.parse(text, mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text[:80]!r} is no schedule: {type(error).__name__}.") from None
    if not isinstance(made, Schedule):
        raise ValueError(f"{text[:80]!r} is a number; write constant({text[:80]}).")
    return made


def _made(node: ast.expr) -> Any:
    """The schedule or number of an expression."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _made(left) * _made(right)
        case ast.Call(func=ast.Name(id=name), args=args) if name in SHAPES:
            return SHAPES[name](*map(_made, args), **_named(node))
        case ast.Call(func=ast.Attribute(value=first, attr="then"), args=[second]):
            made = _made(first)
            if isinstance(made, Schedule):
                return made.then(_made(second), **_named(node))
    raise ValueError(
        f"{ast.unparse(node)[:80]!r} is no schedule: there are {', '.join(SHAPES)}, each with "
        "numbers, .then(schedule, at=step) and *."
    )


def _named(call: ast.Call) -> dict[str, Any]:
    return {str(one.arg): _made(one.value) for one in call.keywords}
