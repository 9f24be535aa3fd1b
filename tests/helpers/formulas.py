"""Random rules in the formula language, whose values stay finite.

Expressions mix what is computed once a step with what is computed for each element in every way
that the grammar allows, and statements overwrite hyper-parameters, states, p, g and each other.
Divisors, roots, logarithms and exponents are kept in range, and so is what is handed on to the next
step, so that a difference is a fault of the compiler and not of the formula.
"""

from typing import Any

from hypothesis import strategies as st

STATES = ("m", "v", "k1")
HYPERS = {"lr": 0.3, "beta": 0.9, "k2": -1.75}
# Names that the compiler makes up itself, beside a plain one.
LOCALS = ("h", "k1_2", "p_next", "m_2", "lr_2", "k3")
LITERALS = ("0", "0.0", "1", "2", "3", "0.5", "-1.5", "1e-3", "7", "10 ** -2", "-0.0")
# Forms of one operand, of two, and of two and a condition.
UNARY = (
    "-{a}", "+{a}", "sqrt(abs({a}))", "abs({a})", "sign({a})", "exp(minimum({a}, 2))",
    "log(abs({a}) + 0.5)", "({a}) ** 2", "({a}) ** 3", "({a}) ** 4", "(abs({a}) + 0.5) ** -2",
    "(abs({a}) + 0.5) ** 0.5", "(abs({a}) + 0.5) ** beta", "2 ** minimum({a}, 3)", "0.9 ** t * {a}",
    "({a}) / lr", "{a} / t", "{a} / 7",
)  # fmt: skip
BINARY = (
    "{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / (abs({b}) + 0.5)", "maximum({a}, {b})",
    "minimum({a}, {b})", "{a} + {a} * {b}", "{b} / (1 + {a} ** 2)",
)  # fmt: skip
CHOICES = ("{a} if {c} else {b}", "where({c}, {a}, {b})", "({c}) * {a}")

Draw = Any


def _pick(draw: Draw, names: tuple[str, ...]) -> str:
    return str(draw(st.sampled_from(names)))


def number(draw: Draw, names: tuple[str, ...], depth: int) -> str:
    """Draw an expression with a numeric value."""
    if depth == 0 or draw(st.integers(0, 9)) == 0:
        return _pick(draw, (*names, *names, *LITERALS))
    a = number(draw, names, depth - 1)
    form = _pick(draw, (*BINARY, *CHOICES, *UNARY))
    b = c = ""
    if "{b}" in form:
        b = number(draw, names, depth - 1)
    if "{c}" in form:
        c = condition(draw, names, depth - 1)
    return "(" + form.format(a=a, b=b, c=c) + ")"


def condition(draw: Draw, names: tuple[str, ...], depth: int) -> str:
    """Draw a comparison, or two of them multiplied."""
    a, b = number(draw, names, depth), number(draw, names, depth)
    relation = _pick(draw, ("<", "<=", ">", ">=", "==", "!="))
    one = f"({a}) {relation} ({b})"
    if draw(st.integers(0, 4)):
        return one
    return f"({one}) * ({condition(draw, names, 0)})"


@st.composite
def rules(draw: Draw, depth: int = 3, lines: int = 5) -> str:
    """Draw the text of a rule `f` with three states, a scalar state `s` and three hypers.

    `beta` and `lr` stay as they are wherever an expression relies on their range.
    """
    names = ("p", "g", *STATES, "s", "t", *HYPERS)
    free = ("p", "g", *STATES, "k2", *LOCALS, *LOCALS)
    body = []
    for _ in range(draw(st.integers(0, lines))):
        target = _pick(draw, free)
        body.append(f"{target} = {number(draw, names, depth)}")
        names = tuple(dict.fromkeys((*names, target)))
    body.append("s = 0.5 * s + " + number(draw, ("lr", "beta", "t"), 1).join(("sign(", ")")))
    returned = [
        f"minimum(maximum({number(draw, names, depth)}, -3), 3)" for _ in range(1 + len(STATES))
    ]
    hypers = ", ".join(f"{name}={value}" for name, value in HYPERS.items())
    head = f"def f(p, g, {', '.join(STATES)}, s=1.0, *, t, {hypers}):"
    return "\n    ".join([head, *body, f"return {', '.join(returned)}, s"])
