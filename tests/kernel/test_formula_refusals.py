"""A rule outside the language is refused where it is defined, with a caret and a way out."""

import inspect
import re
import unicodedata
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
from adamas import rules
from adamas.engine.gradients import Rows
from adamas.engine.optimizer import Optimizer
from adamas.engine.options import formula_of
from adamas.kernel.formula import TAKEN_STATES, FormulaError
from written import HEAD, function, module

# One rule a row. The offending text stands between « and », which are taken out before the rule is
# defined; then come words of the problem and words of the advice.
BODY = "def f(p, g, m, *, t, lr=0.1, beta=0.9):\n    {}\n    return p - lr * m, m"
LINES = [
    ("«while g > 0:»\n        m = g", "no `while` statement", "a if c else b"),
    ("«for i in range(3):»\n        m = g", "no `for` statement", "`total(x)` for a sum"),
    ("if t == 1:\n        «return p, m»\n    m = g", "returns once, at its end", "in an `if`"),
    (
        "if t == 1:\n        v = g\n    m = «v»",
        "'v' has no value where `t == 1` does not hold",
        "in its `else` branch",
    ),
    (
        "if t == 1:\n        m = g\n    else:\n        v = g\n    m = «v»",
        "'v' has no value where `t == 1` holds",
        "Give it one before the `if`, or in its first",
    ),
    ("«with lr:»\n        m = g", "no `with` statement", "Use assignments only"),
    ("«def h(x):»\n        return x", "no `def` statement", "Write the function beside the rule"),
    ("«import math»", "no `import` statement", "Use assignments only"),
    ("«assert lr > 0»", "no `assert` statement", "Use assignments only"),
    ("«global lr2»", "no `global` statement", "Use assignments only"),
    ("«del m»", "no `delete` statement", "Use assignments only"),
    ("«return p»", "returns once, at its end", "where(c, a, b)"),
    ("«print(m)»", "assigns nothing", "Remove it"),
    ("m = g\n    «'a note'»", "assigns nothing", "Remove it"),
    ("«m.real: float = g»", "not parts of them", "Write `name = ...`"),
    ("«m[0] += g»", "not parts of them", "Write `name = ...`"),
    ("«m, v» = g", "1 value(s) for 2 name(s)", "one value for each name"),
    ("m = «g, g»", "not part of the formula language", "Allowed"),
    ("m, «*v» = g, g", "not parts of them", "Write `name = ...`"),
    ("«m[0]» = g", "not parts of them", "Write `name = ...`"),
    ("«m.real» = g", "not parts of them", "Write `name = ...`"),
    ("m = «erf»(g)", "'erf' is not one of the words", "abs, atan2, clip, cos, exp"),
    ("m = «max»(m, g)", "'max' is not one of the words", "Write `maximum(x, y)`."),
    ("m = «min»(m, g)", "'min' is not one of the words", "Write `minimum(x, y)`."),
    ("m = «np.sqrt»(g)", "'np.sqrt' is not one of the words", "Write `sqrt(x)`."),
    ("m = «sum»(g)", "'sum' is not one of the words", "Write `total(g)`."),
    ("m = «g.sum»()", "'g.sum' is not one of the words", "Write `total(g)`."),
    ("m = «(g * g).sum»()", "not one of the words", "Write `total(x)`."),
    ("m = «dot»(g, m)", "'dot' is not one of the words", "Write `total(g * m)`."),
    ("m = «np.var»(g)", "not one of the words", "Write `mean((g - mean(g)) ** 2)`."),
    ("m = «max»(g)", "'max' is not one of the words", "not compared with each other"),
    ("m = «g.max»()", "'g.max' is not one of the words", "not compared with each other"),
    ("m = «sorted»(g)", "'sorted' is not one of the words", "The words are"),
    ("m = «sort»(g)", "'sort' is not one of the words", "not compared with each other"),
    ("m = «matmul»(g, m)", "'matmul' is not one of the words", "sees rows and columns by sums"),
    ("m = «len»(g)", "'len' is not one of the words", "Ask for `rows` and `columns`"),
    ("m = «zeros_like»(g)", "not one of the words", "Write the number alone"),
    ("m = «floor»(g)", "'floor' is not one of the words", "as in `t // k`"),
    ("m = m + «randn»()", "'randn' is not one of the words", "Write `uniform(x)` or `normal(x)`"),
    ("m = m + «uniform(lr)»", "drawn for each element", "Write `uniform(p)` or `normal(p)`."),
    ("m = m + g * «normal(norm(g))»", "drawn for each element", "Write `uniform(p)`"),
    ("m = «uniform()»", "`uniform` takes 1 positional", "The words are"),
    ("m = «mean(g, axis=1)»", "over= which numbers", 'Write `mean(g, over="row")`; over is'),
    ("m = «mean(g, axis=0)»", "over= which numbers", 'Write `mean(g, over="column")`; over'),
    ("m = «g.mean»(axis=1)", "'g.mean' is not one of the words", 'Write `mean(g, over="row")`.'),
    ("m = «g.mean»(0)", "'g.mean' is not one of the words", 'Write `mean(g, over="column")`.'),
    ("m = «g.norm»(dim=-1)", "'g.norm' is not one of the words", 'Write `norm(g, over="row")`.'),
    ("m = «g.norm»(1)", "'g.norm' is not one of the words", "Write `norm(g)`."),
    ("m = «g.sum»(dim=0, keepdim=True)", "not one of the words", '`total(g, over="column")`.'),
    ("m = «g.var»(axis=0)", "not one", '`mean((g - mean(g, over="column")) ** 2, over="column")`'),
    ("m = «dot»(g, m, axis=-1)", "is not one of the words", '`total(g * m, over="row")`.'),
    ("m = «mean(g, 1)»", "over= which numbers", 'Write `mean(g, over="row")`; over is'),
    ("m = «norm(g, 1)»", "over= which numbers", "`norm(x)` for the whole tensor"),
    ("m = «mean(g, axis=(1, 2, 3))»", "over= which numbers", 'Write `mean(g, over="row")`; over'),
    ("m = «mean(g, axis=(0, 2))»", "over= which numbers", "`mean(x)` for the whole tensor"),
    ("m = «np.random.normal»(0, 1)", "not one of the words", "one random number for each element"),
    ("m = «g.std»()", "'g.std' is not one of the words", "torch divides by n - 1"),
    ("m = «g.clamp»(min=-1)", "'g.clamp' is not one of the words", "Write `maximum(g, -1)`."),
    ("m = «clip(g, a_min=lr, a_max=1)»", "takes 3 positional", "Write `clip(g, lr, 1)`."),
    ("m = «float»(3) * g", "'float' is not one of the words", "Write `3`."),
    ("m = g + «p.eps»", "`p.eps` is not part", "write `EPS = 1e-3` above it"),
    ("«m.mul_(beta).add_(g)»", "changes a value in place", "Write `m = ...` with the value"),
    (
        'm = «mean(mean(g, over="row"), over="column")»',
        '`mean(g, over="row")` is one number for',
        'Write `mean(mean(g, over="row"))`',
    ),
    (
        'm = g * «mean(norm(g + norm(p), over="all"))»',
        '`norm(g + norm(p, over="tensor"), over="all")` is one',
        "Leave `mean` out",
    ),
    ("m = g / «p.shape[0]»", "`p.shape[0]` is not part", "Ask for `rows` and `columns`"),
    ("m = g / «p.size»", "`p.size` is not part", "Ask for `rows` and `columns`"),
    ("m = «g.T»", "`g.T` is not part", "products of matrices are not there"),
    ("m = «m.mul_»(beta)", "'m.mul_' is not one of the words", "changes nothing in place"),
    ("m = «math.pow»(g, 2)", "not one of the words", "Write `g ** 2`."),
    ("m = «g.clip»(0, 1)", "'g.clip' is not one of the words", "Write `clip(g, 0, 1)`."),
    ("m = («lambda x: x»)(g)", "not one of the words", "The words are"),
    ("m = «maximum(g)»", "`maximum` takes 2 positional", "The words are"),
    ("m = «sqrt(g, m)»", "`sqrt` takes 1 positional", "The words are"),
    ("m = «where(g > 0, g)»", "`where` takes 3 positional", "The words are"),
    ("m = «sqrt(x=g)»", "`sqrt` takes 1 positional", "The words are"),
    ("m = sqrt(«*g»)", "not part of the formula language", "Allowed: + - * / **"),
    ("m = g * «momentum»", "'momentum' is not known here", "or a number above the rule"),
    ("m = «sqrt» * g", "'sqrt' is a function, not a number", "Call it: `sqrt(x)`."),
    ("m = g / «rows»", "'rows' is not known here", "Ask for it in the signature: `*, rows`."),
    ("m = g * «adamas»", "'adamas' is a module, not a number", "finite real numbers"),
    ("m = «v» + g\n    v = g", "'v' is not known here", "assign it first"),
    ("«v» += g", "'v' is not known here", "assign it first"),
    ("m = g * (m > 0 and «p»)", "a number is no condition here", "Write `x != 0`."),
    ("m = where(«g is m», g, m)", "not part of the formula", "Compare with <"),
    ("m = where(«g in (m, p)», g, m)", "not part of the formula", "Compare with <"),
    ("m = («g > 0») + 1", "a comparison is no number", "Write `where(comparison, 1.0, 0.0)`"),
    ("m = g\n    up = g > 0\n    m = m / «up»", "a comparison is no number", "1.0, 0.0)`"),
    ("m = -(«(g > 0) * (m > 0)»)", "a comparison is no number", "Write `where(comparison"),
    ("m = sqrt(«g > 0»)", "a comparison is no number", "Write `where(comparison"),
    ("m = g ** «where(t > 1, g > 0, g < 0)»", "a comparison is no number", "1.0, 0.0)`"),
    ("m = g * «True»", "a truth value is not a number", "0.0 or 1.0"),
    ("m = g * «'0.9'»", "not part of the formula", "Allowed"),
    ("m = g * «1j»", "not part of the formula", "Allowed"),
    ("m = «None»", "not part of the formula", "Allowed"),
    ("m = «g.real»", "`g.real` is not part of the formula", "Allowed"),
    ("m = «g[0]»", "`g[0]` is not part of the formula", "Allowed"),
    ("m = «g // 2»", "a remainder is computed once a step", "where(x > y, x - y, x)"),
    ("m = g * (1 + «m % t»)", "a remainder is computed once a step", "wrap an angle"),
    ("m = «g @ m»", "not part of the formula", "products of matrices are not there"),
    ("m = «~g»", "not part of the formula", "Write `not a`."),
    ("m = «g & m»", "not part of the formula", "Write `a and b`"),
    ("«g //= 2»", "once a step: of hyper-parameters, numbers and t only", "there is none"),
    ("m = («v := g»)", "not part of the formula", "a line of its own"),
    ("m = «[g]»", "not part of the formula", "Allowed"),
    ("m = «lambda x: x»", "not part of the formula", "Allowed"),
    ("m = g * «(0 - 8) ** 0.5»", "`(0 - 8) ** 0.5` is nan", "a finite real number"),
    ("m = g * (1 + «1 / 0»)", "`1 / 0` is inf", "a finite real number"),
    ("m = where(g > 0, 1, «-1 / (2 - 2)») * g", "is -inf", "a finite real number"),
    ("m = g * «10 ** 400»", "`10 ** 400` is inf", "a finite real number"),
    ("m = g * «1e999»", "is inf", "a finite real number"),
    ("m = «log(1 - 1)» * g", "`log(1 - 1)` is -inf", "a finite real number"),
    ("m = «sqrt(-2)» + lr", "`sqrt(-2)` is nan", "a finite real number"),
    ("m = «exp(1000)» / g", "`exp(1000)` is inf", "a finite real number"),
    ("m = «maximum(1, 0) / minimum(1, 0)» * g", "is inf", "a finite real number"),
    ("m = g * (1 if «0 / 0» else 2)", "`0 / 0` is nan", "a finite real number"),
    ("m = «1{}» * g".format("0" * 400), "000...` is inf", "a finite real number"),
    ("«m = g{}»".format(" + g" * 900), "more than 100 operations", "Give parts of it names"),
    ("«m = {}g{}»".format("sqrt(" * 90, " + 1)" * 90), "more than 100 op", "parts of it names"),
    ("«_x» = g", "'_x' is taken by the machinery", "Choose another name"),
    ("«__x» = g", "'__x' is taken by the machinery", "Choose another name"),
    ("«sqrt» = g", "'sqrt' is taken by the machinery", "Choose another name"),
]
WHOLE = [
    ("def f(«x», g):\n    return x", "must be `p, g`", "p is the parameter, g its gradient"),
    ("def f(p, «m», g):\n    return p, m", "must be `p, g`", "the other positional names"),
    ("«def f(p, *, g=1.0):»\n    return p", "must be `p, g`", "p is the parameter"),
    ("«def f():»\n    return 1.0", "must be `p, g`", "p is the parameter"),
    ("def f(p, g, *«args»):\n    return p", "'args' stands for any", "Name every argument"),
    ("def f(p, g, **«kwargs»):\n    return p", "'kwargs' stands for any", "Name every argument"),
    ("def f(p, g, *, «lr»):\n    return p", "'lr' has no default", "Write `lr=0.9`"),
    ("def f(p, g, *, «lr»='fast'):\n    return p", "'fast' of 'lr' is not a number", "`lr=0.9`"),
    ("def f(p, g, *, «lr»=True):\n    return p", "True of 'lr' is not a number", "`lr=0.9`"),
    ("def f(p, g, *, «lr»=None):\n    return p", "None of 'lr' is not a number", "`lr=0.9`"),
    ("def f(p, g, «m»=None, *, lr=1):\n    return p, m", "None of 'm' is not a number", "`m=0.9`"),
    ("def f(p, g, *, «lr»=-10**400):\n    return p", "default of 'lr' is -inf", "finite"),
    ("def f(p, g, «m»=1e999 - 1e999, *, lr=1):\n    return p, m", "of 'm' is nan", "finite"),
    ("def f(p, g, «m»=-1e999, *, lr=1):\n    return p, m", "of 'm' is -inf", "finite"),
    ("def f(p, g):\n    return p - g * «(2 - 3) ** 1.5»", "is nan", "a finite real number"),
    ("def f(p, g, *, «lr»=1e999):\n    return p", "default of 'lr' is inf", "finite"),
    ("def f(p, g, «t», *, lr=1):\n    return p, t", "t is the step, not a state", "`*, t, lr"),
    ("def f(p, g, *, «t»=1, lr=1):\n    return p", "t is the step and has no default", "`t` alone"),
    ("def f(p, g, *, «_lr»=1):\n    return p", "'_lr' is taken by the machinery", "another name"),
    ("def f(p, g, «exp»):\n    return p, exp", "'exp' is taken by the machinery", "another name"),
    ("def f(p, g, «step»):\n    return p, step", "optimizer itself has a 'step'", "another name"),
    ("def f(p, g, *, «rows»=2):\n    return p", "optimizer itself has a 'rows'", "another name"),
    ("def f(p, g, m):\n    m = g\n    «return p»", "1 value(s), not 2", "`return p, m`"),
    ("def f(p, g):\n    «return p, g»", "2 value(s), not 1", "`return p`"),
    ("def f(p, g):\n    «return»", "0 value(s), not 1", "`return p`"),
    ("def f(p, g, m):\n    return p - g, «p_next»", "'p_next' is not known", "assign it first"),
    ("def f(p, g, m):\n    m = g\n    «p = p - m»", "does not return", "`return p, m`"),
    ("«def f(p, g, m):»\n    '''Only talk.'''", "does not return", "`return p, m`"),
    ("«async def f(p, g):»\n    return p", "must be a plain function", "def name(p, g, ...)"),
]
# Where a caret is easily misplaced: other alphabets, wide characters, tabs, several lines.
AWKWARD = [
    "def f(p, g, *, λ=0.1):\n    return p - λ * «erf»(g)",
    "def f(p, g, *, 学习率=0.1):\n    return p - 学习率 * «大小» * g",
    "def f(p, g, *, lr=0.1):\n    p = p - (lr *\n         «h» * g)\n    return p",
    "def f(p, g, *, lr=0.1):\n    p = p - «maximum(g,\n»        1, 2) * lr\n    return p",
    "def f(p, g, *, λ=0.1):\n    p = λ * p - «sqrt(λ, \\\n»        1)\n    return p",
    "def f(p, g, *, lr=0.1):\n    p =\tp\t-\t«h» * g\n    return p",
    "if True:\n\tdef f(p, g, *, lr=0.1):\n\t\treturn p - «h» * g",
    "def f(p, g, *, lr=0.1):\n    # \x0c \u2028 only the newline ends a line\n    return p - «h»",
    "class Box:\n    def f(p, g, *, lr=1):\n# a comment at the margin\n        return p - «h» * g\n"
    "f = Box.f",
    "def make():\n    def f(p, g, *, lr=1):\n        '''Two\nlines.'''\n        return p - «h»\n"
    "    return f\nf = make()",
]


def lines_of(error: FormulaError) -> tuple[str, str, str, str, str]:
    """What the message says: problem, place, source line, carets, advice."""
    problem, place, shown, carets, advice = str(error).split("\n")
    assert shown.startswith("    ")
    assert re.fullmatch(r"[ \t]+\^+", carets)
    return problem, place.strip(), shown[4:], carets[4:], advice


def columns(text: str) -> str:
    """Repeat each wide character, so that one character stands for one column."""
    return "".join(c * (1 + (unicodedata.east_asian_width(c) in "WF")) for c in text)


def refused(folder: Path, marked: str) -> tuple[str, str]:
    """Define the marked rule; check the place, the line and the carets; return the words."""
    before, offending, after = re.split("[«»]", marked)
    space = module(folder, before + offending + after)
    with pytest.raises(FormulaError) as caught:
        adamas.rule(space.f)
    problem, place, shown, carets, advice = lines_of(caught.value)
    assert problem.startswith("rule 'f': ")
    assert place == f"{space.__file__}:{(HEAD + before).count(chr(10)) + 1}"
    first = offending.split("\n")[0].rstrip()
    line = before.split("\n")[-1] + (offending + after).split("\n")[0]
    assert shown == line.strip()
    under = [c for c, mark in zip(columns(shown), carets, strict=False) if mark == "^"]
    assert "".join(under) == columns(first)
    assert len(carets) <= len(columns(shown))
    # A tab before the carets must be a tab, or they stand elsewhere on a terminal.
    tabs = [k for k, c in enumerate(columns(shown)[: carets.index("^")]) if c == "\t"]
    assert tabs == [k for k, c in enumerate(carets) if c == "\t"]
    return problem, advice


@pytest.mark.parametrize(("line", "problem", "advice"), LINES)
def test_a_line_outside_the_language_is_refused(
    tmp_path: Path, line: str, problem: str, advice: str
) -> None:
    """The carets stand under the text that cannot be compiled; the last line says what can."""
    found = refused(tmp_path, BODY.format(line))
    assert problem in found[0]
    assert advice in found[1]


@pytest.mark.parametrize(("text", "problem", "advice"), WHOLE)
def test_a_signature_or_return_is_refused(
    tmp_path: Path, text: str, problem: str, advice: str
) -> None:
    """So does a signature that does not declare a rule, and a return that loses a state."""
    found = refused(tmp_path, text)
    assert problem in found[0]
    assert advice in found[1]


@pytest.mark.parametrize("text", AWKWARD)
def test_the_carets_stand_under_the_place(tmp_path: Path, text: str) -> None:
    """Whatever comes before it in the line or in the file."""
    refused(tmp_path, text)


def test_a_decorator_raises_where_the_rule_is_defined(tmp_path: Path) -> None:
    """The error comes at definition, not at a step, and names the line below the decorators."""
    text = "@adamas.rule\n@(lambda f: f)\ndef f(p, g):\n    return p - lr * g\n"
    with pytest.raises(FormulaError) as caught:
        module(tmp_path, text)
    place = lines_of(caught.value)[1]
    assert place.endswith(f":{HEAD.count(chr(10)) + 4}")


def test_a_rule_without_source_is_refused() -> None:
    """A function typed where Python keeps no text cannot be read, and the error says what to do."""
    space: dict[str, Any] = {}
    exec("def f(p, g):\n    return p", space)
    with pytest.raises(FormulaError, match=r"'f': its source text cannot be read[^\n]*\n.*a file"):
        adamas.rule(space["f"])


@pytest.mark.parametrize("thing", [len, np.add, 3.0, None])
def test_what_is_no_function_is_refused(thing: Any) -> None:
    """A builtin, a ufunc or a number has no text; the error is still a FormulaError."""
    with pytest.raises(FormulaError, match="cannot be read"):
        adamas.rule(thing)


def test_a_lambda_is_refused() -> None:
    """A lambda has no line of its own for its statements."""
    f = lambda p, g: p - g  # noqa: E731
    with pytest.raises(FormulaError, match="must be a plain function"):
        adamas.rule(f)
    with pytest.raises(FormulaError, match="Write it as a plain `def`"):
        adamas.rule(
            function=lambda p, g: p - g)  # fmt: skip


def test_the_optimizer_s_own_keywords_are_not_hyper_parameters(tmp_path: Path) -> None:
    """A hyper-parameter that the optimizer would take for its own setting can never be set."""
    for name in set(inspect.signature(Optimizer.__init__).parameters) - {"hypers"} | {"names"}:
        rule = function(tmp_path, f"def f(p, g, *, {name}=0.1):\n    return p - g * {name}")
        for take in (adamas.rule, partial(Optimizer, params=np.zeros(1)), formula_of):
            with pytest.raises(FormulaError, match=f"the optimizer itself has a {name!r}"):
                take(rule)


def test_the_optimizer_s_own_entries_are_not_states() -> None:
    """A state whose name the state dict uses for something else would be lost."""
    taken = set(Optimizer(rules.sgd, np.zeros(1, np.uint16)).state[0])
    plane = np.zeros((1, 1))
    coded = Optimizer(rules.momentum, plane, state=lambda key, array: "int8").state[0]
    partly = Optimizer(rules.momentum, np.zeros((2, 1)), ema=0.5)
    partly.step(Rows([0], np.ones((1, 1))))
    kept = {*coded, *partly.state[0]} - {"average"}
    assert taken | {name for name in kept if name.partition(".")[0] != "m"} == (TAKEN_STATES)
