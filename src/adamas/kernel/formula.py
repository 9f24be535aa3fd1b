"""A rule's function becomes a Formula: states, hyper-parameters and a straight list of assignments.

Why a language of its own: what can be read as a formula can be hoisted, fused, run in any dtype and
checked against a float64 run of the same text. The language is assignments, arithmetic,
comparisons, `a if c else b` and the words of `adamas.words`; everything else is refused here.
"""

import ast
import inspect
from collections.abc import Callable, Container, Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import FunctionType
from typing import Any

from adamas.kernel import advice
from adamas.kernel.constants import check_constants, too_deep
from adamas.kernel.draws import draws_in
from adamas.kernel.first import starts
from adamas.kernel.inline import Reader
from adamas.kernel.language import WORDS, Read, Shared
from adamas.kernel.nodes import assigned, fresh, inserted
from adamas.kernel.origin import check_text, plain
from adamas.kernel.scopes import (
    ALL,
    COLUMN,
    ELEMENT,
    MATRIX,
    ONCE,
    ROW,
    TENSOR,
    apart,
    begin,
    matrix,
    of_states,
    reduction,
    refusal,
    scope,
)
from adamas.kernel.signature import TAKEN_STATES, Signature, read_signature
from adamas.kernel.text import FormulaError, Text, read

__all__ = ["TAKEN_STATES", "Formula", "FormulaError", "fresh", "parse", "scoped", "target"]

SHALLOW = "Give parts of it names, in lines of their own."


@dataclass(frozen=True, eq=False)
class Formula:
    """One update rule, parsed.

    `states` are kept per element, `rows` and `columns` once a row or a column, `scalars` once per
    tensor; `initial` holds their first values; `hypers` the hyper-parameters with their defaults,
    in the order of the signature (`t` is not among them). `statements` assign one name each, and a
    reduction is the whole value of one; `outputs` are the names that hold the new parameter and the
    new value of every state at the end. `starts` says what states that are set up from the
    parameter are before their first step. `given` is what of the step it asks for besides; `shared`
    are those of the scalars that all tensors of the optimizer have in common, and `waits` the
    levels at which all tensors are ready for each of the sums over them, see `stages.forms`;
    `noted` are the last of the scalars, which only tell of a step and are no state.
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
    shared: tuple[str, ...] = ()
    waits: tuple[int, ...] = ()
    noted: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """The scalars that are state: a file holds them."""
        return self.scalars[: len(self.scalars) - len(self.noted)]

    @cached_property
    def over(self) -> frozenset[str]:
        """What the formula reduces over, see `scopes.OVER`, and MATRIX where it has such words.

        Empty for a formula of single elements.
        """
        found = (reduction(statement.value) for statement in self.statements)
        matrices = any(matrix(statement.value) for statement in self.statements)
        return frozenset((*(one.over for one in found if one), *([MATRIX] if matrices else [])))

    @property
    def orthogonalizes(self) -> bool:
        """Whether it makes matrices of matrices."""
        return MATRIX in self.over

    @property
    def rowwise(self) -> bool:
        """Whether it asks what is in one row, so that rows must lie in one piece."""
        return bool(self.over & {ROW, COLUMN, MATRIX})

    @cached_property
    def draws(self) -> tuple[str, ...]:
        """The names of its random numbers, see `draws`."""
        return tuple(draws_in(self.statements))

    @property
    def slots(self) -> int:
        """How many numbers a tensor keeps; a vector, which is one column, those of it too."""
        return len(self.scalars) + len(self.columns)

    @property
    def scopes(self) -> dict[str, str]:
        """The scope of the parameter, the gradient and each state; numbers of a step have none."""
        kept = {ELEMENT: self.states, ROW: self.rows, COLUMN: self.columns, TENSOR: self.scalars}
        scopes = {name: scope for scope, names in kept.items() for name in names}
        return begin(scopes, self.given)

    @cached_property
    def key(self) -> str:
        """A text that two formulas share exactly when they compute the same thing."""
        body = "\n".join(ast.unparse(s) for s in self.statements)
        states = f"{self.states}{self.scalars}{self.rows or ''}{self.columns or ''}"
        return f"{self.name}{states}{tuple(self.hypers)}{self.outputs}{self.waits or ''}\n{body}"


def parse(function: Callable[..., Any], reserved: Set[str] = frozenset()) -> Formula:
    """Parse `function` into a `Formula`; raises `FormulaError` with a caret for each of its faults.

    No hyper-parameter may have a name that is `reserved`: an optimizer takes it for itself.
    """
    rule = plain(function)
    text, tree = read(rule)
    check_text(text, tree, rule)
    signature = read_signature(text, tree, rule, reserved)
    reader = _reader(text, tree, rule, signature)
    outputs: dict[str, str] = {}
    try:
        outputs = _read(reader, tree, signature.states)
    except RecursionError:
        text.fault(tree, "its operations and functions lie too deep inside each other", SHALLOW)
    for statement in reader.block:
        too_deep(text, statement)
    text.check()
    taken = {*signature.states, *signature.hypers, *signature.given}
    statements = apart(reader.block, reader.shared.taken)
    nodes = [node for statement in statements for node in ast.walk(statement.value)]
    for statement in statements:
        check_constants(text, statement.value)
    for node in nodes:
        _check_name(text, node, taken)
    text.check()
    formula = Formula(
        name=tree.name,
        doc=inspect.cleandoc(function.__doc__ or ""),
        source=text.source,
        states=tuple(signature.states),
        scalars=(),
        initial=signature.states,
        hypers=signature.hypers,
        statements=tuple(statements),
        outputs=outputs,
        given=frozenset(signature.given),
    )
    formula = scoped(formula)
    written = {target(s): s.value for s in reader.block}
    made = {target(s): s.value for s in statements if target(s) not in written}
    _check_scopes(text, formula, dict(reader.shared.like), made)
    if any(_is_remainder(node) for node in nodes):
        _check_remainders(text, formula)
    text.check()
    return formula


def _reader(text: Text, tree: ast.FunctionDef, rule: FunctionType, signature: Signature) -> Reader:
    """Who reads the rule's statements."""
    nodes = list(ast.walk(tree))
    named = {n.id for n in nodes if isinstance(n, ast.Name)}
    called = {
        n.func.attr for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
    }
    begin = ["p", "g", *signature.given, *signature.states, *signature.hypers]
    known = {name: Read(ast.Name(name, ast.Load()), False) for name in begin}
    return Reader(
        Shared(text, {*begin, *named, *WORDS}), rule, dict(known), [],
        # `mean = np.mean(g)`: a kernel would call the number.
        moved=frozenset(called & WORDS), within=(rule.__code__,),
    )  # fmt: skip


def _read(reader: Reader, tree: ast.FunctionDef, states: Mapping[str, float]) -> dict[str, str]:
    """Read the statements, and the names that hold the new values at the end."""
    body = tree.body[1 if ast.get_docstring(tree) is not None else 0 :]
    last = body[-1] if body else tree
    returned = last.value if isinstance(last, ast.Return) else None
    reader.statements(body[:-1] if isinstance(last, ast.Return) else body)
    returns = f"End the rule with `return {', '.join(['p', *states])}`."
    if not isinstance(last, ast.Return):
        if not any(isinstance(node, ast.Return) for node in ast.walk(tree)):
            reader.fault(last, "it does not return", returns)
        return {}
    if too_deep(reader.shared.text, last):
        return {}
    found = reader.values(returned) if returned else []
    if len(found) != 1 + len(states):
        problem = f"it returns {len(found)} value(s), not {1 + len(states)}"
        reader.fault(last, problem, returns)
        return {}
    outputs = {}
    for name, value in zip(["p", *states], found, strict=True):
        if isinstance(value.node, ast.Name):
            outputs[name] = value.node.id
            continue
        outputs[name] = reader.shared.fresh(f"{name}_next")
        reader.block.append(assigned(outputs[name], value.node))
    return outputs


def _check_name(text: Text, node: ast.AST, given: Container[str]) -> None:
    """Find a call of a word that is a value of the rule: the kernel would call the number."""
    match node:
        case ast.Call(func=ast.Name(id=word)) if word in given:
            text.fault(node, f"{word!r} is a value of the rule, too", "Give that another name.")


def _check_scopes(
    text: Text,
    formula: Formula,
    like: Mapping[ast.expr, ast.expr],
    made: Mapping[str, ast.expr],
) -> None:
    """Find a reduction of what is one number there already, and a draw for what is no element.

    `made` are the values of names that the rule has not.
    """
    known = formula.scopes
    for statement in formula.statements:
        if found := reduction(statement.value):
            refused = refusal(
                replace(found, argument=inserted(found.argument, made)),
                scope(found.argument, known),
            )
            if refused:
                text.fault(statement.value, *refused)
        square = matrix(statement.value)
        if square and scope(square.argument, known) != ELEMENT:
            text.fault(statement.value, *advice.NO_MATRIX)
        if square and ALL in formula.over:
            text.fault(statement.value, *advice.MATRIX_AND_ALL)
        shape = like.get(statement.value)
        if shape is not None and scope(shape, known) != ELEMENT:
            text.fault(statement.value, *advice.DRAWN)
        known[target(statement)] = scope(statement.value, known)


def _check_remainders(text: Text, formula: Formula) -> None:
    """Find a remainder of what is not one number for the whole step."""
    every, given = tuple(formula.initial), formula.given
    known = begin(of_states(every, formula.statements, formula.outputs, given), given)
    for statement in formula.statements:
        for node in ast.walk(statement.value):
            if _is_remainder(node) and scope(node, known) != ONCE:
                text.fault(node, *advice.REMAINDER)
        known[target(statement)] = scope(statement.value, known)


def _is_remainder(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.FloorDiv)


def scoped(formula: Formula) -> Formula:
    """The formula with each of its states where its scope belongs."""
    every = tuple(formula.initial)
    scopes = of_states(every, formula.statements, formula.outputs, formula.given)
    kept = {one: tuple(s for s in every if scopes[s] == one) for one in (ELEMENT, ROW, COLUMN)}
    finer = {name for names in kept.values() for name in names}
    return replace(
        formula,
        states=kept[ELEMENT],
        rows=kept[ROW],
        columns=kept[COLUMN],
        scalars=tuple(s for s in every if s not in finer),
        shared=tuple(s for s in every if scopes[s] == ALL),
        starts={
            **{name: one for name, one in formula.starts.items() if name in kept[ELEMENT]},
            **starts(formula.statements, set(kept[ELEMENT]), formula.hypers),
        },
    )


def target(statement: ast.Assign) -> str:
    """The name that a statement assigns."""
    name = statement.targets[0]
    assert isinstance(name, ast.Name)
    return name.id
