"""A rule is its text: where Python would compute something else, adamas refuses to compile."""

import ast
import functools
import math
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adamas
from adamas import words
from adamas.engine.optimizer import Optimizer
from adamas.kernel.formula import FormulaError, parse
from foreign import torch
from written import HEAD, function, module

RULE = "def f(p, g, *, lr=0.5):\n    return p - lr * g\n"
DOUBLED = """
import functools

def doubled(rule):
    @functools.wraps(rule)
    def wrapper(p, g, **hypers):
        return rule(p, 2 * g, **hypers)
    return wrapper
"""


def test_a_decorator_that_changes_a_rule_is_refused(tmp_path: Path) -> None:
    """What it adds would be missing in the kernel; the error shows where it stands."""
    with pytest.raises(FormulaError, match="'f': a decorator has put another function") as caught:
        module(tmp_path, f"{DOUBLED}\n@adamas.rule\n@doubled\n{RULE}")
    assert f"{tmp_path}" in str(caught.value) and "Remove the decorator" in str(caught.value)
    bare = module(tmp_path, f"{DOUBLED}\n@doubled\n{RULE}").f
    with pytest.raises(FormulaError, match="a decorator has put another function"):
        Optimizer(bare, np.zeros(1))


def test_a_decorator_around_an_optimizer_of_a_rule_is_kept(tmp_path: Path) -> None:
    """Above `@adamas.rule` it wraps what makes optimizers; it is no rule, and nothing drops it."""
    text = f"{DOUBLED}\n@doubled\n@adamas.rule\n{RULE}"
    wrapped = module(tmp_path, text).f
    with pytest.raises(FormulaError, match="a decorator has put another function"):
        Optimizer(wrapped, np.zeros(1))


@pytest.mark.parametrize("stacked", ["@adamas.rule\n@adamas.rule", "@adamas.rule\n@(lambda f: f)"])
def test_a_decorator_that_changes_nothing_passes(tmp_path: Path, stacked: str) -> None:
    """`@adamas.rule` twice is the rule, and so is what a decorator returns as it came."""
    rule = module(tmp_path, f"{stacked}\n{RULE}").f
    assert isinstance(rule, adamas.Rule)
    assert adamas.rule(rule) is rule
    p = np.array([1.0])
    rule(p).step(np.array([1.0]))
    assert p == 0.5


class Box:
    """Functions that are no plain ones."""

    def method(p, g, m, *, lr=0.5):  # noqa: N805
        """A rule whose `p` a bound method would have filled in."""
        return p - lr * m, g

    def __call__(self, p: Any, g: Any) -> Any:
        """A rule in an object."""
        return p - g


OTHERS: dict[str, Callable[[Any], Any]] = {
    "partial": lambda f: functools.partial(f, lr=0.1),
    "cached": functools.lru_cache,
    "static": staticmethod,
    "bound method": lambda f: Box().method,
    "object": lambda f: Box(),
    "class": lambda f: Box,
    "wrapped": lambda f: functools.wraps(f)(lambda p, g, *, lr=0.5: p + lr * g),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_plain_function_is_refused(tmp_path: Path, other: str) -> None:
    """A text that somebody calls with other arguments, or not at all, is not what would run."""
    with pytest.raises(FormulaError):
        parse(OTHERS[other](function(tmp_path, RULE)))


def test_an_edited_file_is_refused(tmp_path: Path) -> None:
    """A text newer than the imported function is not what Python runs; the error says so."""
    f = function(tmp_path, RULE)
    path = Path(f.__code__.co_filename)
    assert parse(f).hypers == {"lr": 0.5}
    path.write_text(HEAD + RULE.replace("p - lr * g", "p + 2 * lr * g"), "utf-8")
    with pytest.raises(FormulaError, match=r"edited after it was imported[^$]*Import the file"):
        parse(f)
    path.write_text(HEAD + "\n" + RULE, "utf-8")
    os.utime(path, (0, 0))
    with pytest.raises(FormulaError):
        parse(f)
    path.write_text(HEAD + RULE.replace("    ", "    # a remark\n    "), "utf-8")
    assert parse(f).hypers == {"lr": 0.5}


def test_code_that_was_put_in_place_of_a_text_s_is_refused(tmp_path: Path) -> None:
    """So is a function whose code or constants were replaced."""
    f, other = (function(tmp_path, RULE.replace("lr * g", text)) for text in ("g", "2.0 * g"))
    f.__code__ = other.__code__.replace(
        co_filename=f.__code__.co_filename, co_firstlineno=f.__code__.co_firstlineno
    )
    with pytest.raises(FormulaError, match="not what Python runs"):
        parse(f)


def test_defaults_are_those_that_a_call_uses(tmp_path: Path) -> None:
    """Changed defaults are heard; a signature made up for display is not."""
    f = function(tmp_path, "def f(p, g, m=1.0, *, lr=0.5):\n    return p - lr * m, m + g")
    f.__signature__ = "shown to readers"
    f.__defaults__, f.__kwdefaults__ = (3.0,), {"lr": 0.25}
    formula = parse(f)
    assert (formula.initial, formula.hypers) == ({"m": 3.0}, {"lr": 0.25})


MINE = {
    "a number": "{word} = 2\n",
    "a class": "class {word}:\n    pass\n",
    "of cmath": "import cmath\n{word} = cmath.sqrt\n",
    "a partial": "import functools\n{word} = functools.partial(max, 1)\n",
}


def using(word: str) -> str:
    """A rule that calls `word`."""
    both = dict.fromkeys(("atan2", "maximum", "minimum"), "g, 1")
    given = {"where": "g > 0, g, 1", "clip": "g, 0, 1", **both}.get(word, "g")
    return f"def f(p, g, *, lr=0.5):\n    return p - lr * {word}({given})\n"


@pytest.mark.parametrize("mine", MINE)
@pytest.mark.parametrize("word", words.__all__)
def test_a_word_that_means_something_else_is_refused(tmp_path: Path, word: str, mine: str) -> None:
    """A kernel would call the word of adamas where Python calls the user's own function."""
    with pytest.raises(FormulaError, match=rf"'{word}' is another function here[^$]*import {word}"):
        parse(function(tmp_path, MINE[mine].format(word=word) + using(word)))


def test_a_word_under_another_name_is_what_it_does(tmp_path: Path) -> None:
    """Which word a call is follows from the function, not from its name; so do one's own."""
    for text, meaning in (
        ("sqrt = sign", "sign(g)"),
        ("def sqrt(x):\n    return x / 2", "g / 2"),
        ("from numpy import arctan2 as sqrt", "atan2(g, p)"),
    ):
        second = ", p" if "atan2" in meaning else ""
        rule = f"{text}\ndef f(p, g):\n    return p - sqrt(g{second})\n"
        formula = parse(function(tmp_path, rule))
        assert ast.unparse(formula.statements[-1]) == f"p_next = p - {meaning}"


def test_a_word_of_a_closure_is_looked_up_there(tmp_path: Path) -> None:
    """What a function around the rule binds counts, whenever it binds it."""
    inner = "    def f(p, g):\n        return p - sqrt(g)\n"
    for before, after, fine in (
        ("from numpy import sqrt", "", True),
        ("", "from math import sqrt", True),
        ("sqrt = 3.0", "", False),
        ("", "sqrt = 3.0", False),
    ):
        text = f"def make():\n    {before or 'pass'}\n{inner}    {after or 'pass'}\n    return f\n"
        f = function(tmp_path, text + "f = make()\n")
        if fine:
            assert parse(f)
        else:
            with pytest.raises(FormulaError, match="'sqrt' is another function"):
                parse(f)


@pytest.mark.parametrize("space", [np, math, torch])
def test_the_same_function_of_a_library_passes(tmp_path: Path, space: Any) -> None:
    """A rule may import its words from where it will be run in plain Python."""
    for word in words.__all__:
        if hasattr(space, word) and word not in ("normal", "uniform"):
            text = f"from {space.__name__} import {word}\n" + using(word)
            assert parse(function(tmp_path, text))
    assert parse(module(tmp_path, using("sqrt"), head="").f)


def test_the_error_survives_pickling(tmp_path: Path) -> None:
    """A rule refused in a worker process is refused with the same words in the parent."""
    with pytest.raises(FormulaError) as caught:
        parse(function(tmp_path, "def f(p, g):\n    return p - nothing"))
    copied = pickle.loads(pickle.dumps(caught.value))
    assert type(copied) is FormulaError and str(copied) == str(caught.value)
