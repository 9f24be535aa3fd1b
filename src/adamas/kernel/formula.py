"""A rule's function becomes a Formula: states, hyper-parameters and a straight list of assignments.

Why a language of its own: what can be read as a formula can be hoisted, fused, run in any dtype and
checked against a float64 run of the same text. The language is assignments, arithmetic,
comparisons, `a if c else b` and the words of `adamas.words`; everything else is refused here.
"""

import ast
import inspect
import math
from collections.abc import Callable, Container, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from types import FunctionType
from typing import Any, TypeAlias

from adamas.kernel.constants import check_constants, check_depth
from adamas.kernel.first import starts
from adamas.kernel.language import assignment, check_name, expression
from adamas.kernel.origin import check_text, check_words, defaults, plain
from adamas.kernel.scopes import (
    COLUMN,
    ELEMENT,
    ROW,
    TENSOR,
    apart,
    begin,
    of_states,
    reduction,
    refusal,
    scope,
)
from adamas.kernel.text import FormulaError, Text, read

__all__ = ["Formula", "FormulaError", "parse"]

# What the state of a tensor keeps besides, under these names.
TAKEN_STATES = frozenset({"step", "rounding", "stepped", "memory_order"})

# Numbers that a step knows by itself: a rule asks for them by name, without a default.
GIVEN = ("t", "rows", "columns")

Defaults: TypeAlias = Mapping[str, object]
MISSING = object()


@dataclass(frozen=True, eq=False)
class Formula:
    """One update rule, parsed.

    `states` are kept per element, `rows` and `columns` once a row or a column, `scalars` once per
    tensor; `initial` holds their first values; `hypers` the hyper-parameters with their defaults,
    in the order of the signature (`t` is not among them). `statements` assign one name each, and a
    reduction is the whole value of one; `outputs` are the names that hold the new parameter and the
    new value of every state at the end. `starts` says what states that are set up from the
    parameter are before their first step. `given` are the numbers of the step that it asks for.
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
    starts: dict[str, ast.expr] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    given: frozenset[str] = frozenset()

    @cached_property
    def over(self) -> frozenset[str]:
        """What the formula reduces over, see `scopes.OVER`; empty for one of single elements."""
        found = (reduction(statement.value) for statement in self.statements)
        return frozenset(one.over for one in found if one)

    @property
    def slots(self) -> int:
        """How many numbers a tensor keeps; a vector, which is one column, those of it too."""
        return len(self.scalars) + len(self.columns)

    @property
    def scopes(self) -> dict[str, str]:
        """The scope of the parameter, the gradient and each state; numbers of a step have none."""
        kept = {ELEMENT: self.states, ROW: self.rows, COLUMN: self.columns, TENSOR: self.scalars}
        return begin({name: scope for scope, names in kept.items() for name in names})

    @cached_property
    def key(self) -> str:
        """A text that two formulas share exactly when they compute the same thing."""
        body = "\n".join(ast.unparse(s) for s in self.statements)
        states = f"{self.states}{self.scalars}{self.rows or ''}{self.columns or ''}"
        return f"{self.name}{states}{tuple(self.hypers)}{self.outputs}\n{body}"


def parse(function: Callable[..., Any], reserved: Set[str] = frozenset()) -> Formula:
    """Parse `function` into a `Formula`; raises `FormulaError` with a caret where it cannot.

    No hyper-parameter may have a name that is `reserved`: an optimizer takes it for itself.
    """
    rule = plain(function)
    text, tree = read(rule)
    check_text(text, tree, rule)
    declared, hypers = _signature(text, tree, rule, reserved)
    given = _given(tree, rule)
    known = dict.fromkeys(["p", "g", *given, *declared, *hypers], False)
    body = tree.body
    if ast.get_docstring(tree) is not None:
        body = body[1:]
    if not body or not isinstance(body[-1], ast.Return):
        text.refuse(body[-1] if body else tree, "it does not return", _returns(declared))
    for node in body:
        check_depth(text, node)
    statements = [assignment(text, node, known) for node in body[:-1]]
    outputs = _outputs(text, body[-1], declared, known, statements)
    check_words(text, tree, rule)
    statements = apart(statements, known.keys())
    for statement in statements:
        check_constants(text, statement.value)
    formula = Formula(
        name=tree.name,
        doc=inspect.cleandoc(function.__doc__ or ""),
        source=text.source,
        states=tuple(declared),
        scalars=(),
        initial=declared,
        hypers=hypers,
        statements=tuple(statements),
        outputs=outputs,
        given=frozenset(given),
    )
    formula = scoped(formula)
    _check_scopes(text, formula)
    return formula


def _check_scopes(text: Text, formula: Formula) -> None:
    """Refuse a reduction of what is one number there already."""
    known = formula.scopes
    for statement in formula.statements:
        if found := reduction(statement.value):
            refused = refusal(found, scope(found.argument, known))
            if refused:
                text.refuse(statement.value, *refused)
        known[target(statement)] = scope(statement.value, known)


def scoped(formula: Formula) -> Formula:
    """The formula with each of its states where its scope belongs."""
    every = tuple(formula.initial)
    scopes = of_states(every, formula.statements, formula.outputs)
    kept = {one: tuple(s for s in every if scopes[s] == one) for one in (ELEMENT, ROW, COLUMN)}
    finer = {name for names in kept.values() for name in names}
    return replace(
        formula,
        states=kept[ELEMENT],
        rows=kept[ROW],
        columns=kept[COLUMN],
        scalars=tuple(s for s in every if s not in finer),
        starts=starts(formula.statements, set(kept[ELEMENT]), formula.hypers),
    )


def target(statement: ast.Assign) -> str:
    """The name that a statement assigns."""
    name = statement.targets[0]
    assert isinstance(name, ast.Name)
    return name.id


def _given(tree: ast.FunctionDef, rule: FunctionType) -> list[str]:
    """Which of the numbers that a step knows the rule asks for."""
    named = {argument.arg for argument in tree.args.kwonlyargs} - defaults(rule).keys()
    return [name for name in GIVEN if name in named]


def _returns(states: dict[str, float]) -> str:
    return f"End the rule with `return {', '.join(['p', *states])}`."


def _signature(
    text: Text, tree: ast.FunctionDef, function: FunctionType, reserved: Set[str]
) -> tuple[dict[str, float], dict[str, float]]:
    arguments = tree.args
    for star in (arguments.vararg, arguments.kwarg):
        if star:
            text.refuse(star, f"{star.arg!r} stands for any argument", "Name every argument.")
    positional = [*arguments.posonlyargs, *arguments.args]
    for k, name in enumerate("pg"):
        if k >= len(positional) or positional[k].arg != name:
            text.refuse(
                positional[k] if k < len(positional) else tree,
                "the first two arguments must be `p, g`",
                "p is the parameter, g its gradient; the other positional names are the state, "
                "the hyper-parameters follow after `*`.",
            )
    given = defaults(function)
    return _states(text, positional[2:], given), _hypers(
        text, arguments.kwonlyargs, given, reserved
    )


def _states(text: Text, nodes: Sequence[ast.arg], given: Defaults) -> dict[str, float]:
    states: dict[str, float] = {}
    for node in nodes:
        if node.arg == "t":
            text.refuse(node, "t is the step, not a state", "Write it after `*`: `*, t, lr=1e-3`.")
        _check_argument(text, node, TAKEN_STATES)
        default = given.get(node.arg, MISSING)
        states[node.arg] = 0.0 if default is MISSING else _finite(text, node, default)
    return states


def _hypers(
    text: Text, nodes: Sequence[ast.arg], given: Defaults, reserved: Set[str]
) -> dict[str, float]:
    hypers: dict[str, float] = {}
    for node in nodes:
        default = given.get(node.arg, MISSING)
        if node.arg == "t" and default is not MISSING:
            text.refuse(node, "t is the step and has no default", "Write `t` alone.")
        if node.arg in GIVEN and default is MISSING:
            continue
        _check_argument(text, node, reserved)
        if default is MISSING:
            advice = f"Write `{node.arg}=0.9`."
            text.refuse(node, f"hyper-parameter {node.arg!r} has no default", advice)
        hypers[node.arg] = _finite(text, node, default)
    return hypers


def _check_argument(text: Text, node: ast.arg, taken: Set[str]) -> None:
    check_name(text, node, node.arg)
    if node.arg in taken:
        text.refuse(node, f"the optimizer itself has a {node.arg!r}", "Choose another name.")


def _finite(text: Text, node: ast.arg, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        text.refuse(
            node,
            f"the default {value!r} of {node.arg!r} is not a number",
            f"Write `{node.arg}=0.9`.",
        )
    try:
        number = float(value)
    except OverflowError:
        number = -math.inf if value < 0 else math.inf
    if not math.isfinite(number):
        text.refuse(node, f"the default of {node.arg!r} is {number}", "Choose a finite one.")
    return number


def _outputs(
    text: Text,
    node: ast.stmt,
    states: dict[str, float],
    known: dict[str, bool],
    statements: list[ast.Assign],
) -> dict[str, str]:
    assert isinstance(node, ast.Return)
    value = node.value
    parts = list(value.elts) if isinstance(value, ast.Tuple) else [value] if value else []
    if len(parts) != 1 + len(states):
        text.refuse(
            node, f"it returns {len(parts)} value(s), not {1 + len(states)}", _returns(states)
        )
    outputs, truths = {}, [expression(text, part, known) for part in parts]
    for name, part, truth in zip(["p", *states], parts, truths, strict=True):
        if isinstance(part, ast.Name):
            outputs[name] = part.id
            continue
        outputs[name] = fresh(f"{name}_next", known)
        target = ast.copy_location(ast.Name(outputs[name], ast.Store()), part)
        statements.append(ast.copy_location(ast.Assign([target], part), part))
        known[outputs[name]] = truth
    return outputs


def fresh(name: str, taken: Container[str]) -> str:
    """`name`, or `name_2`, `name_3`, ...: the first that is not taken."""
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name}_{count}"
    return candidate
