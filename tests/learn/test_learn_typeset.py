"""A formula that is typeset says what the rule computes, and no more brackets than it takes."""

import ast
import re
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, reject, settings

import grammar
from adamas import dialects, rules, words
from adamas.kernel.formula import Formula, FormulaError, parse, target
from adamas.kernel.reference import Reference
from adamas.kernel.variants import decoupled
from adamas.learn.notation import LATEX, MATHML
from adamas.learn.symbols import lines
from adamas.learn.symbols import symbol as named
from adamas.learn.typeset import latex, letter, mathml
from adamas.words import mean, norm, rms, sqrt, total, where
from mathml import (
    Field,
    Literals,
    NotReadableError,
    Reader,
    compared,
    made_up,
    number,
    rows,
    symbol,
    word,
    written,
)  # fmt: skip
from written import HEAD, module

RULES: dict[str, Callable[..., Any]] = {
    name: getattr(home, name) for home in (rules, dialects) for name in home.__all__
}
EXACT: dict[str, Any] = {name: word(name) for name in (*words.__all__, "mod", "floor", "choice")}
EXACT |= {"number": number, "relation": made_up}


def plain(key: str) -> str:
    """Words that say themselves."""
    return key.removeprefix("formula.")


def begun(formula: Formula, values: dict[str, Any]) -> dict[str, Any]:
    """The values of what is there before a step, by the symbols that the page has for them."""
    before, now = ("p", *formula.initial), ("g", *formula.draws, *({"h"} & formula.given))
    marks = {name: named(name).at("t-1") for name in before}
    marks |= {name: named(name).at("t") for name in now}
    marks |= {name: named(name) for name in ("t", "rows", "columns", *formula.hypers)}
    return {symbol(MATHML.symbol(marks[name])): value for name, value in values.items()}


def after(name: str) -> str:
    """The symbol of a state, or of the parameter, after the step."""
    return symbol(MATHML.symbol(named(name).at("t")))


# Of each word in NumPy; a page says whether a sum is over rows, columns or all, and which steps.
NUMPY = {"max": "maximum", "min": "minimum", "ln": "log", "sum": "total"}


def numpy_call(function: str, below: str, arguments: list[Any]) -> Any:
    """A function of a page in float64; a row of a vector is an element."""
    keyword = "coefficients" if function == "orthogonalize" else "over"
    over = {keyword: below} if below else {}
    return getattr(words, NUMPY.get(function, function))(*arguments, **over)


def read_in_float64(known: dict[str, Any]) -> Reader:
    """A reader of a page that computes with NumPy."""
    return Reader(
        known, np.float64, numpy_call, np.where, compared, lambda c: np.where(c, 1.0, 0.0)
    )


@pytest.mark.parametrize("name", RULES)
def test_what_is_typeset_is_what_runs(name: str) -> None:
    """Whoever computes a rule from its page gets the numbers of the rule, in float64."""
    formula, random = parse(RULES[name]), np.random.default_rng(0)
    given = dict(formula.hypers) | {"lr": 0.1} | {k: 0.3 for k in formula.hypers if "decay" in k}
    run, page = Reference(formula, random.normal(size=5), **given), rows(mathml(formula, plain))
    for t in range(1, 9):
        g = random.normal(size=5)
        values = {"p": run.p, "g": g, "t": np.float64(t), **run.state, **run.hypers}
        values |= {"rows": np.float64(5), "columns": np.float64(1)}
        known = begun(formula, values)
        with np.errstate(all="ignore"):
            for left, right in page:
                known[written(left)] = read_in_float64(known).read(right)
        run.step(g)
        for state, value in {"p": run.p, **run.state}.items():
            np.testing.assert_allclose(known[after(state)], value, rtol=1e-12, atol=0)


def fields(formula: Formula) -> dict[str, Field]:
    """Numbers of the field for all that is there before a step."""
    names = ("p", "g", "t", *formula.given, *formula.draws, *formula.initial, *formula.hypers)
    return {name: made_up(name) for name in names}


def read(page: str, formula: Formula) -> dict[str, int]:
    """The values of all equations of a page in the field."""
    known = begun(formula, fields(formula))
    for left, right in rows(page):
        known[written(left)] = Reader(known).read(right)
    return {mark: one.value for mark, one in known.items()}


def computed(formula: Formula) -> dict[str, int]:
    """The new values of a step in the field, from the statements."""
    known = fields(formula)
    for statement in formula.statements:
        copy = ast.parse(ast.unparse(statement.value), mode="eval")
        tree = ast.fix_missing_locations(Literals().visit(copy))
        known[target(statement)] = eval(compile(tree, "<statement>", "eval"), EXACT, known)
    return {state: known[name].value for state, name in formula.outputs.items()}


def needless(page: str, formula: Formula, wanted: dict[str, int]) -> list[str]:
    """The brackets without which the page would say the same."""
    found, marks = [], [*re.finditer(r"<mo[^>]*>([()])</mo>", page)]
    for k, first in enumerate(marks):
        if first[1] == ")" or page[: first.start()].endswith("\N{FUNCTION APPLICATION}</mo><mrow>"):
            continue
        depths = list(accumulate(1 if mark[1] == "(" else -1 for mark in marks[k:]))
        last = marks[k + depths.index(0)]
        bare = page[: first.start()] + page[first.end() : last.start()] + page[last.end() :]
        try:
            if read(bare, formula) == wanted:
                found.append(bare)
        except (NotReadableError, KeyError):
            continue
    return found


def accepted(folder: Path, text: str) -> Formula:
    """The formula of a rule that the language allows."""
    try:
        return parse(module(folder, text, HEAD + grammar.ABOVE).f)
    except FormulaError:
        reject()


def check(text: str, folder: Path) -> None:
    """A rule's page says what its statements say, its brackets are needed, its LaTeX is whole."""
    formula = accepted(folder, text)
    known = read(mathml(formula, plain), formula)
    assert {state: known[after(state)] for state in formula.outputs} == computed(formula)
    marks = [line.left for line in lines(formula)]
    assert len({*marks}) == len(marks)
    balanced(latex(formula, plain))


@settings(max_examples=10)
@given(text=grammar.any_rule())
def test_any_rule_says_on_its_page_what_it_says_in_its_text(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In exact arithmetic, for rules from the whole language; no two numbers share a symbol."""
    check(text, tmp_path_factory.mktemp("typeset"))


@settings(max_examples=10)
@given(text=grammar.any_sums())
def test_sums_keep_what_they_are_over(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A mean over rows and one over the tensor are two numbers on the page, too."""
    check(text, tmp_path_factory.mktemp("typeset"))


@settings(max_examples=10)
@given(text=grammar.any_rule())
def test_no_bracket_is_needless(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without any one of its brackets the page says something else, or nothing."""
    # Of 0 and 1 some laws hold that make brackets needless: 0 + a times b.
    text = re.sub(r"\b[01]\b", "7", text)
    formula = accepted(tmp_path_factory.mktemp("typeset"), text)
    page = mathml(formula, plain)
    assert not needless(page, formula, read(page, formula))


def balanced(text: str) -> None:
    """Every brace, bracket and environment of LaTeX closes."""
    depth = 0
    for mark in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if mark == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert text.count(r"\left") == text.count(r"\right") + text.count(r"\leftarrow")
    assert re.findall(r"\\begin\{(\w+)\}", text).count("cases") == text.count(r"\end{cases}")
    # What GitHub's Markdown refuses, or takes for its own between dollars.
    assert not re.search(r"\\operatorname|\$|\\tag|^\s*$", text, re.M)


@pytest.mark.parametrize("name", RULES)
def test_latex_is_whole(name: str) -> None:
    """What Markdown shows between two `$$` opens and closes what it should."""
    text = latex(parse(RULES[name]), plain)
    balanced(text)
    assert text.count("&=") == len(lines(parse(RULES[name])))


def test_adam_is_written_as_its_paper_writes_it() -> None:
    """Kingma & Ba 2015, Algorithm 1, line by line; θ is the parameter and η the rate."""
    said = [line.rstrip(" \\") for line in latex(parse(rules.adam), plain).splitlines()[2:-1]]
    assert [line.replace(r"\tilde{g}", "g").replace(r" \, ", " ") for line in said] == [
        r"m_{t} &= \beta_{1} m_{t-1} + \left( 1 - \beta_{1} \right) g_{t}",
        r"v_{t} &= \beta_{2} v_{t-1} + \left( 1 - \beta_{2} \right) {g_{t}}^{2}",
        r"\hat{m}_{t} &= \frac{m_{t}}{1 - {\beta_{1}}^{t}}",
        r"\hat{v}_{t} &= \frac{v_{t}}{1 - {\beta_{2}}^{t}}",
        r"\theta_{t} &= \theta_{t-1} - \frac{\eta \hat{m}_{t}}{\sqrt{\hat{v}_{t}} + \varepsilon}",
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("lr", r"\eta"),
        ("eps", r"\varepsilon"),
        ("weight_decay", r"\lambda"),
        ("beta1", r"\beta_{1}"),
        ("m_hat", r"\hat{m}"),
        ("v_max", r"v_{\mathrm{max}}"),
        ("rho_inf", r"\rho_{\infty}"),
        ("mu_product", r"\mu_{\Pi}"),
        ("beta3_warmup", r"\beta_{3,\mathrm{warmup}}"),
        ("variance", r"\mathrm{variance}"),
    ],
)
def test_names_become_symbols(name: str, shown: str) -> None:
    """A name is the letter that papers have for it, with what its parts say below and above."""
    assert LATEX.symbol(named(name)) == shown
    assert letter(name) == f"<math>{MATHML.symbol(named(name))}</math>"


def lamb(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6):  # type: ignore[no-untyped-def]
    """LAMB. You et al. 2019, Algorithm 2."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    u = m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)
    p = p - lr * where(norm(u) > 0, norm(p, over="row") / norm(u), 1.0) * u
    return p, m, v


def rescaled(p, g, *, lr=0.1):  # type: ignore[no-untyped-def]
    """Hand the step on under no name, with sums that have scopes."""
    return p - lr * g * mean(g * g, over="column") / (rms(p) + total(g, over="all"))


def test_a_rule_of_one_s_own_is_shown_as_it_is_typed() -> None:
    """Sums stand where their author wrote them, with what they are over."""
    text = latex(parse(lamb), plain)
    assert r"\left‖" not in text
    assert r"\left\| \theta_{t-1} \right\|_{\text{row}}" in text
    assert text.count("&=") == 4
    text = latex(parse(rescaled), plain)
    assert r"\mathrm{mean}_{\text{column}}" in text
    assert r"\mathrm{sum}_{\text{all}}" in text
    assert r"\mathrm{rms}\left" in text


def test_a_rule_made_of_another_is_shown_as_it_became() -> None:
    """Decoupling a decay changes the first line of the page, whatever the source says."""
    shown = latex(decoupled(parse(rules.adam)), plain)
    assert shown == latex(parse(rules.adamw), plain)


@pytest.mark.parametrize("name", RULES)
def test_mathml_is_well_formed(name: str) -> None:
    """A page that shows it parses, and it holds no element that MathML Core lacks."""
    core = {"math", "mtable", "mtr", "mtd", "mrow", "mi", "mn", "mo", "mtext", "msub", "msup"}
    core |= {"mover", "mfrac", "msqrt"}
    tree = ElementTree.fromstring(mathml(parse(RULES[name]), plain))
    assert {element.tag for element in tree.iter()} <= core
