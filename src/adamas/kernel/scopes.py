"""Of what each name of a formula has one number: of an element, a row, a column, a tensor, or all.

Nobody declares it. Arithmetic has the finest scope of what it reads, a reduction the one that it
is over, and a state that of its new value: one that is a mean over each row is kept once a row. A
row with a column makes an element, so `r * c` is a matrix again.
"""

import ast
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from adamas.kernel.draws import PREFIX

REDUCTIONS = frozenset({"mean", "norm", "rms", "total"})
# The words that make a matrix of a matrix.
MATRICES = frozenset({"orthogonalize"})
# From the coarsest to the finest; what is the same in the whole step needs no array at all.
ONCE, ALL, TENSOR, ROW, COLUMN, ELEMENT = "once", "all", "tensor", "row", "column", "element"
OVER = (ROW, COLUMN, TENSOR, ALL)
# What a formula with a word of matrices is over, besides.
MATRIX = "matrix"
# The array beside the gradient, of rules that ask for one.
SECOND = "h"
FINENESS = {ONCE: 0, ALL: 1, TENSOR: 2, ROW: 3, COLUMN: 3, ELEMENT: 4}


@dataclass(frozen=True)
class Reduction:
    """`word(argument, over=over)`."""

    word: str
    argument: ast.expr
    over: str

    @property
    def call(self) -> ast.Call:
        """The call of the word."""
        over = ast.keyword("over", ast.Constant(self.over))
        return ast.Call(ast.Name(self.word, ast.Load()), [self.argument], [over])


def reduction(node: ast.AST) -> Reduction | None:
    """What a call of one of the words that reduce says; None for anything else."""
    match node:
        case ast.Call(func=ast.Name(id=word), args=[argument, *others]) if word in REDUCTIONS:
            given = [*others, *(k.value for k in node.keywords)]
            over = given[0].value if given and isinstance(given[0], ast.Constant) else TENSOR
            return Reduction(word, argument, str(over))
    return None


@dataclass(frozen=True)
class Matrix:
    """`orthogonalize(argument, coefficients=coefficients)`."""

    argument: ast.expr
    coefficients: str

    @property
    def call(self) -> ast.Call:
        """The call of the word."""
        given = ast.keyword("coefficients", ast.Constant(self.coefficients))
        return ast.Call(ast.Name("orthogonalize", ast.Load()), [self.argument], [given])


def matrix(node: ast.AST) -> Matrix | None:
    """What a call of a word of matrices says; None for anything else."""
    match node:
        case ast.Call(
            func=ast.Name(id=word),
            args=[argument],
            keywords=[ast.keyword(value=ast.Constant(value=str(name)))],
        ) if word in MATRICES:
            return Matrix(argument, name)
    return None


def joined(scopes: Iterable[str]) -> str:
    """The scope of what is made of numbers of these scopes."""
    found = ONCE
    for scope in scopes:
        if {found, scope} == {ROW, COLUMN}:
            found = ELEMENT
        elif FINENESS[scope] > FINENESS[found]:
            found = scope
    return found


def scope(node: ast.AST, known: Mapping[str, str]) -> str:
    """The scope of an expression; `known` are those of names, and other names are words."""
    if found := reduction(node):
        return found.over
    if matrix(node):
        return ELEMENT
    if isinstance(node, ast.Name):
        return known.get(node.id, ELEMENT if node.id.startswith(PREFIX) else ONCE)
    return joined(scope(child, known) for child in ast.iter_child_nodes(node))


def of_states(
    states: Iterable[str],
    statements: Sequence[ast.Assign],
    outputs: Mapping[str, str],
    given: Container[str] = (),
) -> dict[str, str]:
    """The scope of every state: the coarsest that its own new value confirms."""
    found = dict.fromkeys(states, ONCE)
    while True:
        known = begin(found, given)
        for statement in statements:
            known[ast.unparse(statement.targets[0])] = scope(statement.value, known)
        finer = {name: joined([found[name], known.get(outputs[name], ONCE)]) for name in found}
        if finer == found:
            return found
        found = finer


def refusal(found: Reduction, argument: str) -> tuple[str, str] | None:
    """Why a reduction of what has this scope says nothing, and what to write; None if it does."""
    written, what = ast.unparse(found.argument).replace("'", '"'), f"`{found.word}`"
    shown = f"`{written}`"
    if argument == ONCE or FINENESS[argument] < FINENESS[found.over] or argument == found.over:
        number = "one number" if argument == ONCE else f"one number for each {argument}"
        number = "one number for all tensors" if argument == ALL else number
        return f"{shown} is {number} already", f"Leave {what} out, or reduce something finer."
    if {argument, found.over} == {ROW, COLUMN}:
        return (
            f"{shown} is one number for each {argument}, and meets every {found.over} once",
            f"Write `{found.word}({written})` for that of the tensor.",
        )
    return None


def begin(states: Mapping[str, str], given: Container[str]) -> dict[str, str]:
    """The scopes of the names that a formula begins with; numbers of a step are left out."""
    second = {SECOND: ELEMENT} if SECOND in given else {}
    return {"p": ELEMENT, "g": ELEMENT, **second, **states}


def apart(statements: Iterable[ast.Assign], taken: Set[str]) -> list[ast.Assign]:
    """The same statements with every reduction and matrix as the whole value of one of its own."""
    found: list[ast.Assign] = []
    worker = _Apart(found, set(taken))
    for statement in statements:
        value = worker.whole(statement.value)
        found.append(ast.copy_location(ast.Assign(statement.targets, value), statement))
    return found


class _Apart(ast.NodeTransformer):
    def __init__(self, found: list[ast.Assign], taken: set[str]) -> None:
        self.found, self.taken = found, taken

    def whole(self, node: ast.expr) -> ast.expr:
        """The value of a statement, which may be a reduction or a matrix itself."""
        if made := matrix(node):
            return ast.copy_location(replace(made, argument=self.visit(made.argument)).call, node)
        if (known := reduction(node)) is None:
            visited = self.visit(node)
            assert isinstance(visited, ast.expr)
            return visited
        return ast.copy_location(replace(known, argument=self.visit(known.argument)).call, node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if reduction(node) is None and matrix(node) is None:
            return ast.copy_location(
                ast.Call(node.func, [self.visit(one) for one in node.args], []), node
            )
        word = ast.unparse(node.func)
        name = next(
            n for k in range(1, len(self.taken) + 2) if (n := f"{word}_{k}") not in self.taken
        )
        self.taken.add(name)
        value = self.whole(node)
        target = ast.copy_location(ast.Name(name, ast.Store()), node)
        self.found.append(ast.copy_location(ast.Assign([target], value), node))
        return ast.copy_location(ast.Name(name, ast.Load()), node)
