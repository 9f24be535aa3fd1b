"""Reads MathML as a mathematician does: by what is seen, back to a value.

Only marks on the paper group: an `mrow` is opened, so that a bracket that is missing in sight is
missing here. A product binds closer than a sum, a minus stands at the beginning of a sum or a
bracket only, a brace goes on to the end of its line or bracket, and the base of a power is one
letter, number or bracket. What numbers are is the caller's: `Field` computes exactly.
"""

import ast
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

P = 2**61 - 1
SIGNS = {"−": "-", "≤": "<=", "≥": ">=", "≠": "!="}
PRODUCTS = ("\N{INVISIBLE TIMES}", "⋅", "×")
RELATIONS = ("<", "<=", ">", ">=", "=", "!=")
CLOSING = {"(": ")", "[": "]", "|": "|", "‖": "‖", "⌊": "⌋"}
LEAVES = ("mn", "mfrac", "msqrt", "msup")
SYMBOLS = ("mi", "msub", "mover")


class NotReadableError(Exception):
    """Something stands where a reader would not know what it means."""


@dataclass(frozen=True)
class Field:
    """A number of a finite field, where arithmetic is exact; every other function is made up.

    Whatever is equal by the laws of arithmetic is equal here, and hardly anything else.
    """

    value: int
    literal: Fraction | None = None

    def __add__(self, other: "Field") -> "Field":
        return Field((self.value + other.value) % P)

    def __sub__(self, other: "Field") -> "Field":
        return Field((self.value - other.value) % P)

    def __mul__(self, other: "Field") -> "Field":
        return Field(self.value * other.value % P)

    def __neg__(self) -> "Field":
        return Field(-self.value % P, None if self.literal is None else -self.literal)

    def __pos__(self) -> "Field":
        return self

    def __truediv__(self, other: "Field") -> "Field":
        if not other.value:
            return made_up("divided", self)
        return Field(self.value * pow(other.value, -1, P) % P)

    def __pow__(self, other: "Field") -> "Field":
        """A power whose exponent is a written integer is one; any other is made up."""
        whole = other.literal is not None and other.literal.denominator == 1
        if not whole or abs(other.literal or 0) > 64 or not self.value:
            return made_up("power", self, other)
        return Field(pow(self.value, int(other.literal or 0), P))


def number(text: str) -> Field:
    """A number as it is written."""
    exact = Fraction(text)
    return Field(exact.numerator * pow(exact.denominator, -1, P) % P, exact)


def made_up(word: str, *arguments: Field) -> Field:
    """A function of which nothing is known but that equal arguments give equal values."""
    text = f"{word}{[a.value for a in arguments]}".encode()
    return Field(int.from_bytes(hashlib.blake2b(text, digest_size=7).digest()))


def exactly(function: str, below: str, arguments: list[Any]) -> Field:
    """A word of a page in the field."""
    return made_up(function + below, *arguments)


@dataclass
class Reader:
    """Reads expressions; `known` are the values of symbols, by their text in MathML."""

    known: Mapping[str, Any]
    number: Callable[[str], Any] = number
    call: Callable[[str, str, list[Any]], Any] = exactly
    choose: Callable[[Any, Any, Any], Any] = lambda c, a, b: made_up("choice", c, a, b)
    compare: Callable[[str, Any, Any], Any] = lambda op, a, b: made_up(op, a, b)
    truth: Callable[[Any], Any] = lambda c: c
    tokens: list[Element] = field(default_factory=list)

    def read(self, element: Element) -> Any:
        """The value of what is in an element."""
        inside = Reader(
            self.known, self.number, self.call, self.choose, self.compare, self.truth,
            flat(element),
        )  # fmt: skip
        value = inside.whole()
        if inside.tokens:
            raise NotReadableError(shown(inside.tokens))
        return value

    def sign(self) -> str:
        """The operation that comes next; nothing at the end, or where a thing comes."""
        if not self.tokens or self.tokens[0].tag != "mo":
            return ""
        text = self.tokens[0].text or ""
        return SIGNS.get(text, text)

    def taken(self, wanted: str) -> None:
        """Go on past this sign."""
        if self.sign() != wanted:
            raise NotReadableError(f"no {wanted} before {shown(self.tokens)}")
        self.tokens.pop(0)

    def whole(self) -> Any:
        """A choice, a remainder or a sum, up to what closes it."""
        if self.sign() == "{":
            self.tokens.pop(0)
            value = self.cases(self.tokens.pop(0))
            if self.tokens and self.sign() not in (",", *CLOSING.values()):
                raise NotReadableError(f"a brace before {shown(self.tokens)}")
            return value
        return self.sum()

    def cases(self, table: Element) -> Any:
        """One of two values; each row has a value, a word, and a condition."""
        (yes, when), (no, _) = (list(row) for row in table)
        test = Element("mrow")
        test.extend(list(when)[1:])
        return self.choose(self.condition(test), self.read(yes), self.read(no))

    def condition(self, element: Element) -> Any:
        """A relation."""
        inside = Reader(
            self.known, self.number, self.call, self.choose, self.compare, self.truth,
            flat(element),
        )  # fmt: skip
        found = inside.relation()
        if inside.tokens:
            raise NotReadableError(shown(inside.tokens))
        return found

    def relation(self) -> Any:
        """Two sides with their relation."""
        left, op = self.sum(), self.sign()
        if op not in RELATIONS:
            raise NotReadableError(f"no relation before {shown(self.tokens)}")
        self.tokens.pop(0)
        return self.compare(op, left, self.sum())

    def sum(self) -> Any:
        """Products, a minus only before the first; or the remainder of two of their factors."""
        led = self.sign() == "-"
        if led:
            self.tokens.pop(0)
        total, count = self.product()
        if self.sign() == "mod" and count == 1 and not led:
            self.tokens.pop(0)
            return self.call("mod", "", [total, self.factor()])
        total = -total if led else total
        while (op := self.sign()) in ("+", "-"):
            self.tokens.pop(0)
            value, _ = self.product()
            total = total + value if op == "+" else total - value
        return total

    def product(self) -> tuple[Any, int]:
        """Factors, and how many."""
        total, count = self.factor(), 1
        while self.sign() in PRODUCTS:
            self.tokens.pop(0)
            total, count = total * self.factor(), count + 1
        return total, count

    def factor(self) -> Any:
        """A letter, a number, a bracket, a function with its bracket."""
        if not self.tokens:
            raise NotReadableError("nothing where a number should stand")
        if self.sign() in CLOSING:
            return self.bracket()
        token = self.tokens.pop(0)
        if self.sign() == "\N{FUNCTION APPLICATION}":
            self.tokens.pop(0)
            return self.called(token)
        if token.tag == "mn":
            return self.number(token.text or "")
        if token.tag == "mfrac":
            return self.read(token[0]) / self.read(token[1])
        if token.tag == "msqrt":
            return self.call("sqrt", "", [self.read(token)])
        if token.tag == "msup":
            return self.base(token[0]) ** self.read(token[1])
        if token.tag in SYMBOLS:
            return self.known[written(token)]
        raise NotReadableError(f"<{token.tag}> {token.text}")

    def base(self, element: Element) -> Any:
        """What a power is of: the exponent stands at the last thing of several."""
        parts = flat(element)
        first = parts[0].text if parts[0].tag == "mo" else ""
        if len(parts) > 1 and first not in CLOSING or parts[0].tag in ("mfrac", "msup"):
            raise NotReadableError(f"a power of {shown(parts)}")
        if len(parts) > 1 and closing(parts) != len(parts) - 1:
            raise NotReadableError(f"a power of the last of {shown(parts)}")
        return self.read(element)

    def bracket(self) -> Any:
        """What is between brackets."""
        opened = self.sign()
        self.tokens.pop(0)
        value = self.truth(self.relation()) if opened == "[" else self.whole()
        below = self.closed(CLOSING[opened])
        word = {"|": "abs", "‖": "norm", "⌊": "floor"}.get(opened)
        return self.call(word, below, [value]) if word else value

    def closed(self, wanted: str) -> str:
        """Go on past a bracket; what stands below it."""
        token = self.tokens.pop(0) if self.tokens else Element("mo")
        mark, below = (token[0], token[1].text) if token.tag == "msub" else (token, "")
        if mark.text != wanted:
            raise NotReadableError(f"no {wanted} before {shown(self.tokens)}")
        return below or ""

    def called(self, name: Element) -> Any:
        """A function of what is in the bracket."""
        word, below = (name[0], name[1].text) if name.tag == "msub" else (name, "")
        self.taken("(")
        arguments = [self.whole()]
        while self.sign() == ",":
            self.tokens.pop(0)
            arguments.append(self.whole())
        self.closed(")")
        return self.call(word.text or "", below or "", arguments)


def compared(op: str, a: Any, b: Any) -> Any:
    """A relation of two numbers or arrays."""
    names = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}
    return (a == b) if op == "=" else (a != b) if op == "!=" else getattr(a, names[op])(b)


def flat(element: Element) -> list[Element]:
    """The marks of an element in their order, groups that are not seen opened."""
    if element.tag not in ("mrow", "mtd", "msqrt"):
        return [element]
    found = []
    for child in element:
        found += flat(child) if child.tag == "mrow" else [child]
    return found


def closing(parts: list[Element]) -> int:
    """Where the bracket closes that the first part opens."""
    depth, (opened, closed) = 0, next(p for p in CLOSING.items() if p[0] == parts[0].text)
    for k, part in enumerate(parts):
        mark = part[0] if part.tag == "msub" else part
        depth += mark.tag == "mo" and mark.text == opened and (opened != closed or k == 0)
        depth -= mark.tag == "mo" and mark.text == closed and (opened != closed or k > 0)
        if not depth:
            return k
    return -1


def written(element: Element) -> str:
    """An element as text, by which a symbol is known."""
    return ElementTree.tostring(element, "unicode")


def shown(tokens: list[Element]) -> str:
    """Some tokens for a message."""
    return " ".join(map(written, tokens))


def symbol(text: str) -> str:
    """A symbol of a page, as it is known here."""
    return written(ElementTree.fromstring(text))


def rows(page: str) -> list[tuple[Element, Element]]:
    """The equations of a formula: what is left of the sign, and what is right of it."""
    found = []
    for row in ElementTree.fromstring(page)[0]:
        left, right = row
        assert right[0].text == "="
        right.remove(right[0])
        found.append((left[0], right))
        assert len(left) == 1
    return found


class Literals(ast.NodeTransformer):
    """Makes the numbers of a text those of the field, comparisons 0 or 1, and `//` a word."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """A number becomes a call with its text; a word stays."""
        if isinstance(node.value, str):
            return node
        return _call("number", ast.Constant(repr(node.value)))

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """A comparison becomes a call with its sign."""
        self.generic_visit(node)
        (op,), (right,) = node.ops, node.comparators
        sign = ast.unparse(ast.Compare(ast.Name("a"), [op], [ast.Name("b")]))[2:-2]
        return _call("relation", ast.Constant(sign.replace("==", "=")), node.left, right)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """A choice becomes a call, and a number that is its condition a comparison with 0."""
        test = node.test
        if not isinstance(test, ast.Compare):
            test = ast.Compare(test, [ast.NotEq()], [ast.Constant(0)])
        return _call("choice", *map(self.visit, (test, node.body, node.orelse)))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`where` is such a choice."""
        if ast.unparse(node.func) == "where":
            return self.visit(ast.IfExp(*node.args))
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """A remainder becomes a call."""
        self.generic_visit(node)
        if isinstance(node.op, ast.Mod):
            return _call("mod", node.left, node.right)
        if isinstance(node.op, ast.FloorDiv):
            return _call("floor", ast.BinOp(node.left, ast.Div(), node.right))
        return node


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def word(name: str) -> Callable[..., Field]:
    """A word of the language in the field, under the name that a page gives it."""
    name = {"maximum": "max", "minimum": "min", "log": "ln", "total": "sum"}.get(name, name)
    return lambda *a, over="": exactly(name, "" if over == "tensor" else over, list(a))
