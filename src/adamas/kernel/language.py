"""What a formula's expressions may be made of, and what each becomes for those that compute it.

Whatever reads a formula knows arithmetic, one comparison, `a if c else b` and calls of words. What
is written besides is rewritten into these where it stands; everything else is a fault, with what to
write instead, so that whatever passes can be hoisted, fused and run in any dtype.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from types import FunctionType
from typing import Any, NamedTuple

from adamas import words
from adamas.kernel import advice
from adamas.kernel.nodes import again, assigned, compared, fresh, joined, signed
from adamas.kernel.origin import NOTHING, is_local, number, outside
from adamas.kernel.text import Text

WORDS = frozenset(words.__all__)
# Every kernel imports these: no value may have their name. Other words it may have, in a rule that
# does not call them.
TAKEN = frozenset({"abs", "exp", "log", "maximum", "minimum", "sign", "sqrt", "where"})
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
ARITHMETIC = (ast.Add, ast.Sub, ast.Div, ast.Pow, ast.Mod, ast.FloorDiv)
# Numbers that a step knows by itself: a rule asks for them by name, without a default.
GIVEN = ("t", "rows", "columns", "h")
ALLOWED = (
    "Allowed: + - * / ** %, comparisons, `a if c else b`, numbers and functions beside the rule, "
    f"and the words {', '.join(sorted(WORDS))}."
)


class Read(NamedTuple):
    """An expression as those read it that compute it, and whether it is a truth value.

    Truth values may be tested and multiplied: NumPy adds two of them to one, a kernel to two, and
    others refuse to.
    """

    node: ast.expr
    truth: bool


@dataclass(frozen=True)
class Lacking:
    """A name that was assigned in one branch of an `if` only; `test` is where it has no value."""

    test: str
    branch: str


@dataclass
class Shared:
    """What the readers of a rule and of the functions it calls have in common."""

    text: Text
    taken: set[str]
    told: set[str] = field(default_factory=set)
    calls: int = 0
    draws: int = 0
    like: list[tuple[ast.expr, ast.expr]] = field(default_factory=list)

    def fresh(self, name: str) -> str:
        """A name that nothing has yet, and has from here on."""
        found = fresh(name, self.taken)
        self.taken.add(found)
        return found


@dataclass
class Expressions:
    """Reads the expressions of one function; `known` says what its names are at this place.

    What must be computed before is appended to `block`.
    """

    shared: Shared
    function: FunctionType
    known: dict[str, Read | Lacking]
    block: list[ast.Assign]

    def fault(self, node: ast.AST, problem: str, instead: str) -> Read:
        """Note a fault, and go on as if a number stood here."""
        self.shared.text.fault(node, problem, instead)
        return Read(ast.Constant(1.0), False)

    @property
    def instead(self) -> str:
        """What an unknown name may be made."""
        return (
            "Make it a state, a keyword-only hyper-parameter, or a number above the rule, or "
            "assign it first."
        )

    def first(self, name: str) -> bool:
        """Whether this name was not complained about in this function."""
        key = f"{self.function.__qualname__}:{name}"
        new = key not in self.shared.told
        self.shared.told.add(key)
        return new

    def expression(self, node: ast.expr) -> Read:
        """Read any expression."""
        match node:
            case ast.Constant(value=bool()):
                return self.fault(
                    node, "a truth value is not a number", "Write a comparison, 0.0 or 1.0."
                )
            case ast.Constant(value=int() | float()):
                return Read(node, False)
            case ast.Name():
                return self.name(node)
            case ast.Attribute() if (value := outside(self.function, node)) is not NOTHING:
                return self.outer(node, value)
            case ast.BinOp() | ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                return self.arithmetic(node)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return self.logic(node)
            case ast.Compare() if all(isinstance(one, COMPARISONS) for one in node.ops):
                return self.comparison(node)
            case ast.IfExp():
                test = self.test(node.test)
                yes, no = self.expression(node.body), self.expression(node.orelse)
                made = ast.copy_location(ast.IfExp(test, yes.node, no.node), node)
                return Read(made, yes.truth and no.truth)
            case ast.Call():
                return self.call(node)
        return self.fault(node, *advice.expression(node, ALLOWED))

    def name(self, node: ast.Name) -> Read:
        """A name of this function, or a number that stands around it."""
        found, name = self.known.get(node.id), node.id
        if isinstance(found, Read):
            return Read(ast.copy_location(again(found.node), node), found.truth)
        if isinstance(found, Lacking) and self.first(name):
            return self.fault(
                node,
                f"{name!r} has no value where {found.test}",
                f"Give it one before the `if`, or in its {found.branch}.",
            )
        value = outside(self.function, node)
        if value is not NOTHING:
            return self.outer(node, value)
        if not self.first(name):
            return Read(ast.Constant(1.0), False)
        if name in GIVEN and not is_local(self.function, name):
            instead = f"Ask for it in the signature: `*, {name}`."
            return self.fault(node, f"{name!r} is not known here", instead)
        return self.fault(node, f"{name!r} is not known here", self.instead)

    def outer(self, node: ast.expr, value: Any) -> Read:
        """A number from around the function, which is the same for good."""
        found = number(value)
        if found is not None:
            return Read(ast.copy_location(signed(found), node), False)
        shown, kind = ast.unparse(node), type(value).__name__
        if isinstance(value, Real) and not isinstance(value, bool):
            problem, instead = f"{shown!r} is no finite number", "Write one that is."
        elif callable(value):
            problem, instead = f"{shown!r} is a function, not a number", f"Call it: `{shown}(x)`."
        else:
            article = "an" if kind[0] in "aeiou" else "a"
            problem = f"{shown!r} is {article} {kind}, not a number"
            instead = "A rule reads finite real numbers from around it, and nothing else."
        return self.fault(node, problem, instead)

    def arithmetic(self, node: ast.BinOp | ast.UnaryOp) -> Read:
        """An operation on numbers, or the product of two truth values."""
        if isinstance(node, ast.UnaryOp):
            made: ast.expr = ast.UnaryOp(node.op, self.number(node.operand))
            return Read(ast.copy_location(made, node), False)
        if isinstance(node.op, ast.Mult):
            left, right = self.expression(node.left), self.expression(node.right)
            made = ast.copy_location(ast.BinOp(left.node, node.op, right.node), node)
            return Read(made, left.truth and right.truth)
        if not isinstance(node.op, ARITHMETIC):
            return self.fault(node, *advice.expression(node, ALLOWED))
        made = ast.BinOp(self.number(node.left), node.op, self.number(node.right))
        return Read(ast.copy_location(made, node), False)

    def number(self, node: ast.expr) -> ast.expr:
        """An expression that must be a number."""
        found = self.expression(node)
        if found.truth:
            self.fault(
                node, "a comparison is no number here", "Write `where(comparison, 1.0, 0.0)`."
            )
        return found.node

    def comparison(self, node: ast.Compare) -> Read:
        """A comparison, or the product of a chain of them, each side of which is computed once."""
        sides = [self.expression(side).node for side in (node.left, *node.comparators)]
        sides[1:-1] = [self.named("between", side) for side in sides[1:-1]]
        pairs = zip(sides, node.ops, sides[1:], strict=False)
        made = [
            ast.copy_location(ast.Compare(again(a), [op], [again(b)]), node) for a, op, b in pairs
        ]
        return Read(joined(made, ast.Mult(), node), True)

    def logic(self, node: ast.BoolOp | ast.UnaryOp) -> Read:
        """`and`, `or`, `not` as a value: of truth values only, or Python would return a number."""
        if isinstance(node, ast.UnaryOp):
            return Read(self.truth(node), True)
        parts = []
        for part in node.values:
            found = self.expression(part)
            if not found.truth:
                self.fault(part, "a number is no condition here", "Write `x != 0`.")
            parts.append(found.node)
        return Read(_logical(node, parts), True)

    def test(self, node: ast.expr) -> ast.expr:
        """A condition; a number is tested against 0."""
        logical = isinstance(node, ast.BoolOp) or (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        )
        return self.truth(node) if logical else self.expression(node).node

    def truth(self, node: ast.expr) -> ast.expr:
        """A condition as a truth value."""
        match node:
            case ast.BoolOp():
                return _logical(node, [self.truth(part) for part in node.values])
            case ast.UnaryOp(op=ast.Not()):
                return compared(self.test(node.operand), ast.Eq(), node)
        made = self.expression(node)
        return made.node if made.truth else compared(made.node, ast.NotEq(), node)

    def call(self, node: ast.Call) -> Read:
        """A call of a word, or of a function beside the rule."""
        raise NotImplementedError

    def named(self, name: str, node: ast.expr) -> ast.expr:
        """A name for a value that is read more than once."""
        if isinstance(node, ast.Name | ast.Constant):
            return node
        target = self.shared.fresh(name)
        self.block.append(assigned(target, node))
        return ast.copy_location(ast.Name(target, ast.Load()), node)


def _logical(node: ast.BoolOp, parts: Sequence[ast.expr]) -> ast.expr:
    if isinstance(node.op, ast.And):
        return joined(parts, ast.Mult(), node)
    return compared(joined(parts, ast.Add(), node), ast.NotEq(), node)
