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
from refusals import AWKWARD, BODY, LINES, WHOLE
from written import HEAD, function, module


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
