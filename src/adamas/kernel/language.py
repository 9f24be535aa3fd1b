"""What a formula may be made of: the statements, expressions and names that a kernel can run.

Everything that is not listed here is refused, with what to write instead, so that whatever passes
can be hoisted, fused and run in any dtype.
"""

import ast
from typing import NoReturn

from adamas import words
from adamas.kernel.text import Text

WORDS = frozenset(words.__all__)
ARITIES = {"maximum": 2, "minimum": 2, "where": 3}
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
# The generated loops use these two; their other names begin with an underscore.
RESERVED = WORDS | {"range", "min"}
CHOOSE = "choose with `a if c else b` or `where(c, a, b)`."
# Words of other languages, and what they are called here.
SYNONYMS = {
    "max": "maximum", "min": "minimum", "fmax": "maximum", "fmin": "minimum", "absolute": "abs",
    "fabs": "abs", "pow": "x ** y", "power": "x ** y", "square": "x * x", "reciprocal": "1 / x",
    "clip": "minimum(maximum(x, low), high)", "clamp": "minimum(maximum(x, low), high)",
    "select": "where",
}  # fmt: skip


def check_name(text: Text, node: ast.AST, name: str) -> None:
    """Refuse a name that generated code needs for itself."""
    if name in RESERVED or name.startswith("_"):
        text.refuse(node, f"the name {name!r} is taken by the machinery", "Choose another name.")


def assignment(text: Text, node: ast.stmt, known: set[str]) -> ast.Assign:
    """`node` as a plain assignment to one name; refuses any other statement."""
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        left = ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target)
        value: ast.expr = ast.copy_location(ast.BinOp(left, node.op, node.value), node)
        node = ast.copy_location(ast.Assign([node.target], value), node)
    if not isinstance(node, ast.Assign):
        problem, advice = _not_assigned(node)
        text.refuse(node, problem, advice)
    if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        text.refuse(node, "a formula assigns one name at a time", "Write one assignment a line.")
    check_name(text, node.targets[0], node.targets[0].id)
    expression(text, node.value, known)
    return node


def _not_assigned(node: ast.stmt) -> tuple[str, str]:
    match node:
        case ast.Return():
            return "a formula returns once, at its end", f"Instead {CHOOSE}"
        case ast.Expr():
            return "this line assigns nothing", "Remove it; a formula has no side effects."
        case ast.AugAssign():
            return "a formula assigns names, not parts of them", "Write `name = ...`."
        case ast.AnnAssign():
            return "a formula carries no types", "Write `name = ...`."
    kind = type(node).__name__.lower().removeprefix("async")
    kind = {"functiondef": "def", "classdef": "class", "importfrom": "import"}.get(kind, kind)
    return f"a formula has no `{kind}` statement", f"Use assignments only; {CHOOSE}"


def expression(text: Text, node: ast.expr, known: set[str]) -> None:
    """Refuse whatever is not arithmetic on the `known` names, a comparison, a choice or a word."""
    match node:
        case ast.Constant(value=bool()):
            text.refuse(node, "a truth value is not a number", "Write a comparison, 0.0 or 1.0.")
        case ast.Constant(value=int() | float()):
            return
        case ast.Name(id=name) if name in known:
            return
        case ast.Name(id=name):
            text.refuse(
                node,
                f"{name!r} is not known here",
                "Make it a state, a keyword-only hyper-parameter, or assign it first; "
                "a formula reads no globals.",
            )
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow()):
            parts = [node.left, node.right]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            parts = [node.operand]
        case ast.Compare() if len(node.ops) == 1 and isinstance(node.ops[0], COMPARISONS):
            parts = [node.left, node.comparators[0]]
        case ast.IfExp():
            parts = [node.test, node.body, node.orelse]
        case ast.Call():
            parts = _call(text, node)
        case _:
            _refuse_expression(text, node)
    for part in parts:
        expression(text, part, known)


def _refuse_expression(text: Text, node: ast.expr) -> NoReturn:
    match node:
        case ast.BoolOp():
            problem = "`and` / `or` do not work on arrays"
            advice = "Nest `where(c, a, b)`, or multiply the conditions."
        case ast.Compare() if len(node.ops) > 1:
            problem = "a chain of comparisons does not work on arrays"
            advice = "Multiply them, as in `(0 < g) * (g < 1)`."
        case _:
            problem = f"`{ast.unparse(node)}` is not part of the formula language"
            advice = "Allowed: + - * / **, one comparison, `a if c else b`, and the words "
            advice += f"{', '.join(sorted(WORDS))}."
    text.refuse(node, problem, advice)


def _call(text: Text, node: ast.Call) -> list[ast.expr]:
    allowed = f"The words are {', '.join(sorted(WORDS))}."
    if not isinstance(node.func, ast.Name) or node.func.id not in WORDS:
        name = ast.unparse(node.func)
        last = name.rpartition(".")[2]
        instead = last if last in WORDS else SYNONYMS.get(last)
        hint = f"Write `{instead}`. " if instead else ""
        text.refuse(node.func, f"{name!r} is not one of the words", hint + allowed)
    arity = ARITIES.get(node.func.id, 1)
    if node.keywords or len(node.args) != arity:
        text.refuse(node, f"`{node.func.id}` takes {arity} positional argument(s)", allowed)
    return node.args
