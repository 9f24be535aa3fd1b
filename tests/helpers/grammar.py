"""Random rules from the whole language of one element, and several rules made one.

Nothing is kept in range here: roots of negative numbers, divisions by zero, powers without end.
What may be written where, and which values are truth values, is the language's own distinction.
"""

import ast
import textwrap
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from adamas import words

Draw = Any

LITERALS = (
    "0",
    "1",
    "2",
    "3",
    "4",
    "0.5",
    "-1",
    "-0.0",
    "7",
    "1e-3",
    "0.999",
    "1e12",
    "1e-30",
    "3e38",
)
OPERATORS = ("+", "-", "*", "/", "**")
RELATIONS = ("<", "<=", ">", ">=", "==", "!=")
UNARY = ("-{}", "+{}", "sqrt({})", "abs({})", "sign({})", "exp({})", "log({})")
ANGLES = ("sin({})", "cos({})", "tanh({})")
LOCALS = ("h", "k1", "p_next", "base", "x_2")
# What stands above a rule: numbers, and functions that are put in the place of their calls.
ABOVE = """import math
import numpy as np
EPS = 1e-3
TWO = 2


def half(x):
    return x / TWO


def blend(old, new, k=0.75):
    if k > 1:
        old = new
    return k * old + (1 - k) * new


def swapped(x, y):
    x, y = y, x - y
    return x, y + EPS


"""
OUTSIDE = ("EPS", "TWO", "half", "blend", "swapped", "math", "np")
NUMBERS = ("EPS", "TWO", "math.pi")
CALLS = (
    "half({a})", "blend({a}, {b})", "blend({a}, {b}, k={b})", "clip({a}, {b}, {a})",
    "np.sqrt({a})", "np.maximum({a}, {b})", "atan2({a}, {b})",
)  # fmt: skip
REMAINDERS = ("t % 2", "t % 3", "(t + 0.5) % 1.25", "t // 2", "-t % TWO")


class Grammar:
    """Draws text; `names` maps every name that may be read to whether it is a truth value."""

    def __init__(self, draw: Draw, names: dict[str, bool]) -> None:
        self.draw, self.names = draw, names
        self.timed = "t" in names

    def pick(self, things: Sequence[str]) -> str:
        """One of them."""
        return str(self.draw(st.sampled_from(things)))

    def either(self, depth: int) -> tuple[str, bool]:
        """A number or a truth value, and which."""
        wanted = depth > 0 and self.draw(st.integers(0, 3)) == 0
        return (self.truth(depth) if wanted else self.number(depth)), wanted

    def number(self, depth: int) -> str:
        """An expression with a number for its value."""
        names = [name for name, truth in self.names.items() if not truth]
        kind = self.draw(st.integers(0, 10)) if depth > 0 else 0
        if kind <= 1:
            return self.pick([*names, *names, *LITERALS, *NUMBERS])
        if kind == 2:
            return f"({self.pick((*UNARY, *ANGLES)).format(self.number(depth - 1))})"
        if kind <= 6:
            a, b = self.number(depth - 1), self.number(depth - 1)
            return f"({a} {self.pick(OPERATORS)} {b})"
        if kind == 7:
            both = [self.number(depth - 1), self.truth(depth - 1)]
            a, b = self.draw(st.permutations(both))
            return f"({a} * {b})"
        if kind == 8:
            a, b = self.number(depth - 1), self.number(depth - 1)
            return f"{self.pick(('maximum', 'minimum', 'atan2'))}({a}, {b})"
        if kind == 10:
            if self.timed and self.draw(st.booleans()):
                return f"({self.pick(REMAINDERS)})"
            a, b = self.number(depth - 1), self.number(depth - 1)
            return self.pick(CALLS).format(a=a, b=b)
        both = [self.number(depth - 1), self.either(depth - 1)[0]]
        a, b = self.draw(st.permutations(both))
        return self.choice(a, b, depth)

    def truth(self, depth: int) -> str:
        """An expression with a truth value."""
        names = [name for name, truth in self.names.items() if truth]
        kind = self.draw(st.integers(0, 8)) if depth > 0 else 0
        if kind == 0 and names:
            return self.pick(names)
        if kind == 6:
            a, b, c = (self.number(depth - 1) for _ in "abc")
            return f"({a} {self.pick(RELATIONS)} {b} {self.pick(RELATIONS)} {c})"
        if kind == 7:
            return f"(not {self.either(depth - 1)[0]})"
        if kind == 8:
            word = self.pick(("and", "or"))
            return f"({self.truth(depth - 1)} {word} {self.truth(depth - 1)})"
        if kind == 4:
            return f"({self.truth(depth - 1)} * {self.truth(depth - 1)})"
        if kind == 5:
            return self.choice(self.truth(depth - 1), self.truth(depth - 1), depth)
        a, b = self.either(depth - 1)[0], self.either(depth - 1)[0]
        return f"({a} {self.pick(RELATIONS)} {b})"

    def choice(self, a: str, b: str, depth: int) -> str:
        """One of two by anything that can be tested."""
        test = self.either(depth - 1)[0]
        return (
            f"where({test}, {a}, {b})" if self.draw(st.booleans()) else f"({a} if {test} else {b})"
        )

    def lines(self, targets: Sequence[str], depth: int = 2) -> list[str]:
        """A statement: an assignment of any kind, or an `if` with some in its branches."""
        kind = self.draw(st.integers(0, 8))
        if kind <= 1 and depth > 0:
            return self.branches(targets, depth)
        if kind == 2:
            a, b = self.pick(targets), self.pick(targets)
            values = [self.number(2), self.number(2)]
            self.names |= {a: False, b: False}
            shown = self.pick(("{}, {}", "({}, {})", "swapped({}, {})"))
            return [f"{a}, {b} = {shown.format(*values)}"]
        target = self.pick(targets)
        if kind == 3 and self.names.get(target) is False:
            return [f"{target} {self.pick(OPERATORS)}= {self.number(2)}"]
        value, truth = self.either(3)
        self.names[target] = truth
        return [f"{target}: float = {value}" if kind == 4 else f"{target} = {value}"]

    def branches(self, targets: Sequence[str], depth: int) -> list[str]:
        """An `if`, of which a name is known afterwards that is known in both branches."""
        before, lines, ends = dict(self.names), [], []
        tests = [f"if {self.either(2)[0]}:"]
        tests += [f"elif {self.either(2)[0]}:"] * self.draw(st.integers(0, 1))
        for head in [*tests, "else:"]:
            self.names = dict(before)
            inside = [self.lines(targets, depth - 1) for _ in range(self.draw(st.integers(1, 2)))]
            lines += [head, *(f"    {line}" for each in inside for line in each)]
            ends.append(self.names)
        known = set.intersection(*map(set, ends))
        self.names = {name: all(end[name] for end in ends) for name in known}
        return lines


@st.composite
def any_rule(draw: Draw) -> str:
    """Draw a rule `f` with up to three states and two hyper-parameters; `ABOVE` goes above it."""
    states = ("m", "v", "s")[: draw(st.integers(0, 3))]
    hypers = ("lr", "beta")[: draw(st.integers(0, 2))]
    timed = ("t",) if draw(st.booleans()) else ()
    first = st.sampled_from(("", "=0.5", "=1", "=-2.25"))
    value = st.sampled_from(("0.1", "0.9", "0", "-1.5", "3"))
    grammar = Grammar(draw, dict.fromkeys(("p", "g", *states, *hypers, *timed), False))
    targets = ("p", "g", *states, *hypers, *timed, *LOCALS)
    given = sorted((f"{name}{draw(first)}" for name in states), key=lambda text: "=" in text)
    states = tuple(text.partition("=")[0] for text in given)
    after = [*timed, *(f"{name}={draw(value)}" for name in hypers)]
    head = ", ".join(["p", "g", *given, *(["*", *after] if after else [])])
    lines = [line for _ in range(draw(st.integers(0, 5))) for line in grammar.lines(targets)]
    returned = ", ".join(grammar.either(3)[0] for _ in ("p", *states))
    return "\n    ".join([f"def f({head}):", *lines, f"return {returned}"])


FLOATS = ("0.0", "1.0", "2.0", "0.5", "-1.0", "7.0", "1e-3", "0.9")
REDUCTIONS = ("total", "mean", "norm", "rms")
OVER = ("", ", over='tensor'", ", over='row'", ", over='column'", ", over='all'")


class Sums(Grammar):
    """Draws expressions with sums, which the function itself computes on whole arrays.

    All numbers are floats, because Python's powers of integers are others than NumPy's.
    """

    def number(self, depth: int) -> str:
        """An expression with a number for its value."""
        kind = self.draw(st.integers(0, 9)) if depth > 0 else 0
        if kind <= 1:
            return self.pick([*self.names, *self.names, *FLOATS])
        a = self.number(depth - 1)
        if kind <= 4:
            # Of a number for each element there is always a sum.
            return f"{self.pick(REDUCTIONS)}({a} * {self.pick(('p', 'g'))}{self.pick(OVER)})"
        if kind == 5:
            return f"({self.pick((*UNARY, *ANGLES)).format(a)})"
        b = self.number(depth - 1)
        if kind == 6:
            return f"where({a} {self.pick(RELATIONS)} {b}, {b}, {a})"
        if kind == 7:
            return f"{self.pick(('maximum', 'minimum', 'half', 'blend'))}({a}, {b})".replace(
                f"half({a}, {b})", f"half({a})"
            )
        return f"({a} {self.pick(OPERATORS)} {b})"


@st.composite
def any_sums(draw: Draw) -> str:
    """Draw a rule `f` with two states, whose values may be one for a row, a column or a tensor."""
    grammar = Sums(draw, dict.fromkeys(("p", "g", "m", "v", "lr", "t", "rows", "columns"), False))
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        a, b = grammar.pick(("m", "v", "x")), grammar.pick(("m", "v", "y"))
        values = grammar.number(3), grammar.number(3)
        pair = draw(st.booleans())
        lines.append(f"{a}, {b} = {values[0]}, {values[1]}" if pair else f"{a} = {values[0]}")
        grammar.names |= {a: False, b: False} if pair else {a: False}
    head = "def f(p, g, m, v, *, t, rows, columns, lr=0.5):"
    return "\n    ".join([head, *lines, f"return {grammar.number(3)}, m, v"])


class Renamed(ast.NodeTransformer):
    """Gives every name but the words an ending."""

    def __init__(self, ending: str) -> None:
        self.ending = ending

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Rename one."""
        known = node.id in (*words.__all__, *OUTSIDE, "float")
        return node if known else ast.Name(node.id + self.ending, node.ctx)


def joined(texts: Sequence[str]) -> str:
    """One rule that does what each of them does, because a kernel of eight costs two of one.

    The parameter of each but the first is a state that begins with 0.75.
    """
    positional, defaults, hypers, begin, body, returned = [], [], ["t"], [], [], []
    for k, text in enumerate(texts):
        (tree,) = ast.parse(textwrap.dedent(text)).body
        assert isinstance(tree, ast.FunctionDef) and isinstance(tree.body[-1], ast.Return)
        first, ending = k == 0, f"_of_{k}"
        if first:
            ending = ""
        else:
            begin += [f"g{ending} = g", f"t{ending} = t"]
            defaults.append(f"p{ending}=0.75")
        states = tree.args.args[2:]
        missing = len(states) - len(tree.args.defaults[-len(states) :] if states else [])
        for n, state in enumerate(states):
            name = state.arg + ending
            if n < missing:
                positional.append(name)
            else:
                defaults.append(f"{name}={ast.unparse(tree.args.defaults[n - missing])}")
        for hyper, value in zip(tree.args.kwonlyargs, tree.args.kw_defaults, strict=True):
            if value is not None:
                hypers.append(f"{hyper.arg}{ending}={ast.unparse(value)}")
        for statement in tree.body[:-1]:
            body += ast.unparse(Renamed(ending).visit(statement)).split("\n")
        value = tree.body[-1].value
        assert value is not None
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        shown = [ast.unparse(Renamed(ending).visit(part)) for part in parts]
        returned.append(
            dict(zip(["p" + ending, *(s.arg + ending for s in states)], shown, strict=True))
        )
    values = {name: value for each in returned for name, value in each.items()}
    names = ["p", *positional, *(text.partition("=")[0] for text in defaults)]
    head = ", ".join(["p", "g", *positional, *defaults, "*", *hypers])
    last = f"return {', '.join(values[name] for name in names)}"
    return "\n    ".join([f"def f({head}):", *begin, *body, last])
