"""What a formula may be made of: the statements, expressions and names that a kernel can run.

Everything that is not listed here is refused, with what to write instead, so that whatever passes
can be hoisted, fused and run in any dtype.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import NoReturn

from adamas import words
from adamas.kernel.scopes import OVER, REDUCTIONS
from adamas.kernel.text import Text

WORDS = frozenset(words.__all__)
# Every kernel imports these: no value may have their name. Other words it may have, in a rule that
# does not call them.
TAKEN = frozenset({"abs", "exp", "log", "maximum", "minimum", "sign", "sqrt", "where"})
ARITIES = {"atan2": 2, "maximum": 2, "minimum": 2, "where": 3}
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
CHOOSE = "choose with `a if c else b` or `where(c, a, b)`."
# Words of other languages, and what they are called here.
SYNONYMS = {
    "max": "maximum", "min": "minimum", "fmax": "maximum", "fmin": "minimum", "absolute": "abs",
    "fabs": "abs", "pow": "x ** y", "power": "x ** y", "square": "x * x", "reciprocal": "1 / x",
    "clip": "minimum(maximum(x, low), high)", "clamp": "minimum(maximum(x, low), high)",
    "select": "where",
}  # fmt: skip


def check_name(text: Text, node: ast.AST, name: str) -> None:
    """Refuse a name that is a word, or may be one of generated code: those begin with `_`."""
    if name in TAKEN or name.startswith("_"):
        text.refuse(node, f"the name {name!r} is taken by the machinery", "Choose another name.")


def assignment(text: Text, node: ast.stmt, known: dict[str, bool]) -> ast.Assign:
    """`node` as a plain assignment to one name, which is `known` from here on.

    Refuses any other statement, and what `expression` refuses.
    """
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        left = ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target)
        value: ast.expr = ast.copy_location(ast.BinOp(left, node.op, node.value), node)
        node = ast.copy_location(ast.Assign([node.target], value), node)
    if not isinstance(node, ast.Assign):
        problem, advice = _not_assigned(node)
        text.refuse(node, problem, advice)
    if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        text.refuse(node, "a formula assigns one name at a time", "Write one assignment a line.")
    name = node.targets[0].id
    check_name(text, node.targets[0], name)
    known[name] = expression(text, node.value, known)
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


def expression(text: Text, node: ast.expr, known: Mapping[str, bool]) -> bool:
    """Whether `node` is a truth value; `known` says it of every name that may be read.

    Refuses whatever is not arithmetic, a comparison, a choice or a word. Truth values may be tested
    and multiplied: NumPy adds two of them to one, a kernel to two, and others refuse to.
    """
    match node:
        case ast.Constant(value=bool()):
            text.refuse(node, "a truth value is not a number", "Write a comparison, 0.0 or 1.0.")
        case ast.Constant(value=int() | float()):
            return False
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.Name(id=name):
            text.refuse(
                node,
                f"{name!r} is not known here",
                "Make it a state, a keyword-only hyper-parameter, or assign it first; "
                "a formula reads no globals.",
            )
        case ast.BinOp(op=ast.Mult()):
            return _both(text, (node.left, node.right), known)
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Div() | ast.Pow()):
            return _number(text, (node.left, node.right), known)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            return _number(text, (node.operand,), known)
        case ast.Compare() if len(node.ops) == 1 and isinstance(node.ops[0], COMPARISONS):
            _both(text, (node.left, node.comparators[0]), known)
            return True
        case ast.IfExp():
            expression(text, node.test, known)
            return _both(text, (node.body, node.orelse), known)
        case ast.Call():
            return _call(text, node, known)
    _refuse_expression(text, node)


def _both(text: Text, parts: Sequence[ast.expr], known: Mapping[str, bool]) -> bool:
    truths = [expression(text, part, known) for part in parts]
    return all(truths)


def _number(text: Text, parts: Sequence[ast.expr], known: Mapping[str, bool]) -> bool:
    for part in parts:
        if expression(text, part, known):
            text.refuse(
                part, "a comparison is no number here", "Write `where(comparison, 1.0, 0.0)`."
            )
    return False


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


def _call(text: Text, node: ast.Call, known: Mapping[str, bool]) -> bool:
    allowed = f"The words are {', '.join(sorted(WORDS))}."
    if not isinstance(node.func, ast.Name) or node.func.id not in WORDS:
        name = ast.unparse(node.func)
        last = name.rpartition(".")[2]
        instead = last if last in WORDS else SYNONYMS.get(last)
        hint = f"Write `{instead}`. " if instead else ""
        text.refuse(node.func, f"{name!r} is not one of the words", hint + allowed)
    word = node.func.id
    if word in REDUCTIONS:
        return _reduces(text, node, word, known)
    arity = ARITIES.get(word, 1)
    if node.keywords or len(node.args) != arity:
        text.refuse(node, f"`{word}` takes {arity} positional argument(s)", allowed)
    if word == "where":
        expression(text, node.args[0], known)
        return _both(text, node.args[1:], known)
    return _number(text, node.args, known)


def _reduces(text: Text, node: ast.Call, word: str, known: Mapping[str, bool]) -> bool:
    over = [*node.args[1:], *(k.value for k in node.keywords)]
    named = all(k.arg == "over" for k in node.keywords)
    known_scope = all(isinstance(one, ast.Constant) and one.value in OVER for one in over)
    if not node.args or len(over) > 1 or not named or not known_scope:
        allowed = ", ".join(f'"{one}"' for one in OVER)
        text.refuse(
            node,
            f"`{word}` takes one value, and over= which numbers",
            f'Write `{word}(x)` for the whole tensor, or `{word}(x, over="row")`; over is one of '
            f"{allowed}.",
        )
    return _number(text, node.args[:1], known)
