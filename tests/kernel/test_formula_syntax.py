"""What people type is accepted, and means what Python makes of the same text."""

import ast
import math
from pathlib import Path

import numpy as np
import pytest

from adamas.engine.optimizer import Optimizer
from adamas.kernel.formula import FormulaError, parse
from grammar import joined
from long_form import few_of
from three_runs import assert_kernel_agrees, assert_means_its_text
from written import function, module

BRANCHES = {
    "first step": "if t == 1:\n        m = g\n    else:\n        m = 0.9 * m + 0.1 * g",
    "one branch": "if g > 0:\n        m = m + g",
    "elif": "if t == 1:\n        m = p\n    elif g > 0:\n        m = m + g\n"
    "    elif m > 1:\n        m = 0 * m\n    else:\n        m = m - 1\n        v = v + m",
    "several names": "if m > v:\n        m = v + g\n        v = 2 * m\n    else:\n"
    "        v = m\n        m = g",
    "the test is overwritten": "if m > 0:\n        m = m - 1\n        v = v + m\n    m = m + g",
    "names of the branch": "if abs(g) > 0.4:\n        a = g * g\n        a = a + 1\n"
    "        m = a * a\n    v = v + m",
    "new names in both": "if g > 0:\n        a, b = g, 2.0\n    else:\n        b = 3.0\n"
    "        a = -g\n    m = m + a * b",
    "nested": "if g > 0:\n        if m > 0:\n            m = m - g\n        else:\n"
    "            m = m + 1\n            v = v + m\n        v = v - m\n    else:\n        pass\n"
    "    v = v * 0.5",
    "exchanged": "if t > 1:\n        m, v = v + 1, m\n    m = m + g",
    "augmented": "if t % 2 == 0:\n        m += g\n        m *= 0.5\n    else:\n        v -= g",
    "a truth value": "up = g > 0\n    if up:\n        up = m > 1\n    m = m + 1.0 * up",
    "a number is tested": "if g:\n        m = m + 1\n    if not m:\n        v = v + 1",
    "a hyper-parameter": "if t == 2:\n        lr = lr / 2\n    m = m + lr",
    "every few steps": "if t % 3 == 0:\n        v = v + 0.5 * (p - v)\n        p = v",
}
TUPLES = {
    "two": "m, v = g, g * g",
    "old values": "m, v = v + g, m",
    "three in a circle": "m, v, p = v, p + g, m + 1",
    "brackets": "[m, v] = (v, m + g)",
    "one name twice": "m, m = g, 2 * g",
    "one name twice, and another target": "m, m = v, p = g, 2 * g",
    "one name three times": "v, m, v, v = (m, g, v, p) = v, g, m, p + g",
    "the same value": "m = v = g + v",
    "a chain of tuples": "m, v = v, m = m + g, v - g",
    "annotated": "m: float = g + m\n    v: int",
    "one of a tuple": "(m,) = (m + g,)",
}
LOGIC = {
    "chain": "m = m + 1 if 0 < g < 0.8 else v",
    "long chain": "m = where(-1 < g - m <= 0.5 != p, m + g, m)",
    "and": "m = m + g if g > 0 and m < 1 and p else m - 1",
    "or": "m = m + g if g > 0 or m > 1 else m - 1",
    "not": "m = m + g if not g > 0 else m - 1",
    "mixed": "m = m + 1 if not (g > 0 and m < 1) or t == 2 and not p else m * 0.5",
    "values": "up = g > 0 and m < 1\n    down = not up or g == 0\n    m = m + up * 2 + down * g",
    "numbers": "m = m + 1 if g and not m else m * 0.5",
}
REMAINDERS = {
    "test": "m = m + g if t % 3 == 0 else m",
    "value": "m = m + t % 2",
    "hyper-parameters": "m = m + (lr * 10 + t) % 0.7 * g",
    "negative": "m = m + (-t) % 3 + t % -3 + (2.5 - t) % 2",
    "whole": "m = m + g * 0.5 ** (t // 2)",
    "negative whole": "m = m + (-t) // 2 + t // -0.7",
    "named": "k = t % 4\n    k %= 3\n    m = m + k",
    "a count of the tensor": "v = v + 1\n    m = m + v % 2",
}
WORDS = {
    "clip": "m = clip(m + g, -0.5, 0.75)",
    "clip with values": "m = clip(m + g, v - 0.1, lr)\n    v = g",
    "angles": "m = sin(m + g) + cos(g) * 2\n    v = tanh(v + g)",
    "atan2": "m = atan2(m + g, abs(v) + 0.1)\n    v = atan2(g, -1)",
    "of t": "m = g * (1 + cos(t / 3)) / 2 + sin(lr) + tanh(t) + atan2(t, lr)",
}
CASES = {
    f"{kind}: {name}": lines
    for kind, cases in (
        ("if", BRANCHES), ("tuple", TUPLES), ("logic", LOGIC), ("remainder", REMAINDERS),
        ("word", WORDS),
    )
    for name, lines in cases.items()
}  # fmt: skip
BODY = "def f(p, g, m=0.25, v=1.5, *, t, lr=0.1):\n    {}\n    return p - lr * m, m, v"


@pytest.mark.parametrize("lines", CASES.values(), ids=CASES)
def test_what_is_typed_means_what_python_makes_of_it(tmp_path: Path, lines: str) -> None:
    """The reference and the function itself, run on floats, agree for several steps."""
    assert_means_its_text(function(tmp_path, BODY.format(lines)))


@pytest.mark.parametrize("kind", few_of(range(4), 2))
def test_what_is_typed_is_compiled(tmp_path: Path, kind: int) -> None:
    """Kernels of half the cases, in every run others, many in one that takes seconds to compile."""
    texts = [BODY.format(lines) for lines in list(CASES.values())[kind::4]]
    assert_kernel_agrees(function(tmp_path, joined(texts)))


ABOVE = {
    "constants": "EPS = 1e-3\nTWICE = 2\nOFF = -0.5\ndef f(p, g, m, *, lr=0.1):\n"
    "    m = m + g ** TWICE + OFF\n    return p - lr * m / (abs(m) + EPS), m",
    "numbers of a module": "import math\nimport numpy as np\ndef f(p, g, m):\n"
    "    m = m + math.pi * g - np.e\n    return p - m, m",
    "words of a module": "import math\nimport numpy as np\ndef f(p, g, m):\n"
    "    m = np.sqrt(np.abs(m)) + np.where(g > 0, math.cos(g), np.arctan2(g, 1.0))\n"
    "    m = np.clip(m, -1.0, 2.0)\n    return p - math.fabs(m), m",
    "a number of a closure": "def make(eps, k=3):\n    def f(p, g, m):\n"
    "        m = m + g / (eps + k)\n        return p - m, m\n    return f\nf = make(0.25)",
    "a function": "def ema(old, new, beta):\n    return beta * old + (1 - beta) * new\n"
    "def f(p, g, m, v, *, t, b=0.9):\n    m = ema(m, g, b)\n    v = ema(v, g * g, 0.99)\n"
    "    return p - 0.1 * m / (sqrt(v) + 1e-3), m, v",
    "statements and names of a function": "SCALE = 3\ndef size(m, *, p=2.0, k=1):\n"
    '    """A size."""\n    m = abs(m) * SCALE\n    if m > k:\n        m = m / p\n'
    "        g = m\n    else:\n        g = 0.5\n    return m + g\ndef f(p, g, m):\n"
    "    m = m + g\n    return p - size(m, k=0.5) * size(p=g * g + 1, m=p), m",
    "functions that call others": "def half(x):\n    return x / 2\ndef both(x, y):\n"
    "    return half(x) + half(half(y)), x - y\ndef f(p, g, m):\n    m, d = both(m, g)\n"
    "    d, m = both(d + m, m)\n    return p - d, m",
    "all of it returned": "def after(p, g, m, lr=0.1):\n    m = m + g\n    return p - lr * m, m\n"
    "def f(p, g, m):\n    return after(p, g, m)",
    "called in a branch": "def twice(x):\n    x = x + x\n    return x\ndef f(p, g, m, *, t):\n"
    "    if t > 1:\n        m = twice(m) + g\n        p = twice(p)\n    else:\n"
    "        m = twice(g)\n    return p - m, m",
    "a condition for an argument": "def pick(c, x, y=1.0):\n    return x if c else y\n"
    "def f(p, g, m):\n    m = m + pick(g > 0 and m < 2, g) + pick(not g, 2, y=m)\n"
    "    return p - m, m",
    "the old value of a name": "def keep(x):\n    return x\ndef f(p, g, m, v):\n"
    "    m, v = keep(v) + g, keep(m)\n    v = keep(v)\n    return p - m, m, v",
}


@pytest.mark.parametrize("text", ABOVE.values(), ids=ABOVE)
def test_what_stands_above_a_rule_is_read(tmp_path: Path, text: str) -> None:
    """Numbers, words by their libraries' names, and functions mean what they mean in Python."""
    assert_means_its_text(function(tmp_path, text))


def lines(formula_text: str, folder: Path) -> list[str]:
    """The statements of a rule with these lines, as its kernel gets them."""
    return [ast.unparse(s) for s in parse(function(folder, BODY.format(formula_text))).statements]


def test_an_if_of_one_name_is_the_choice_one_would_write(tmp_path: Path) -> None:
    """The kernel of `if t == 1: z = p` is that of `z = p if t == 1 else z`, with its first step."""
    typed = parse(function(tmp_path, BODY.format("if t == 1:\n        m = p")))
    written = parse(function(tmp_path, BODY.format("m = p if t == 1 else m")))
    assert typed.key == written.key
    assert ast.unparse(typed.starts["m"]) == ast.unparse(written.starts["m"]) == "p"


def test_a_remainder_is_never_the_first_step(tmp_path: Path) -> None:
    """`t % k == 1` comes again, however large k is; `t == 1` is the element's own first step."""
    for test, starts in (("t == 1", {"m"}), ("t % 5000 == 1", set()), ("t // 2 == 0", {"m"})):
        formula = parse(function(tmp_path, BODY.format(f"if {test}:\n        m = p")))
        assert set(formula.starts) == starts, test


def test_remainders_are_exactly_python_s(tmp_path: Path) -> None:
    """`%` and `//` are computed once a step in float64, here for arrays in float32."""
    pairs = ((7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (-1e-3, 0.25), (1e16, 3.0), (0.3, 0.1))
    shown = ", ".join(f"a{k}={a}, b{k}={b}" for k, (a, b) in enumerate(pairs))
    values = [f"(a{k} {op} b{k})" for op in ("%", "//") for k in range(len(pairs))]
    # Each element has its own, because a state for each would take long to compile.
    chosen = " + ".join(f"where(g == {k}, {value}, 0)" for k, value in enumerate(values))
    p = np.zeros(len(values), np.float32)
    optimizer = Optimizer(function(tmp_path, f"def f(p, g, *, {shown}):\n    return {chosen}"), p)
    optimizer.step(np.arange(p.size, dtype=np.float32))
    expected = [a % b for a, b in pairs] + [a // b for a, b in pairs]
    assert p.tolist() == [np.float32(x) for x in expected]


def test_a_number_above_a_rule_is_read_when_the_rule_is_defined(tmp_path: Path) -> None:
    """Later changes do not reach a compiled rule."""
    space = module(tmp_path, "STEP = 0.5\n@adamas.rule\ndef f(p, g):\n    return p - STEP * g\n")
    space.STEP = 100.0
    p = np.array([1.0])
    space.f(p).step(np.array([1.0]))
    assert p == 0.5


NUMBERS = {
    "True": "'C' is a bool, not a number",
    "'fast'": "'C' is a str, not a number",
    "[1.0]": "'C' is a list, not a number",
    "1e999": "'C' is no finite number",
    "10 ** 400": "'C' is no finite number",
    "1j": "'C' is a complex, not a number",
    "np.ones(2)": "'C' is a ndarray, not a number",
}


@pytest.mark.parametrize("value", NUMBERS)
def test_what_is_no_number_above_a_rule_is_refused(tmp_path: Path, value: str) -> None:
    """Only a finite real number may stand for its name."""
    text = f"import numpy as np\nC = {value}\ndef f(p, g):\n    return p - C * g"
    with pytest.raises(FormulaError, match=NUMBERS[value]) as caught:
        parse(function(tmp_path, text))
    assert "    return p - C * g\n               ^\n" in str(caught.value)


def test_any_real_number_may_stand_above_a_rule(tmp_path: Path) -> None:
    """NumPy's numbers, fractions and negative ones keep their value in float64."""
    numbers = ["np.float32(0.1)", "np.int8(3)", "Fraction(1, 4)", "-2", "-0.0"]
    text = "import numpy as np\nfrom fractions import Fraction\n"
    text += "".join(f"C{k} = {number}\n" for k, number in enumerate(numbers))
    chosen = "C0 * g"
    for k in range(1, len(numbers)):
        chosen = f"where(g == {k + 1}, C{k} * g, {chosen})"
    space = module(tmp_path, text + f"def f(p, g):\n    return {chosen}")
    p = np.zeros(len(numbers))
    Optimizer(space.f, p).step(np.arange(1.0, 1 + p.size))
    for k, found in enumerate(p):
        value = float(getattr(space, f"C{k}"))
        assert found == (k + 1) * value and math.copysign(1, found) == math.copysign(1, value)
