"""What depends on hyper-parameters and t alone is computed once a step, in float64.

Two reasons. Speed: an integer t or a literal left inside a float32 loop promotes it to float64 and
costs up to 14 times (measured, Numba 0.68). Accuracy: `1 - beta2**t` in float32 is off by 1.3e-5 at
the first step. So every maximal such sub-expression moves to a prologue, and the loop keeps only
named constants. Division by a constant becomes multiplication by its reciprocal, taken in float64:
in float32 the rounding error is the same and the loop has one division less.

Where a rule reduces, the same is done for every scope: what a tensor has one number of is computed
once a tensor, what a row has one number of once a row.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from typing import cast

from adamas.kernel.first import asks, clock
from adamas.kernel.formula import Formula, fresh, target
from adamas.kernel.orthogonal import normalised
from adamas.kernel.scopes import (
    ALL,
    COLUMN,
    ELEMENT,
    FINENESS,
    ONCE,
    ROW,
    Matrix,
    Reduction,
    matrix,
    reduction,
    scope,
)

# Its reciprocal is a float32 by far.
LEAST_DIVISOR = 1e-30


@dataclass(frozen=True)
class Hoisted:
    """A formula in two parts: `prologue` once a step in float64, `body` for every element.

    `constants` maps the names that the body reads to the prologue's expressions, in order;
    `next_scalars` maps each per-tensor scalar state to the expression of its new value;
    `outputs` maps p and each state to the name of its new value in the body. `first` names what is
    1.0 at the first step and 0.0 afterwards, None where nothing asks; the prologue begins with it.

    Where the formula reduces, `scopes` has the scope of every name of the body, each name is
    assigned once, and states of tensors whose new value is made there are among the outputs.
    """

    prologue: tuple[ast.Assign, ...]
    body: tuple[ast.Assign, ...]
    constants: dict[str, ast.expr]
    next_scalars: dict[str, ast.expr]
    outputs: dict[str, str]
    first: str | None = None
    scopes: dict[str, str] = field(default_factory=dict)


class _Rename(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


def renamed(node: ast.expr, names: Mapping[str, str]) -> ast.expr:
    """A copy of an expression with these names for its own."""
    copy = ast.parse(ast.unparse(node), mode="eval").body
    return cast(ast.expr, _Rename(names).visit(copy))


@lru_cache
def hoist(formula: Formula) -> Hoisted:
    """Split `formula` into its prologue and its body."""
    worker = _Hoister(formula)
    for statement in formula.statements:
        parts = normalised(statement, worker.taken)
        worker.taken |= set(map(target, parts))
        for one in parts:
            worker.take(one)
    kept = {ELEMENT: ("p", *formula.states), ROW: formula.rows, COLUMN: formula.columns}
    outputs = {
        name: worker.output(formula.outputs[name], each) for each in kept for name in kept[each]
    }
    ends = {name: worker.current.get(name, name) for name in formula.outputs.values()}
    once = [s for s in formula.scalars if worker.scope(_name(ends[formula.outputs[s]])) == ONCE]
    scalars = {name: worker.scalar(_name(formula.outputs[name])) for name in once}
    outputs |= {s: ends[formula.outputs[s]] for s in formula.scalars if s not in once}
    return Hoisted(
        prologue=tuple(worker.prologue),
        body=tuple(worker.body),
        constants=worker.constants,
        next_scalars=scalars,
        outputs=outputs,
        first=worker.first,
        scopes=worker.scopes,
    )


@dataclass
class _Hoister:
    formula: Formula
    prologue: list[ast.Assign] = field(default_factory=list)
    body: list[ast.Assign] = field(default_factory=list)
    constants: dict[str, ast.expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        formula = self.formula
        # What is not in it is the same in the whole step.
        self.scopes = {n: s for n, s in formula.scopes.items() if n not in formula.scalars}
        self.at = ELEMENT
        self.once = {"t", *formula.given, *formula.scalars, *formula.hypers} - self.scopes.keys()
        self.current: dict[str, str] = {}
        self.named: dict[str, str] = {}
        self.first: str | None = None
        # What gradients make whose reciprocals fit where quotients do.
        self.inverted = set[str]()
        self.clocks: dict[str, ast.expr] = {"t": _name("t")}
        written = {n.id for s in formula.statements for n in ast.walk(s) if isinstance(n, ast.Name)}
        self.taken = self.scopes.keys() | self.once | written

    def take(self, statement: ast.Assign) -> None:
        given = target(statement)
        value = renamed(statement.value, self.current)
        known = clock(value, self.clocks)
        value = cast(ast.expr, _First(self).visit(value))
        self.at = self.scope(value)
        found, made = reduction(value), matrix(value)
        done = self.reduced(found) if found else self.of_matrix(made) if made else self.whole(value)
        # Sums over all tensors are as many in each form of a rule, so that they can be numbered.
        text = "" if found is None or found.over == ALL else ast.unparse(done)
        if text in self.named:
            self.current[given] = self.named[text]
            return
        name = self.named_anew(given)
        self.current[given] = name
        if self.inverts(value):
            self.inverted.add(name)
        if text:
            self.named[text] = name
        if self.at == ONCE:
            self.once.add(name)
        else:
            self.scopes[name] = self.at
        self.clocks |= {} if known is None else {name: known}
        (self.prologue if self.at == ONCE else self.body).append(_assign(name, done))

    def named_anew(self, given: str) -> str:
        """The name for a new value: one of its own where the old one may still be read.

        The prologue runs before every line of the body, and what a rule that reduces has once for a
        tensor or a row is made between passes over its elements.
        """
        name = self.current.get(given, given)
        changes = self.at == ONCE and name in self.scopes
        again = self.formula.over and (name in self.scopes or given in self.current)
        if name in self.once or changes or again:
            name = fresh(given, self.taken)
            self.taken.add(name)
        return name

    def whole(self, value: ast.expr) -> ast.expr:
        """The value of a statement of scope `at`."""
        if self.at == ONCE:
            return cast(ast.expr, _Floats().visit(value))
        return self.pull(value)

    def reduced(self, found: Reduction) -> ast.expr:
        """A reduction of a name of its own, or of one that is there."""
        over, self.at = self.at, self.scope(found.argument)
        argument = self.local(self.pull(found.argument))
        self.at = over
        return replace(found, argument=argument).call

    def of_matrix(self, made: Matrix) -> ast.expr:
        """A matrix made of a name of its own, or of one that is there."""
        return replace(made, argument=self.local(self.pull(made.argument))).call

    def scope(self, node: ast.AST) -> str:
        """The scope of an expression over the names of the body."""
        return scope(node, self.scopes)

    def is_first(self) -> ast.Name:
        """What says in the prologue and in the body whether this is an element's first step."""
        if self.first is None:
            self.first = fresh("first", self.taken)
            self.taken.add(self.first)
            self.once.add(self.first)
            test = ast.Compare(_name("t"), [ast.Eq()], [ast.Constant(1.0)])
            self.prologue.insert(0, _assign(self.first, _Floats().visit(test)))
        return _name(self.first)

    def is_scalar(self, node: ast.expr) -> bool:
        return self.scope(node) == ONCE

    def output(self, name: str, each: str) -> str:
        """The body's name for an output, copying what is coarser into its scope where needed.

        And a matrix, which is loaded where a statement of elements reads it.
        """
        name = self.current.get(name, name)
        whole = any(target(one) == name for one in self.body if matrix(one.value))
        if self.scopes.get(name) == each and not whole:
            return name
        copy, self.at = fresh(f"{name}_value", self.taken), each
        self.taken.add(copy)
        self.scopes[copy] = each
        self.body.append(_assign(copy, self.pull(_name(name))))
        return copy

    def scalar(self, node: ast.expr) -> ast.expr:
        return cast(ast.expr, _Floats().visit(renamed(node, self.current)))

    def constant(self, node: ast.expr) -> ast.expr:
        """A name in the body for the value of the scalar expression `node`."""
        node = _Floats().visit(node)
        text = ast.unparse(node)
        if text not in self.named:
            name = node.id if isinstance(node, ast.Name) else self.next_constant()
            self.taken.add(name)
            self.named[text] = name
            self.constants[name] = node
        return _name(self.named[text])

    def next_constant(self) -> str:
        return next(k for i in count(1) if (k := f"k{i}") not in self.taken)

    def coarser(self, node: ast.expr) -> bool:
        """Whether there are fewer numbers of an expression than are being computed."""
        return FINENESS[self.scope(node)] < FINENESS[self.at]

    def inverts(self, node: ast.expr) -> bool:
        """Whether the reciprocal of a coarser expression fits where the quotient does.

        That of a step's own number was checked when it was set. What gradients make may be as small
        as their squares; a root is not, and neither is what is at least some constant.
        """
        match node:
            case _ if self.is_scalar(node):
                return True
            case ast.Name(id=name):
                return name in self.inverted
            case ast.Call(func=ast.Name(id="sqrt" | "norm" | "rms")):
                return True
            case ast.Call(func=ast.Name(id="maximum"), args=args):
                values = [one.value for one in args if isinstance(one, ast.Constant)]
                return any(isinstance(x, int | float) and x >= LEAST_DIVISOR for x in values)
        return False

    def apart(self, node: ast.expr) -> ast.expr:
        """A name for a coarser expression, which is computed in a line of its own."""
        if self.is_scalar(node):
            return self.constant(node)
        at, self.at = self.at, self.scope(node)
        pulled = self.pull(node)
        text = ast.unparse(pulled)
        found = _name(self.named[text]) if text in self.named else self.local(pulled)
        self.named[text] = found.id
        self.at = at
        return found

    def pull(self, node: ast.expr) -> ast.expr:
        """`node` with every coarser sub-expression replaced by the name of what it is."""
        if self.coarser(node):
            return self.apart(node)
        match node:
            case ast.Name():
                return node
            case ast.BinOp(op=ast.Div()) if self.coarser(node.right) and self.inverts(node.right):
                inverse = ast.BinOp(ast.Constant(1.0), ast.Div(), node.right)
                return ast.BinOp(self.pull(node.left), ast.Mult(), self.apart(inverse))
            case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=int() | float() as power)):
                return self.power(node.left, power)
            case ast.BinOp():
                return ast.BinOp(self.pull(node.left), node.op, self.pull(node.right))
            case ast.UnaryOp(op=ast.USub()):
                return ast.UnaryOp(node.op, self.pull(node.operand))
            case ast.UnaryOp():
                return self.pull(node.operand)
            case ast.IfExp():
                return self.choose(node.test, node.body, node.orelse)
            case ast.Call(func=ast.Name(id="where")):
                return self.choose(*node.args)
            case ast.Call():
                return ast.Call(node.func, [self.pull(a) for a in node.args], [])
            case ast.Compare():
                return self.choose(node, ast.Constant(1.0), ast.Constant(0.0))
        raise AssertionError(ast.dump(node))

    def power(self, base: ast.expr, power: float) -> ast.expr:
        pulled = self.pull(base)
        if power in (2, 3, 4):
            pulled = self.local(pulled)
            product: ast.expr = pulled
            for _ in range(int(power) - 1):
                product = ast.BinOp(product, ast.Mult(), pulled)
            return product
        if power == 0.5:
            return ast.Call(_name("sqrt"), [pulled], [])
        return ast.BinOp(pulled, ast.Pow(), self.constant(ast.Constant(float(power))))

    def local(self, node: ast.expr) -> ast.Name:
        """A name for `node`, which is read more than once: copies of copies would never end."""
        if isinstance(node, ast.Name):
            return node
        name = fresh("base", self.taken)
        self.taken.add(name)
        self.scopes[name] = self.at
        self.body.append(_assign(name, node))
        return _name(name)

    def choose(self, test: ast.expr, yes: ast.expr, no: ast.expr) -> ast.expr:
        zero = ast.Constant(0.0)
        if self.is_scalar(test) or not isinstance(test, ast.Compare):
            test = ast.Compare(self.pull(test), [ast.NotEq()], [self.constant(zero)])
        else:
            right = [self.pull(c) for c in test.comparators]
            test = ast.Compare(self.pull(test.left), test.ops, right)
        return ast.Call(_name("where"), [test, self.pull(yes), self.pull(no)], [])


class _First(ast.NodeTransformer):
    """Conditions that tell the first step from all others ask for the element's own."""

    def __init__(self, owner: _Hoister) -> None:
        self.owner = owner

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return self.asked(node) or node

    def visit_IfExp(self, node: ast.IfExp) -> ast.IfExp:
        test = self.asked(node.test) or self.visit(node.test)
        return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))

    def visit_Call(self, node: ast.Call) -> ast.Call:
        test, *others = node.args
        chooses = isinstance(node.func, ast.Name) and node.func.id == "where"
        visited = (chooses and self.asked(test)) or self.visit(test)
        return ast.Call(node.func, [visited, *map(self.visit, others)], node.keywords)

    def asked(self, test: ast.expr) -> ast.expr | None:
        yes = asks(test, self.owner.clocks)
        if yes is None:
            return None
        first = self.owner.is_first()
        return first if yes else ast.Compare(first, [ast.Eq()], [ast.Constant(0.0)])


class _Floats(ast.NodeTransformer):
    """Every number of the prologue is a float64, a comparison 1.0 or 0.0, as it is in the body.

    Numba's integer power of a negative exponent is 0, and it would compute with truth values in
    integers. Applied twice, it does no more than once.
    """

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        assert isinstance(node.value, int | float)
        return ast.Constant(float(node.value))

    def visit_Compare(self, node: ast.Compare) -> ast.Call:
        parts = [self.condition(node), ast.Constant(1.0), ast.Constant(0.0)]
        return ast.Call(_name("where"), parts, [])

    def visit_IfExp(self, node: ast.IfExp) -> ast.IfExp:
        return ast.IfExp(self.condition(node.test), self.visit(node.body), self.visit(node.orelse))

    def visit_Call(self, node: ast.Call) -> ast.Call:
        first, *others = node.args
        chooses = isinstance(node.func, ast.Name) and node.func.id == "where"
        visited = self.condition(first) if chooses else self.visit(first)
        return ast.Call(node.func, [visited, *map(self.visit, others)], [])

    def condition(self, node: ast.expr) -> ast.Compare:
        if isinstance(node, ast.Compare):
            right = [self.visit(c) for c in node.comparators]
            return ast.Compare(self.visit(node.left), node.ops, right)
        return ast.Compare(self.visit(node), [ast.NotEq()], [ast.Constant(0.0)])


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _assign(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value, lineno=1)
