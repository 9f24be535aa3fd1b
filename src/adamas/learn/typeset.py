"""The formula of a rule as mathematics, from the rule's own text: nothing is written a second time.

`mathml` is for pages, `latex` for Markdown. Names become symbols in `learn/symbols.py`: η is `lr`,
θ the parameter `p`, λ `weight_decay`, ε `eps`. A division is a fraction, a product has no sign, two
equal factors are a square; a comparison that counts as a number stands in square brackets, which
are 1 if it holds, else 0 (Iverson's). Brackets stand where the formula would say something else
without them.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adamas.kernel.formula import Formula
from adamas.kernel.scopes import TENSOR, matrix, reduction
from adamas.learn.notation import LATEX, MATHML, Notation
from adamas.learn.symbols import Symbol, lines, symbol

__all__ = ["latex", "letter", "mathml"]

Say = Callable[[str], str]

# How tightly an expression holds together; what holds less than its place asks for gets brackets. A
# sum that begins with a minus is `LED` by it, a product that does is `NEGATED`.
CHOICE, REMAINDER, LED, SUM, NEGATED, PRODUCT, FRACTION, ATOM = range(8)
RELATIONS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "=", ast.NotEq: "!=",
}  # fmt: skip
FUNCTIONS = {"maximum": "max", "minimum": "min", "log": "ln", "total": "sum"}
"""Words that mathematics calls otherwise."""


def mathml(formula: Formula, say: Say) -> str:
    """Return a rule as presentation MathML; `say` has the words of a language, by key.

    Its keys are those of `text/formula.toml`. The element has the class `formula`.
    """
    return _written(formula, MATHML, say)


def latex(formula: Formula, say: Say) -> str:
    r"""Return a rule as LaTeX, an `aligned` to be put between two `$$`; `say` as in `mathml`."""
    return _written(formula, LATEX, say)


def letter(name: str) -> str:
    """Return a name of a rule as MathML in a line of text, without the index of a step."""
    return f"<math>{MATHML.symbol(symbol(name))}</math>"


def _written(formula: Formula, write: Notation, say: Say) -> str:
    equations = [
        (write.symbol(one.left), Typesetter(write, say, one.symbols).text(one.right, CHOICE))
        for one in lines(formula)
    ]
    return write.lines("rows", equations)


@dataclass(frozen=True)
class Typesetter:
    """Writes expressions whose names are these symbols."""

    write: Notation
    say: Say
    symbols: Mapping[str, Symbol]

    def text(self, node: ast.expr, wanted: int) -> str:
        """Return an expression, in brackets if it holds together less than is wanted."""
        made, level = self.made(node)
        return made if level >= wanted else self.write.fenced("(", made, ")")

    def made(self, node: ast.expr) -> tuple[str, int]:
        """Return an expression and how tightly it holds together."""
        match node:
            case ast.Constant(value=int() | float() as value):
                return self.number(value)
            case ast.Name(id=name):
                return self.write.symbol(self.symbols[name]), ATOM
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.write.sign("-") + self.text(operand, PRODUCT), NEGATED
            case ast.UnaryOp(operand=operand):
                return self.made(operand)
            case ast.BinOp():
                return self.operation(node)
            case ast.Compare():
                return self.write.fenced("[", self.relation(node), "]"), ATOM
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.choice(test, body, orelse)
            case ast.Call(func=ast.Name(id="where"), args=[test, body, orelse]):
                return self.choice(test, body, orelse)
        assert isinstance(node, ast.Call), ast.unparse(node)
        return self.call(node)

    def number(self, value: float) -> tuple[str, int]:
        """Return a number; a power of ten where Python writes one."""
        if value < 0:
            return self.write.sign("-") + self.number(-value)[0], NEGATED
        digits, _, exponent = repr(value).removesuffix(".0").partition("e")
        shown = self.write.pieces["number"].format
        if not exponent:
            return shown(digits), ATOM
        ten = self.write.piece("power", shown("10"), self.number(int(exponent))[0])
        if digits == "1":
            return ten, FRACTION
        return shown(digits) + self.write.sign("*") + ten, PRODUCT

    def operation(self, node: ast.BinOp) -> tuple[str, int]:
        """Return what is made of two sides."""
        left, right, write = node.left, node.right, self.write
        match node.op:
            case ast.Add() | ast.Sub():
                return self.sum(node)
            case ast.Mult():
                return self.product(node)
            case ast.Pow():
                return write.piece(
                    "power", self.text(left, ATOM), self.text(right, CHOICE)
                ), FRACTION
            case ast.Mod():
                sides = self.text(left, FRACTION), self.text(right, FRACTION)
                return write.sign("mod").join(sides), REMAINDER
        made = write.piece("fraction", self.text(left, CHOICE), self.text(right, CHOICE))
        if isinstance(node.op, ast.FloorDiv):
            return write.fenced("⌊", made, "⌋"), ATOM
        return made, FRACTION

    def sum(self, node: ast.BinOp) -> tuple[str, int]:
        """Return a sum or a difference; no minus follows another sign."""
        plus = isinstance(node.op, ast.Add)
        after, level = self.made(node.right)
        if level < (SUM if plus else PRODUCT) or level == NEGATED:
            after = self.write.fenced("(", after, ")")
        led = self.made(node.left)[1] in (LED, NEGATED)
        sign = self.write.sign("+" if plus else "-")
        return self.text(node.left, LED) + sign + after, LED if led else SUM

    def product(self, node: ast.BinOp) -> tuple[str, int]:
        """Return a product; a factor that stands twice in a row is a square."""
        squares: list[tuple[ast.expr, bool]] = []
        for factor in _factors(node):
            alike = squares and ast.unparse(squares[-1][0]) == ast.unparse(factor)
            if alike and not squares[-1][1] and not _numeric(factor):
                squares[-1] = factor, True
            else:
                squares.append((factor, False))
        made, two = "", self.write.pieces["number"].format(2)
        for k, (factor, twice) in enumerate(squares):
            if k:
                apart = self.misread(squares[k - 1][0], factor)
                made += self.write.pieces["dot" if apart else "times"]
            text = self.text(factor, ATOM if twice else PRODUCT if k else NEGATED)
            made += self.write.piece("power", text, two) if twice else text
        led = not squares[0][1] and self.made(squares[0][0])[1] == NEGATED
        return made, NEGATED if led else PRODUCT

    def misread(self, before: ast.expr, after: ast.expr) -> bool:
        """Whether two factors beside each other look like a numeral, a mixed number or a call."""
        if _numeric(before) and isinstance(after, ast.BinOp) and isinstance(after.op, ast.Div):
            return True
        word = isinstance(before, ast.Name) and self.symbols[before.id].word
        return word or _numeric(after)

    def relation(self, node: ast.expr) -> str:
        """Return a condition; a number is compared with 0."""
        if not isinstance(node, ast.Compare):
            node = ast.Compare(node, [ast.NotEq()], [ast.Constant(0)])
        sides = (self.text(side, REMAINDER) for side in (node.left, *node.comparators))
        return self.write.sign(RELATIONS[type(node.ops[0])]).join(sides)

    def choice(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> tuple[str, int]:
        """Return one of two values, under each other after a brace."""
        yes = self.text(body, CHOICE), self.say("formula.if"), self.relation(test)
        no = self.text(orelse, CHOICE), self.say("formula.otherwise"), ""
        return self.write.lines("cases", [yes, no]), CHOICE

    def call(self, node: ast.Call) -> tuple[str, int]:
        """Return a call of a word, with what it is over if that is not the tensor."""
        word, found = ast.unparse(node.func), reduction(node)
        below = self.say(f"formula.{found.over}") if found and found.over != TENSOR else ""
        given = [found.argument] if found else node.args
        if made := matrix(node):
            below, given = made.coefficients.replace("_", " "), [made.argument]
        inside = self.write.pieces["comma"].join(self.text(one, CHOICE) for one in given)
        if word == "sqrt":
            return self.write.piece("root", inside), ATOM
        if bar := {"abs": "|", "norm": "‖"}.get(word):
            return self.write.fenced(bar, inside, bar, below), ATOM
        return self.write.called(FUNCTIONS.get(word, word), below, inside), FRACTION


def _factors(node: ast.expr) -> list[ast.expr]:
    """The factors of a product, in their order."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _numeric(node: ast.expr) -> bool:
    """Whether an expression begins with a digit."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return _numeric(node.left)
    return isinstance(node, ast.Constant)
