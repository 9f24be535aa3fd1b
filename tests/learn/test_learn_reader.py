"""A rule that is typed into the page is read as the kernel reads it, and runs nothing else."""

import itertools
import json
import math
import random
import re
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from py_mini_racer import MiniRacer

import adamas
from adamas import dialects, rules, words
from adamas.kernel import advice
from adamas.kernel.formula import Formula, FormulaError, parse
from adamas.kernel.reference import Reference
from adamas.learn import book, javascript, scripts
from adamas.learn.problems import PROBLEMS
from adamas.learn.text import LANGUAGES
from grammar import ABOVE, any_rule, any_sums
from places import ROOT
from refusals import AWKWARD, BODY, LINES, WHOLE
from written import HEAD, function, module

FORMULAS = {name: parse(getattr(m, name)) for m in (rules, dialects) for name in m.__all__}
# What a page does not do; Python does, or says why not.
PAGE = ("draws no random", "has one tensor", "no second array")
# Functions inside of something else: a page reads those that stand by themselves.
ALONE = [text for text in AWKWARD if text.startswith("def f(")]


@cache
def engine(language: str) -> MiniRacer:
    """Return one V8 with the whole script in a language."""
    context = MiniRacer()
    texts = {key: one for key, one in LANGUAGES[language].items() if key.startswith("reader.")}
    context.eval(f"{scripts.library()}\nconst TEXT = {json.dumps(texts)};\n{scripts.reader()}")
    return context


def run(text: str, language: str = "en") -> Any:
    """Return the value of an expression."""
    return json.loads(str(engine(language).eval(f"JSON.stringify({text})", timeout_sec=5)))


def own(text: str) -> str:
    """The expression of the rule that a text is."""
    return f"ownRule(readRule({json.dumps(text)}))"


def read(text: str) -> str:
    """What the page makes of a text: what it would run, or its faults as Python tells them."""
    found = run(f"readRule({json.dumps(text)})")
    if found["faults"]:
        return str(run(f"faultsText('f', {json.dumps(found['faults'])})"))
    return together(found["rule"], found["step"])


def together(entry: Any, step: str) -> str:
    """A rule as one text, in which 0 and 0.0 are the same."""
    return f"{json.dumps(entry)} {step}".replace(".0,", ",").replace(".0]", "]")


def translated(formula: Formula) -> str:
    """What Python makes of a formula."""
    entry, _, step = javascript.rule(formula).partition(', "step": ')
    return together(json.loads(entry + "}"), step[:-1])


def expected(folder: Path, text: str) -> str:
    """The same from the kernel and the translator."""
    try:
        return translated(adamas.rule(function_of(folder, text)).formula)
    except FormulaError as error:
        return re.sub(r"\n  \S.*:(\d+)\n", r"\n  \1\n", str(error))
    except javascript.NotInJavaScriptError:
        return "page"


def function_of(folder: Path, text: str) -> Any:
    """The function `f` of a file with this text."""
    return module(folder, text, "").f


@pytest.mark.parametrize("name", [k for k, one in FORMULAS.items() if javascript.runs(one)])
def test_rules_are_read_from_their_text(name: str) -> None:
    """The source of every rule becomes the very text that Python makes of the rule."""
    assert read(FORMULAS[name].source) == translated(FORMULAS[name])


def test_rules_of_matrices_are_told_what_a_page_steps() -> None:
    """A page steps vectors, and says so at the word for matrices."""
    assert "this page steps vectors, and that is of matrices" in read(FORMULAS["muon"].source)


def test_a_rule_may_stand_in_its_file() -> None:
    """Imports, a decorator and the docstring are read over, indented lines and CRLF are taken."""
    text = (
        "import adamas\nfrom adamas.words import sqrt\n\n@adamas.rule\n" + FORMULAS["adam"].source
    )
    plain = translated(FORMULAS["adam"])
    assert read(text) == read(text.replace("\n", "\r\n")) == plain
    assert read("\n".join(f"    {line}" for line in FORMULAS["adam"].source.split("\n"))) == plain


def lamb() -> str:
    """The rule LAMB of docs/language.md."""
    text = (ROOT / "docs" / "language.md").read_text("utf-8")
    found = re.search(r"def lamb\(.*?return p, m, v\n", text, re.DOTALL)
    assert found
    return found[0].replace("def lamb", "def f")


MIXED = """
def f(p, g, m, s, c, q, *, t, rows, columns, lr=0.01):
    if t % 3 == 0 or not g:
        m += lr * g
    c = c + 1
    return p - m - lr * g * rows * columns, m if t // 2 > 1 else g, t, c, norm(g)
"""
FLAT = "def f(p, g, m, *, t, lr=0.01):\n    return 3.0, lr"


@pytest.mark.parametrize("text", [lamb(), MIXED, FLAT], ids=["lamb", "mixed", "flat"])
def test_what_is_typed_runs_as_the_reference(tmp_path: Path, text: str) -> None:
    """LAMB, rules with numbers for states, and one of numbers alone pass the reference's points."""
    problem = PROBLEMS["valley"]
    reference = Reference(parse(function(tmp_path, text)), np.array(problem.start))
    points = [reference.p.tolist()]
    for _ in range(50):
        reference.step(np.array(problem.gradient(*reference.p)))
        points.append(reference.p.tolist())
    found = run(f"trace({own(text)}, PROBLEMS.valley, 50).points")
    np.testing.assert_allclose(found, points, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "marked", [BODY.format(line) for line, *_ in LINES] + [w for w, *_ in WHOLE] + ALONE
)
def test_refusals_are_those_of_the_kernel(tmp_path: Path, marked: str) -> None:
    """Line, carets, problem and advice are the kernel's; what a page has not is said there."""
    text = HEAD + re.sub("[«»]", "", marked)
    found, wanted = read(text), expected(tmp_path, text)
    if any(words in found for words in PAGE):
        assert found.split("\n")[1] == wanted.split("\n")[1]
    else:
        assert found == wanted


@settings(max_examples=80, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.one_of(any_rule(), any_sums()))
def test_any_rule_is_read_as_the_kernel_reads_it(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """Random rules, with functions beside them, become the same text or get the same refusals."""
    text = f"{HEAD}{ABOVE}{text}"
    found, wanted = read(text), expected(tmp_path_factory.mktemp("rules"), text)
    assert found == wanted or wanted == "page" and any(words in found for words in PAGE)


NUMBER = st.sampled_from(["0", "1", "2", "3", "0.5", "1e-3", "-2", "7"])
SIGN = st.sampled_from(["+", "-", "*", "/", "%", "//"])
POWER = st.sampled_from(["2", "-1", "0.5", "0"])
COMPARISON = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
WORD = st.sampled_from([*sorted(words.__all__), "own", "root"])


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions of numbers, made of smaller ones."""
    chain = st.tuples(inner, st.lists(st.tuples(COMPARISON, inner), min_size=1, max_size=3))
    call = st.tuples(WORD, st.lists(inner, max_size=3))
    return st.one_of(
        st.tuples(inner, SIGN, inner).map(lambda x: f"({' '.join(x)})"),
        st.tuples(inner, POWER).map(lambda x: f"({x[0]} ** {x[1]})"),
        chain.map(lambda x: f"({x[0]} {' '.join(' '.join(one) for one in x[1])})"),
        st.tuples(inner, inner, inner).map(lambda x: f"({x[0]} if {x[1]} else {x[2]})"),
        call.map(lambda x: f"{x[0]}({', '.join(x[1])})"),
    )


DEFAULTS_ABOVE = (
    "from math import sqrt as root\ndef own(x):\n    return x\ndef exp(x):\n    return 5\n"
)


def of_floats(word: Callable[..., Any]) -> Callable[..., Any]:
    """A word on float64, which it is on in a rule: NumPy has other laws for whole numbers."""
    return lambda *given: word(*map(float, given))


CALLED = {name: of_floats(getattr(words, name)) for name in words.__all__}
CALLED |= {"root": of_floats(math.sqrt), "own": lambda x: x, "exp": lambda x: 5}


def default_of(text: str) -> float:
    """What Python makes of a default; NaN where it is no number."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(eval(text, CALLED.copy()))
        except (ArithmeticError, TypeError, ValueError):
            return math.nan


@settings(max_examples=200, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.recursive(NUMBER, larger, max_leaves=6))
def test_a_default_is_python_s(text: str) -> None:
    """A default that is computed is the number that Python makes of it, or a fault."""
    for line in (f"lr={text}", "lr=beside"):
        beside = "" if text in line else f"beside = {text}\n"
        rule = f"{DEFAULTS_ABOVE}{beside}def f(p, g, *, {line}):\n    return p - lr * g"
        found = run(f"readRule({json.dumps(rule)})")
        if not found["faults"]:
            np.testing.assert_allclose(found["rule"]["hypers"][0][1], default_of(text), rtol=1e-12)
        else:
            assert any(word in text for word in ("(", "/", "%", "**"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0 if 1 < 2 < 1 else 5.0", 5.0),
        ("1.0 if 1 < 2 <= 2 != 3 else 5.0", 1.0),
        ("maximum(0.1, 0.2)", 0.2),
        ("root(16)", 4.0),
        ("uniform(1)", None),
        ("normal()", None),
        ("exp(0)", None),
        ("sqrt(4, 9)", None),
        ("clip(4, low=1)", None),
        ("clip(4, 1, 2, high=3)", None),
    ],
)
def test_defaults_that_are_computed(text: str, value: float | None) -> None:
    """Chains of comparisons and words of numbers are worth what they are in Python; no draws."""
    for rule in (f"def f(p, g, *, lr={text}):", f"lr0 = {text}\ndef f(p, g, *, lr=lr0):"):
        found = run(
            f"readRule({json.dumps(f'{DEFAULTS_ABOVE}{rule}{chr(10)}    return p - lr * g')})"
        )
        if value is None:
            assert found["faults"]
        else:
            assert found["rule"]["hypers"] == [["lr", value]]


PIECES = [
    *"()[]{}=+-*/%<>:,.;'\"#\\@ \n\t09_apgmtλ$`~&|^!?，（）×−“",
    "**", "//", "==", "if ", "else ", "not ", "and ", "lambda ", "return ", "norm(", "max(", "1e-3",
    "\n    ", "0x1f", "1_0", ":=", "->", "'''", "del ", "for ", "...", "-=", "True", "elif g:\n",
]  # fmt: skip


def names_in(step: str) -> set[str]:
    """The names of a step but for its arguments and lines, and those after a dot."""
    head, _, body = step.partition("=>")
    own = set(re.findall(r"[\w$]+", head))
    return {name for name in re.findall(r"(?<![\w$.])[^\W\d][\w]*", body) if name not in own}


@settings(max_examples=200, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(1, 3))
def test_any_text_is_a_rule_or_has_faults(chance: random.Random, edits: int) -> None:
    """Whatever is typed ends as a message, or as arithmetic of the rule's own names.

    What Python cannot parse is refused.
    """
    text = chance.choice(list(FORMULAS.values())).source
    for _ in range(edits):
        k = chance.randrange(len(text))
        text = text[:k] + chance.choice(PIECES) + text[k + chance.choice((0, 0, 1, 3)) :]
    found = run(f"readRule({json.dumps(text)})")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "typed", "exec")
        except SyntaxError:
            assert found["faults"]
    if not found["faults"]:
        run(f"trace({own(text)}, PROBLEMS.bowl, 3).points")
        assert names_in(found["step"]) <= {
            "const",
            "let",
            "for",
            "return",
            "i",
            "f",
            "n",
            "W",
            "Math",
        }


START = "def f(p, g):\n    "
# What a `return` may give that would run, or end up, outside of a formula.
RETURNED = [
    "p - `reached()`", "p - ${reached()}", "p - reached()", "p - (() => reached())()",
    "p - \\u0072eached()", "p - g[`x`]", "p; reached()", "p - ']' + reached()", "p - toString * g",
    "p - valueOf(g)", "p - norm(g, over='__proto__')", "mean.call(p)", "g.__proto__", "p - $0",
    "p - W.sqrt(g)", "p - Math.sqrt(g)", "p \u2028 reached()", "p - \ufffdg", "hasOwnProperty(p)",
    "(" * 4000, "(" * 300 + "g" + ")" * 300, "-" * 6000 + "g", "not " * 1500 + "g",
    "g" + " + g" * 2000, "g" + " ** g" * 1500, "g" + " if g else g" * 600, "lambda: " * 900 + "g",
    "g" + ".a" * 3000, "g" + "[0]" * 2000,
]  # fmt: skip
NESTED = "".join(f"{' ' * (k + 1)}if g:\n" for k in range(110))
DOUBLED = "".join(f"def h{k + 1}(x):\n    return h{k}(x) + h{k}(x)\n" for k in range(40))
HOSTILE = [
    *(f"{START}return {text}" for text in RETURNED),
    *("", " ", "\n\n", "def", "def f", "def f(p, g):", "x" * 200_000, "\n" * 7000, "#" * 7999),
    "def f(p, g, constructor=1):\n    return p, constructor.constructor('reached()')()",
    "def f(p, g, m):\n    return p, __proto__",
    "def f(p, g, *, __proto__=1):\n    return p - __proto__ * g",
    "def f(p, g, $0):\n    return p, $0",
    "def f(p, g, m, m):\n    return p, m, m",
    "def f(p, g, *, x='); reached(); ('):\n    return p",
    "def f(p, g, *, lr=" + "1+" * 3000 + "1):\n    return p",
    "def f(p, g, " + ", ".join(f"s{k}" for k in range(900)) + "):\n    return p",
    f"x = reached()\n{START}return p",
    f"@reached()\n{START}return p",
    f"import constructor\n{START}return p - constructor.toString(g)",
    f"{START}'''*/ reached() /*'''\n    return p - ']' + reached()",
    f"{START}{', '.join(['p'] * 2000)} = p",
    f"def f(p, g):\n{NESTED}{' ' * 112}p = g\n return p",
    f"{START}if g:\n        p = g\n" + "    elif g:\n        p = g\n" * 250 + "    return p",
    f"def h0(x):\n    return x\n{DOUBLED}{START}return p - h40(g)",
]
LONG = "def f(p, g):\n" + "    p = p + g\n" * 560 + "    return p"


@pytest.mark.parametrize("language", book.GUIDE)
def test_hostile_texts_are_refused(language: str) -> None:
    """No text makes the reader fail, hang or call what it names; each gets a message."""
    engine(language).eval(
        "globalThis.canary = 0; globalThis.reached = () => { canary += 1; return 1; };"
    )
    assert not run(f"readRule({json.dumps(LONG)})", language)["faults"]
    for text in HOSTILE:
        found = run(f"readRule({json.dumps(text)})", language)
        assert found["faults"], text[:80]
        for fault in found["faults"]:
            assert fault["problem"] and fault["advice"] and fault["line"] >= 1
    assert run("canary", language) == 0


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("p －g", "-"),
        ("p − g", "-"),
        ("p × g", "*"),
        ("sqrt（g)", "("),
        ("maximum(p， g)", ","),
        ("g²", "**2"),
    ],
)
def test_signs_of_input_methods_are_named(typed: str, written: str) -> None:
    """A character that looks like an operator is pointed at, and the one to write is shown."""
    text = json.dumps(f"def f(p, g):\n    return {typed}")
    (fault,) = run(f"readRule({text})")["faults"]
    assert not fault["under"].isascii() and f"`{written}`" in fault["advice"] and fault["line"] == 2


INDENTS = ["    ", "        ", "\t", "  \t", "\t    ", "\t\t", "\f    "]


@pytest.mark.parametrize("head", ["if g:", "p = p * 2"])
def test_tabs_and_spaces_are_mixed_as_in_python(head: str) -> None:
    """Lines that Python cannot put in order are refused, and those that it can are read."""
    parsed = 0
    for a, b, c in itertools.product(INDENTS, repeat=3):
        text = f"def f(p, g):\n{a}{head}\n{b}p = p - g\n{c}p = p + g\n{a}return p"
        try:
            compile(text, "typed", "exec")
            parses = True
        except SyntaxError:  # TabError and IndentationError are two of them
            parses = False
        parsed += parses
        assert (run(f"readRule({json.dumps(text)})")["faults"] == []) is parses, (a, b, c)
    assert 0 < parsed < len(INDENTS) ** 3


@pytest.mark.parametrize("typed", ["\u200bp", "p\u00a0", "\ufeffp", "\0"])
def test_a_sign_that_cannot_be_seen_is_named(typed: str) -> None:
    """What looks like nothing is called by its number; the mark of a file's beginning is none."""
    text = f"\ufeffdef f(p, g):\n    return p - {typed}"
    (fault,) = run(f"readRule({json.dumps(text)})")["faults"]
    assert fault["line"] == 2 and re.search("U\\+(200B|00A0|FEFF|0000)", fault["problem"])
    assert run(f"readRule({json.dumps(text.replace(typed, 'g'))})")["faults"] == []


def test_names_are_those_of_javascript(tmp_path: Path) -> None:
    """Names that JavaScript has, and those of other alphabets, are the rule's own."""
    text = "def f(p, g, Math, W, n, i, *, 学习率=0.1, let=2, f=3, this=1, ｗ=5):\n"
    text += "    W = abs(g) + f * this + let * w\n    return p - 学习率 * W, abs(Math), W, n, i\n"
    assert read(text) == expected(tmp_path, HEAD + text)
    found = run(f"trace({own(text)}, PROBLEMS.bowl, 2, {{hypers: {{let: 1}}}}).points")
    reference = Reference(parse(function(tmp_path, text)), np.array(PROBLEMS["bowl"].start), let=1)
    for point in found:
        assert point == reference.p.tolist()
        reference.step(np.array(PROBLEMS["bowl"].gradient(*reference.p)))


@pytest.mark.parametrize("test", ["g", "not g", "g > 0", "g != g", "g and p", "g > 0 or m"])
def test_conditions_that_are_nan(tmp_path: Path, test: str) -> None:
    """NaN holds where a number is tested and not where it is compared, as in Python."""
    text = f"def f(p, g, m):\n    m = 1.0 if {test} else 2.0\n    return p, m"
    reference = Reference(parse(function(tmp_path, text)), np.ones(3))
    reference.step(np.array([np.nan, 0.0, 2.0]))
    assert run(f"{own(text)}.step((x) => x, 3, [1, 1, 1], [NaN, 0, 2], [0, 0, 0], 1)[0]") == (
        reference.state["m"].tolist()
    )


def test_remainders_are_python_s() -> None:
    """`%` and `//` of float64 are those of Python, signs and rounding included."""
    pairs = [
        (7.5, 2.0),
        (-7.5, 2.0),
        (7.5, -2.0),
        (-1e-3, 0.25),
        (1e16, 3.0),
        (0.3, 0.1),
        (6.0, -3.0),
        (1.0, 0.1),
    ]
    found = run(f"{json.dumps(pairs)}.map(([x, y]) => [W.remainder(x, y), W.floored(x, y)])")
    assert found == [[x % y, x // y] for x, y in pairs]


def test_advice_is_known_in_both_languages() -> None:
    """What the kernel says of words that are missing has its sentence in both languages."""
    for sentence in {*advice.MISSING.values()}:
        (key,) = [key for key, text in LANGUAGES["en"].items() if text == sentence]
        assert not LANGUAGES["zh"][key].isascii()
