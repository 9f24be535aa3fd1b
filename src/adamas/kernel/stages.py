"""A rule that reduces, in passes over the elements, and what is computed between them.

A sum is known when all elements have been gone through, so each line that waits for one begins a
new level. Of elements nothing is kept from pass to pass: every pass computes again what it needs,
which is cheaper than to write it and to read it back.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from adamas.kernel.first import names
from adamas.kernel.formula import Formula, target
from adamas.kernel.hoist import Hoisted, hoist
from adamas.kernel.scopes import ALL, COLUMN, ELEMENT, ROW, TENSOR, Reduction, matrix, reduction
from adamas.kernel.variants import of_vectors

SQUARED = ("norm", "rms")
LEAVES, COLUMNS, ROWS, NUMBERS = "leaves", "columns", "rows", "numbers"
# No sum, but all elements, of which a matrix is made.
WHOLE = "whole"
# Those that a pass over the elements makes.
PASSED = (LEAVES, COLUMNS, WHOLE)


@dataclass(frozen=True)
class Sum:
    """What is added up of `argument`, its squares if `squared`, in the pass of `level`.

    `parts` says in which form: the LEAVES of a tensor (blocks of its elements), its COLUMNS in
    groups of rows, one number for each of its ROWS, or NUMBERS of single tensors. Of the WHOLE of
    it the matrix `made` is made, by the steps that are called `coefficients`.
    """

    argument: str
    squared: bool
    parts: str
    level: int
    made: str = ""
    coefficients: str = ""


@dataclass(frozen=True)
class Line:
    """One statement that is not of elements; `sum` is the place of the one it waits for.

    Of sums over all tensors `number` says which of them it is, in the order of the text.
    """

    statement: ast.Assign
    scope: str
    found: Reduction | None = None
    sum: int = -1
    number: int = -1


@dataclass(frozen=True)
class Stages:
    """`sums` in the order of their memory; `between[k]` follows pass k, the first comes before all.

    `once` are the names of what a tensor has one number of; `rows` and `columns` of what its rows
    and columns have; `sweep` is the body of the last pass, over elements, with `once` among its
    constants; `made` what each pass before computes.
    """

    parts: Hoisted
    sweep: Hoisted
    sums: tuple[Sum, ...]
    between: tuple[tuple[Line, ...], ...]
    made: tuple[tuple[ast.Assign, ...], ...]
    once: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def levels(self) -> int:
        """How many passes or waits come before the sweep."""
        return len(self.between) - 1

    def at(self, level: int) -> list[tuple[int, Sum]]:
        """The sums over elements that pass `level` makes, with their places."""
        every = enumerate(self.sums)
        return [(k, s) for k, s in every if s.level == level and s.parts in PASSED]

    @property
    def matrices(self) -> dict[str, int]:
        """The names of the matrices that are made, each with the place of what it is made of."""
        return {one.made: k for k, one in enumerate(self.sums) if one.parts == WHOLE}

    @property
    def overall(self) -> list[tuple[int, Line]]:
        """The lines that reduce over all tensors, in the order of the text, each with its level."""
        every = ((k, line) for k, lines in enumerate(self.between) for line in lines)
        return sorted((one for one in every if one[1].number >= 0), key=lambda one: one[1].number)

    @property
    def constants(self) -> tuple[str, ...]:
        """What a tensor's elements read as constants, in the order of their memory."""
        return tuple(self.sweep.constants)


# What a formula's text says is kept here, in `hoist`, `kinds` and `variants`: an optimizer of AdamW
# is then made in 0.2 ms and not in 4, one of CAME in 0.2 ms and not in 23.
@lru_cache
def stages(formula: Formula) -> Stages:
    """The passes of a formula; of one that does not reduce, the sweep alone."""
    return _Stager(formula, hoist(formula)).stages()


@lru_cache
def forms(formula: Formula) -> tuple[Formula, Formula]:
    """The rule for matrices and for vectors, whose sums over all tensors wait for each other."""
    found = formula, of_vectors(formula)
    if ALL not in formula.over or found[0] is found[1]:
        return found
    while True:
        levels = [[k for k, _ in stages(one).overall] for one in found]
        waits = tuple(map(max, *levels))
        if waits == found[0].waits:
            return found
        found = replace(found[0], waits=waits), replace(found[1], waits=waits)


class _Stager:
    def __init__(self, formula: Formula, parts: Hoisted) -> None:
        self.formula, self.parts = formula, parts
        self.levels: dict[str, int] = {}
        self.sums: list[Sum] = []
        self.lines: list[tuple[int, Line]] = []
        # Sums over all tensors so far.
        self.met = 0

    def stages(self) -> Stages:
        for statement in self.parts.body:
            self.take(statement)
        last = max([0, *(level for level, _ in self.lines), *(one.level for one in self.sums)])
        self.sink(last)
        between = [[line for at, line in self.lines if at == k] for k in range(last + 1)]
        elements = self.elements()
        once = self.of(TENSOR) + self.of(ALL)
        constants = {**self.parts.constants, **{name: ast.Name(name, ast.Load()) for name in once}}
        wanted = {self.parts.outputs[name] for name in ("p", *self.formula.states)}
        sweep = replace(
            self.parts,
            body=tuple(needed(elements, wanted)),
            constants=constants,
            outputs={name: self.parts.outputs[name] for name in ("p", *self.formula.states)},
        )
        made = [tuple(needed(elements, self.asked(k))) for k in range(last + 1)]
        return Stages(
            self.parts, sweep, tuple(self.sums), tuple(map(tuple, between)), tuple(made), once,
            self.of(ROW), self.of(COLUMN),
        )  # fmt: skip

    def sink(self, last: int) -> None:
        """Let sums over what is there from the start wait for a later pass, if there is one.

        A pass over one array alone waits for memory: two arrays at once take less than one each.
        """
        inputs = {n for n, s in self.parts.scopes.items() if s == ELEMENT}
        inputs -= {target(statement) for statement in self.parts.body}
        for level, line in list(self.lines):
            alone = [x for _, x in self.lines if x.sum == line.sum] == [line]
            if not (line.found and line.found.over == TENSOR and alone and line.sum >= 0):
                continue
            name, known = target(line.statement), self.sums[line.sum]
            latest = min([last, *self.deadlines(name, last)])
            others = [s for k, s in enumerate(self.sums) if k != line.sum and s.parts in PASSED]
            passed = any(one.level == latest for one in others)
            if known.argument in inputs and latest > level and passed:
                self.sums[line.sum] = replace(known, level=latest)
                self.wait(name, latest)

    def deadlines(self, name: str, last: int) -> Iterator[int]:
        """After which pass at the latest a number is asked for, by each that asks."""
        elements = self.elements()
        for level in range(1, last + 1):
            asking = set().union(*(names(s.value) for s in needed(elements, self.asked(level))))
            if name in asking:
                yield level - 1
        for level, line in self.lines:
            if name in names(line.statement.value):
                if line.sum >= 0:
                    yield level - 1
                yield from self.deadlines(target(line.statement), last)

    def wait(self, name: str, level: int) -> None:
        """Let a number, and what is made of it, be computed after this pass and not before."""
        for k, (before, line) in enumerate(self.lines):
            if target(line.statement) == name and before < level:
                self.lines[k] = level, line
            elif name in names(line.statement.value) and line.sum < 0 and before < level:
                self.wait(target(line.statement), level)

    def asked(self, level: int) -> set[str]:
        """What of each element a pass adds up."""
        over = (s for s in self.sums if s.level == level and s.parts in PASSED)
        return {one.argument for one in over}

    def elements(self) -> list[ast.Assign]:
        """The statements of elements that passes compute, and compute again."""
        body = [s for s in self.parts.body if self.scope(target(s)) == ELEMENT]
        return [s for s in body if not matrix(s.value)]

    def scope(self, name: str) -> str:
        return self.parts.scopes.get(name, "once")

    def of(self, scope: str) -> tuple[str, ...]:
        """The names of the body that have this scope, in their order."""
        every = map(target, self.parts.body)
        return tuple(name for name in every if self.scope(name) == scope)

    def take(self, statement: ast.Assign) -> None:
        name, found = target(statement), reduction(statement.value)
        level = max((self.levels.get(read, 0) for read in names(statement.value)), default=0)
        place = number = -1
        if square := matrix(statement.value):
            level += 1
            argument = ast.unparse(square.argument)
            self.sums.append(Sum(argument, False, WHOLE, level, name, square.coefficients))
        if found:
            assert isinstance(found.argument, ast.Name)
            parts = self.kind(found)
            if parts:
                level += 1
            if found.over == ALL:
                number, self.met = self.met, self.met + 1
                level = max([level, *self.formula.waits[number : number + 1]])
            if parts:
                made = Sum(found.argument.id, found.word in SQUARED, parts, level)
                # A norm and a root mean square of one thing share their sum.
                if made not in self.sums:
                    self.sums.append(made)
                place = self.sums.index(made)
        self.levels[name] = level
        if self.scope(name) != ELEMENT:
            self.lines.append((level, Line(statement, self.scope(name), found, place, number)))

    def kind(self, found: Reduction) -> str:
        """In which form the sum of a reduction is made; empty where it waits for nothing.

        All columns are there when one is, but rows may lie on several machines.
        """
        scope = self.scope(ast.unparse(found.argument))
        if scope == ELEMENT:
            return COLUMNS if found.over == COLUMN else LEAVES
        if scope == ROW:
            return ROWS
        return NUMBERS if found.over == ALL else ""


def needed(statements: list[ast.Assign], wanted: set[str]) -> list[ast.Assign]:
    """Those of the statements, whose names are unique, that `wanted` names are made of."""
    wanted, kept = {*wanted}, list[ast.Assign]()
    for statement in reversed(statements):
        if target(statement) in wanted:
            kept.insert(0, statement)
            wanted |= names(statement.value)
    return kept
