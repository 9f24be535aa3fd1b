"""What depends on hyper-parameters and t alone is computed once a step, in float64.

Two reasons. Speed: an integer t or a literal left inside a float32 loop promotes it to float64 and
costs up to 14 times (measured, Numba 0.68). Accuracy: `1 - beta2**t` in float32 is off by 1.3e-5 at
the first step. So every maximal such sub-expression moves to a prologue, and the loop keeps only
named constants. Division by a constant becomes multiplication by its reciprocal, taken in float64:
in float32 the rounding error is the same and the loop has one division less.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import cast

from adamas.kernel.first import asks, clock
from adamas.kernel.formula import Formula, fresh


@dataclass(frozen=True)
class Hoisted:
    """A formula in two parts: `prologue` once a step in float64, `body` for every element.

    `constants` maps the names that the body reads to the prologue's expressions, in order;
    `next_scalars` maps each per-tensor scalar state to the expression of its new value;
    `outputs` maps p and each state to the name of its new value in the body. `first` names what is
    1.0 at the first step and 0.0 afterwards, None where nothing asks; the prologue begins with it.
    """

    prologue: tuple[ast.Assign, ...]
    body: tuple[ast.Assign, ...]
    constants: dict[str, ast.expr]
    next_scalars: dict[str, ast.expr]
    outputs: dict[str, str]
    first: str | None = None


class _Rename(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


def renamed(node: ast.expr, names: Mapping[str, str]) -> ast.expr:
    """A copy of an expression with these names for its own."""
    copy = ast.parse(ast.unparse(node), mode="eval").body
    return cast(ast.expr, _Rename(names).visit(copy))


def hoist(formula: Formula) -> Hoisted:
    """Split `formula` into its prologue and its body."""
    worker = _Hoister(formula)
    for statement in formula.statements:
        worker.take(statement)
    outputs = {name: worker.element(formula.outputs[name]) for name in ("p", *formula.states)}
    scalars = {name: worker.scalar(_name(formula.outputs[name])) for name in formula.scalars}
    return Hoisted(
        prologue=tuple(worker.prologue),
        body=tuple(worker.body),
        constants=worker.constants,
        next_scalars=scalars,
        outputs=outputs,
        first=worker.first,
    )


@dataclass
class _Hoister:
    formula: Formula
    prologue: list[ast.Assign] = field(default_factory=list)
    body: list[ast.Assign] = field(default_factory=list)
    constants: dict[str, ast.expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        formula = self.formula
        self.elements = {"p", "g", *formula.states}
        self.once = {"t", *formula.scalars, *formula.hypers}
        self.current: dict[str, str] = {}
        self.named: dict[str, str] = {}
        self.first: str | None = None
        self.clocks: dict[str, ast.expr] = {"t": _name("t")}
        written = {n.id for s in formula.statements for n in ast.walk(s) if isinstance(n, ast.Name)}
        self.taken = self.elements | self.once | written

    def take(self, statement: ast.Assign) -> None:
        target = statement.targets[0]
        assert isinstance(target, ast.Name)
        value = renamed(statement.value, self.current)
        known = clock(value, self.clocks)
        value = cast(ast.expr, _First(self).visit(value))
        scalar = self.is_scalar(value)
        # A name that changes sides, or a second value of a scalar, gets a name of its own: the
        # prologue runs before every line of the body.
        name = self.current.get(target.id, target.id)
        if name in self.once or (scalar and name in self.elements):
            name = fresh(target.id, self.taken)
            self.taken.add(name)
        self.current[target.id] = name
        (self.once if scalar else self.elements).add(name)
        self.clocks |= {} if known is None else {name: known}
        done = _assign(name, _Floats().visit(value) if scalar else self.pull(value))
        (self.prologue if scalar else self.body).append(done)

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
        return not any(isinstance(n, ast.Name) and n.id in self.elements for n in ast.walk(node))

    def element(self, name: str) -> str:
        """The body's name for an output, copying a constant into the body where needed."""
        name = self.current.get(name, name)
        if name in self.elements:
            return name
        copy = fresh(f"{name}_value", self.taken)
        self.taken.add(copy)
        self.body.append(_assign(copy, self.constant(_name(name))))
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

    def pull(self, node: ast.expr) -> ast.expr:
        """`node` with every scalar sub-expression replaced by a constant's name."""
        if self.is_scalar(node):
            return self.constant(node)
        match node:
            case ast.Name():
                return node
            case ast.BinOp(op=ast.Div()) if self.is_scalar(node.right):
                inverse = ast.BinOp(ast.Constant(1.0), ast.Div(), node.right)
                return ast.BinOp(self.pull(node.left), ast.Mult(), self.constant(inverse))
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

    def local(self, node: ast.expr) -> ast.expr:
        """A name for `node`, which is read more than once: copies of copies would never end."""
        if isinstance(node, ast.Name):
            return node
        name = fresh("base", self.taken)
        self.taken.add(name)
        self.elements.add(name)
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
        return ast.Call(node.func, [visited, *map(self.visit, others)], [])

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
