"""A rule's function becomes a Formula: states, hyper-parameters and a straight list of assignments.

Why a language of its own: what can be read as a formula can be hoisted, fused, run in any dtype and
checked against a float64 run of the same text. The language is assignments, arithmetic,
comparisons, `a if c else b` and the words of `adamas.words`; everything else is refused here.
"""

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from adamas import words
from adamas.kernel.text import FormulaError, Text, read

__all__ = ["Formula", "FormulaError", "parse", "with_average"]

WORDS = frozenset(words.__all__)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
# The generated loops use these two; their other names begin with an underscore.
RESERVED = WORDS | {"range", "min"}
ARITIES = {"maximum": 2, "minimum": 2, "where": 3}


@dataclass(frozen=True)
class Formula:
    """One update rule, parsed.

    `states` are kept per element, `scalars` once per tensor; `initial` holds their first values;
    `hypers` the hyper-parameters with their defaults, in the order of the signature (`t` is not
    among them). `statements` assign one name each; `outputs` are the names that hold the new
    parameter and the new value of every state at the end.
    """

    name: str
    doc: str
    source: str
    states: tuple[str, ...]
    scalars: tuple[str, ...]
    initial: dict[str, float]
    hypers: dict[str, float]
    statements: tuple[ast.Assign, ...]
    outputs: dict[str, str]

    @property
    def key(self) -> str:
        """A text that two formulas share exactly when they compute the same thing."""
        body = "\n".join(ast.unparse(s) for s in self.statements)
        return f"{self.name}{self.states}{self.scalars}{tuple(self.hypers)}{self.outputs}\n{body}"


def parse(function: Callable[..., Any]) -> Formula:
    """Parse `function` into a `Formula`; raises `FormulaError` with a caret where it cannot."""
    text, tree = read(function)
    declared, hypers = _signature(text, tree, function)
    known = {"p", "g", "t", *declared, *hypers}
    if "t" not in {a.arg for a in tree.args.kwonlyargs}:
        known.discard("t")
    body = tree.body
    if ast.get_docstring(tree) is not None:
        body = body[1:]
    if not body or not isinstance(body[-1], ast.Return):
        text.refuse(tree, "it does not return", _returns(declared))
    statements: list[ast.Assign] = []
    for node in body[:-1]:
        statements.append(_assignment(text, node, known))
        known.add(_target(statements[-1]))
    outputs = _outputs(text, body[-1], declared, known, statements)
    scalars = _scalars(declared, statements, outputs)
    return Formula(
        name=tree.name,
        doc=inspect.cleandoc(function.__doc__ or ""),
        source=text.source,
        states=tuple(s for s in declared if s not in scalars),
        scalars=tuple(s for s in declared if s in scalars),
        initial=declared,
        hypers=hypers,
        statements=tuple(statements),
        outputs=outputs,
    )


def with_average(formula: Formula) -> Formula:
    """The same rule, which also keeps an exponential moving average of the parameter.

    The average is one more state: `average = p` at the first step, afterwards
    `ema * average + (1 - ema) * p` with the new parameter (Polyak & Juditsky 1992; as torch's
    `AveragedModel` with an EMA function).
    """
    p = formula.outputs["p"]
    line = f"average = {p} if t == 1 else ema * average + (1 - ema) * {p}"
    (statement,) = ast.parse(line).body
    assert isinstance(statement, ast.Assign)
    return replace(
        formula,
        name=f"{formula.name}_with_average",
        states=(*formula.states, "average"),
        initial={**formula.initial, "average": 0.0},
        hypers={**formula.hypers, "ema": 0.999},
        statements=(*formula.statements, statement),
        outputs={**formula.outputs, "average": "average"},
    )


def _target(statement: ast.Assign) -> str:
    target = statement.targets[0]
    assert isinstance(target, ast.Name)
    return target.id


def _returns(states: dict[str, float]) -> str:
    return f"End the rule with `return {', '.join(['p', *states])}`."


def _signature(
    text: Text, tree: ast.FunctionDef, function: Callable[..., Any]
) -> tuple[dict[str, float], dict[str, float]]:
    arguments = tree.args
    if arguments.vararg or arguments.kwarg:
        text.refuse(tree, "*args and **kwargs are not part of a formula", "Name every argument.")
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    if positional[:2] != ["p", "g"]:
        text.refuse(
            tree,
            "the first two arguments must be `p, g`",
            "p is the parameter, g its gradient; the other positional names are the state, "
            "the hyper-parameters follow after `*`.",
        )
    states: dict[str, float] = {}
    hypers: dict[str, float] = {}
    for name, argument in inspect.signature(function).parameters.items():
        missing = argument.default is inspect.Parameter.empty
        if name in ("p", "g") or (name == "t" and missing):
            continue
        node = next(
            a
            for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
            if a.arg == name
        )
        value = 0.0 if missing else argument.default
        _check_name(text, node, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            text.refuse(
                node, f"the default {value!r} of {name!r} is not a number", f"Write `{name}=0.9`."
            )
        if name in positional:
            states[name] = float(value)
        elif missing:
            text.refuse(node, f"hyper-parameter {name!r} has no default", f"Write `{name}=0.9`.")
        else:
            hypers[name] = float(value)
    return states, hypers


def _check_name(text: Text, node: ast.AST, name: str) -> None:
    if name in RESERVED or name.startswith("_"):
        text.refuse(node, f"the name {name!r} is taken by the machinery", "Choose another name.")


def _assignment(text: Text, node: ast.stmt, known: set[str]) -> ast.Assign:
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        left = ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target)
        value: ast.expr = ast.copy_location(ast.BinOp(left, node.op, node.value), node)
        node = ast.copy_location(ast.Assign([node.target], value), node)
    if not isinstance(node, ast.Assign):
        kind = type(node).__name__.lower()
        text.refuse(
            node,
            f"a formula has no `{kind}` statement",
            "Use assignments only; choose with `a if c else b` or `where(c, a, b)`.",
        )
    if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        text.refuse(node, "a formula assigns one name at a time", "Write one assignment a line.")
    _check_name(text, node.targets[0], node.targets[0].id)
    _expression(text, node.value, known)
    return node


def _expression(text: Text, node: ast.expr, known: set[str]) -> None:
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
        case ast.BoolOp():
            text.refuse(
                node,
                "`and` / `or` do not work on arrays",
                "Nest `where(c, a, b)`, or multiply the conditions.",
            )
        case _:
            text.refuse(
                node,
                f"`{ast.unparse(node)}` is not part of the formula language",
                "Allowed: + - * / **, one comparison, `a if c else b`, and the words "
                f"{', '.join(sorted(WORDS))}.",
            )
    for part in parts:
        _expression(text, part, known)


def _call(text: Text, node: ast.Call) -> list[ast.expr]:
    allowed = f"The words are {', '.join(sorted(WORDS))}."
    if not isinstance(node.func, ast.Name) or node.func.id not in WORDS:
        name = ast.unparse(node.func)
        hint = {"max": "Write `maximum`. ", "min": "Write `minimum`. "}.get(name, "")
        text.refuse(node.func, f"{name!r} is not one of the words", hint + allowed)
    arity = ARITIES.get(node.func.id, 1)
    if node.keywords or len(node.args) != arity:
        text.refuse(node, f"`{node.func.id}` takes {arity} positional argument(s)", allowed)
    return node.args


def _outputs(
    text: Text,
    node: ast.stmt,
    states: dict[str, float],
    known: set[str],
    statements: list[ast.Assign],
) -> dict[str, str]:
    assert isinstance(node, ast.Return)
    value = node.value
    parts = list(value.elts) if isinstance(value, ast.Tuple) else [value] if value else []
    if len(parts) != 1 + len(states):
        text.refuse(
            node, f"it returns {len(parts)} value(s), not {1 + len(states)}", _returns(states)
        )
    outputs = {}
    for name, part in zip(["p", *states], parts, strict=True):
        _expression(text, part, known)
        if isinstance(part, ast.Name):
            outputs[name] = part.id
            continue
        outputs[name] = fresh(f"{name}_next", known)
        target = ast.copy_location(ast.Name(outputs[name], ast.Store()), part)
        statements.append(ast.copy_location(ast.Assign([target], part), part))
        known.add(outputs[name])
    return outputs


def fresh(name: str, taken: set[str]) -> str:
    """`name`, or `name_2`, `name_3`, ...: the first that is not taken."""
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name}_{count}"
    return candidate


def _scalars(
    states: dict[str, float], statements: list[ast.Assign], outputs: dict[str, str]
) -> set[str]:
    """States that depend on hyper-parameters, t and one another only: the greatest such set."""
    scalars = set(states)
    while True:
        elements = {"p", "g"} | (set(states) - scalars)
        for statement in statements:
            reads = {n.id for n in ast.walk(statement.value) if isinstance(n, ast.Name)}
            (elements.add if reads & elements else elements.discard)(_target(statement))
        shrunk = {s for s in scalars if outputs[s] not in elements}
        if shrunk == scalars:
            return scalars
        scalars = shrunk
