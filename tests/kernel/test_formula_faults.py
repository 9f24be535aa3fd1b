"""All faults of a rule are told at once, and those of a function beside it where they stand."""

import re
from pathlib import Path
from typing import Any

import pytest

import adamas
from adamas.kernel.calls import CALLED
from adamas.kernel.formula import FormulaError, parse
from written import HEAD, module

FIRST = HEAD.count("\n") + 1


def told(folder: Path, text: str) -> tuple[str, str]:
    """The message about a rule `f`, with FILE for its file; and that file."""
    space = module(folder, text)
    with pytest.raises(FormulaError) as caught:
        parse(space.f)
    return str(caught.value).replace(space.__file__, "FILE"), space.__file__


def test_all_faults_of_a_rule_stand_in_one_message(tmp_path: Path) -> None:
    """Each with its line, carets and advice, in the order of the file; a summary counts them."""
    text = (
        "def f(p, g, m, *, lr, beta='fast'):\n"
        "    m = sum(g) + momentum\n"
        "    m = momentum * (g > 0 + missing)\n"
        "    while g:\n"
        "        g = 0\n"
        "    up = (g > 0) * beta\n"
        "    m = -(g > 0) * up\n"
        "    return p - lr * m\n"
    )
    message, _ = told(tmp_path, text)
    known = "Make it a state, a keyword-only hyper-parameter, or a number above the rule, or "
    known += "assign it first."
    turns = "Use assignments only, one for each turn, or `total(x)` for a sum; assign in an `if`, "
    turns += "or choose with `a if c else b` or `where(c, a, b)`."
    faults = (
        (0, "«lr»", "hyper-parameter 'lr' has no default", "Write `lr=0.9`."),
        (0, "«beta»", "the default 'fast' of 'beta' is not a number", "Write `beta=0.9`."),
        (1, "«sum»", "'sum' is not one of the words", f"Write `total(g)`. {CALLED}"),
        (1, "«momentum»", "'momentum' is not known here", known),
        (2, "«missing»", "'missing' is not known here", known),
        (3, "«while g:»", "a formula has no `while` statement", turns),
        (6, "«g > 0»", "a comparison is no number here", "Write `where(comparison, 1.0, 0.0)`."),
        (7, "«return p - lr * m»", "it returns 1 value(s), not 2",
         "End the rule with `return p, m`."),
    )  # fmt: skip
    expected = ["rule 'f': 8 faults"]
    for number, marked, problem, advice in faults:
        line = text.split("\n")[number].strip()
        carets = " " * line.index(marked[1:-1]) + "^" * len(marked[1:-1])
        place = f"  FILE:{FIRST + number}\n    {line}\n    {carets}"
        expected.append(f"rule 'f': {problem}\n{place}\n  {advice}")
    assert message == "\n\n".join(expected)


HELPERS = [
    ("def h(x):\n    y = x * «unknown»\n    return y", "'unknown' is not known here",
     "Make it an argument of 'h', or a number above it"),
    ("def h(x):\n    return «x // 2»", "a remainder is computed once a step", "there is none"),
    ("def h(x):\n    return x + «1 / 0»", "`1 / 0` is inf", "a finite real number"),
    ("def h(x):\n    «for k in x:»\n        x = k\n    return x", "no `for` statement", "one for"),
    ("def h(x, «k»='a'):\n    return x", "default 'a' of 'k' is not a finite", "Write `k=0.9`"),
    ("def h(*«x»):\n    return 1.0", "'x' stands for any argument", "Name every argument"),
    ("«def h(x):»\n    y = x", "'h' does not return", "End h with `return ...`"),
    ("def h(x):\n    if x:\n        «return x»\n    return 0 * x", "returns once", "in an `if`"),
]  # fmt: skip
CALLS = [
    ("def h(x):\n    return h(x)", "h(g)", "'h' calls itself", "line by line"),
    ("def k(x):\n    return h(x)\ndef h(x):\n    return k(x)", "h(g)", "calls itself", "line by"),
    ("h = lambda x: x", "«h»(g)", "'h' is not a plain function", "as `def name"),
    ("class h:\n    pass", "«h»(g)", "'h' is no plain function, but of type type", "own file"),
    ("from written import module as h", "«h»(g)", "'h' is a function of another file", "own file"),
    ("import functools\n@functools.cache\ndef h(x):\n    return x", "«h»(g)", "no plain", "def"),
    ("import functools\ndef w(x):\n    return x\n@functools.wraps(w)\ndef h(x):\n    return x",
     "«h»(g)", "a decorator has put another function around 'h'", "Remove the decorator"),
    ("@adamas.rule\ndef h(p, g):\n    return p - g", "«h»(p, g)", "but of type Rule", "into the"),
    ("def h(x, y):\n    return x", "«h(g)»", "this call does not fit 'h'", "are `x, y`"),
    ("def h(x, y=1):\n    return x", "«h(g, 1, 2)»", "does not fit 'h'", "are `x, y=1`"),
    ("def h(x, y=1):\n    return x", "«h(g, x=2)»", "does not fit 'h'", "are `x, y=1`"),
    ("def h(x, y=1):\n    return x", "«h(g, z=2)»", "does not fit 'h'", "are `x, y=1`"),
    ("def h(x, /, *, y):\n    return x", "«h(x=g, y=2)»", "does not fit", "are `x, /, *, y`"),
    ("def h(x):\n    return x", "«h(*g)»", "does not fit 'h'", "are `x`"),
    ("def h(x):\n    return x, x", "«h(g)»", "`h` returns 2 values", "`a, b = ...`"),
    ("h = 3.0", "«h»(g)", "'h' is not one of the words", "The words are"),
]  # fmt: skip


@pytest.mark.parametrize(("helper", "problem", "advice"), HELPERS)
def test_a_fault_of_a_function_is_shown_where_it_stands(
    tmp_path: Path, helper: str, problem: str, advice: str
) -> None:
    """The carets point into the function that the rule calls, once however often it does."""
    before, marked, after = re.split("[«»]", helper)
    text = f"{before}{marked}{after}\ndef f(p, g):\n    return p - h(g) - h(2 * g)\n"
    message, _ = told(tmp_path, text)
    found, place, shown, carets, instead = message.split("\n")
    assert found.startswith("rule 'f': ") and problem in found and advice in instead
    assert place == f"  FILE:{FIRST + before.count(chr(10))}"
    assert shown.strip() == (before.split("\n")[-1] + marked + after.split("\n")[0]).strip()
    start = carets.index("^")
    assert shown[start : start + carets.count("^")] == marked


@pytest.mark.parametrize(("above", "call", "problem", "advice"), CALLS)
def test_a_function_that_cannot_be_put_in_place_is_refused(
    tmp_path: Path, above: str, call: str, problem: str, advice: str
) -> None:
    """The message says why, and what to do; nothing is called that is not compiled."""
    text = f"{above}\ndef f(p, g):\n    return p - {re.sub('[«»]', '', call)}\n"
    message, _ = told(tmp_path, text)
    found, _, shown, carets, instead = message.split("\n")
    assert problem in found and advice in instead
    if "«" in call:
        start = carets.index("^")
        assert shown[start : start + carets.count("^")] == re.split("[«»]", call)[1]


def test_an_edited_function_is_refused(tmp_path: Path) -> None:
    """The text of a function beside a rule must be what Python runs, as that of the rule itself."""
    text = "def h(x):\n    return x\ndef f(p, g):\n    return p - h(g)\n"
    space = module(tmp_path, text)
    path = Path(space.__file__)
    path.write_text(HEAD + text.replace("return x", "return 2 * x"), "utf-8")
    with pytest.raises(FormulaError, match="the text of 'h' is not what Python runs"):
        parse(space.f)


def test_functions_that_double_come_to_an_end(tmp_path: Path) -> None:
    """Functions that call each other twice, forty deep, are refused and not written out."""
    text = "def h0(x):\n    return x\n"
    for k in range(40):
        text += f"def h{k + 1}(x):\n    return h{k}(x) + h{k}(x)\n"
    space: Any = module(tmp_path, text + "def f(p, g):\n    return p - h40(g)\n")
    with pytest.raises(FormulaError, match=r"more than 1000 functions|too deep|more than 100 op"):
        adamas.rule(space.f)


def test_a_long_chain_of_ifs_is_refused_in_words(tmp_path: Path) -> None:
    """Choices that lie too deep inside each other are a fault, not an error of the interpreter."""
    tests = "".join(f"    elif t == {k}:\n        p = p - {k} * g\n" for k in range(2, 150))
    text = f"def f(p, g, *, t):\n    if t == 1:\n        p = p - g\n{tests}    return p\n"
    message, _ = told(tmp_path, text)
    assert "more than 100 operations lie inside each other" in message
