"""Hoisting moves work out of the loop and changes no value beyond rounding."""

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from adamas import rules
from adamas.kernel.formula import Formula, parse
from adamas.kernel.hoist import hoist
from adamas.kernel.reference import Reference
from error_bounds import Analysis
from family import ELEMENTWISE
from formulas import rules as random_rules
from hoisted import Interpreter
from written import function

START = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.25, 1e-3, 3.0])
GRADIENTS = np.random.default_rng(0).normal(size=(3, START.size))
GRADIENTS[1, 3:5] = 0.0

many = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the files of all examples."""
    return tmp_path_factory.mktemp("rules")


def names_in(node: ast.AST) -> set[str]:
    """Every name that is read or called in `node`."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def check_parts(formula: Formula) -> None:
    """Check that the loop keeps only what needs elements, and the prologue nothing that does."""
    parts = hoist(formula)
    elements, once = {"p", "g", *formula.states}, {"t", *formula.hypers, *formula.scalars}
    words = {"abs", "atan2", "exp", "log", "maximum", "minimum", "sign", "sqrt", "where"}
    for statement in parts.prologue:
        assert names_in(statement.value) <= once | words
        (target,) = names_in(statement.targets[0])
        assert target not in once | elements, "a prologue's name has one value"
        once.add(target)
    for constant in (*parts.constants.values(), *parts.next_scalars.values()):
        assert names_in(constant) <= once | words
    assert not set(parts.constants) & elements
    known = elements | set(parts.constants)
    for statement in parts.body:
        assert names_in(statement.value) <= known | words
        known |= names_in(statement.targets[0])
        elements |= names_in(statement.targets[0])
        assert not names_in(statement.targets[0]) & set(parts.constants)
        for node in ast.walk(statement.value):
            assert not isinstance(node, ast.Constant), "a literal would promote float32 to float64"
            # A comparison of two constants may choose between elements.
            if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call):
                assert names_in(node) & elements, "this is the same for every element"
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                assert names_in(node.right) & elements, "this is a product with a reciprocal"
    assert set(parts.outputs) == {"p", *formula.states}
    assert set(parts.outputs.values()) <= elements


@pytest.mark.parametrize("rule", ELEMENTWISE)
def test_the_loops_of_the_family_hold_nothing_that_is_the_same_for_all(rule: str) -> None:
    """No literal, no hyper-parameter arithmetic and no division by a constant is left in a loop."""
    check_parts(parse(getattr(rules, rule)))


@many
@given(text=random_rules())
def test_any_loop_holds_nothing_that_is_the_same_for_all(folder: Path, text: str) -> None:
    """The same holds for whatever else can be written, reassigned names included."""
    check_parts(parse(function(folder, text)))


@many
@given(text=random_rules())
def test_hoisting_keeps_every_value(folder: Path, text: str) -> None:
    """Prologue and body together give what the rule gives as written, within rounding."""
    formula = parse(function(folder, text))
    reference = Reference(formula, START)
    hoisted = Interpreter(formula, START, "float64")
    analysis = Analysis(formula, START, "float64")
    for g in GRADIENTS:
        for run in (reference, hoisted, analysis):
            run.step(g)
        for name in ("p", *formula.states, *formula.scalars):
            expected = reference.p if name == "p" else reference.state[name]
            found = hoisted.p if name == "p" else hoisted.state[name]
            assert (np.abs(found - expected) <= analysis.bound(name)).all(), name
        # From here on each run would carry its own rounding into comparisons.
        hoisted.p, hoisted.state = reference.p, dict(reference.state)
        analysis = Analysis(formula, reference.p, "float64")
        analysis.t = reference.t
        for name in (*formula.states, *formula.scalars):
            analysis.state[name] = analysis.single(reference.state[name])


EXACT = {
    "an integer factor": ("2 * g", "2.0 * g"),
    "an integer power": ("g ** 3", "g * g * g"),
    "a square of a sum": ("(g + p) ** 2", "(g + p) * (g + p)"),
    "a root": ("abs(g) ** 0.5", "sqrt(abs(g))"),
    "a negative integer power": ("g * 10 ** -2", "0.01 * g"),
    "an integer quotient": ("g * (1 / 4)", "0.25 * g"),
    "a reciprocal of a number": ("g / 8", "0.125 * g"),
    "a power of t": ("g * 2 ** t", "g * 2.0 ** t"),
    "a comparison as a factor": ("(g > 0) * g", "where(g > 0, g, 0 * g)"),
    "a number as a condition": ("p if g else -p", "where(g != 0, p, -p)"),
    "a choice by a hyper-parameter": ("p if lr else g", "p"),
    "a choice inside an argument": ("abs(p if t > 1 else g)", "where(t > 1, abs(p), abs(g))"),
}


@pytest.mark.parametrize(("text", "same"), EXACT.values(), ids=EXACT)
def test_two_ways_to_write_it(folder: Path, text: str, same: str) -> None:
    """Integers, powers and choices become the cheap operations that they stand for, exactly."""
    found = []
    for expression in (text, same):
        line = f"def f(p, g, m, *, t, lr=0.3):\n    return p, {expression}"
        formula = parse(function(folder, line))
        assert "**" not in "".join(map(ast.unparse, hoist(formula).body)), "a call for each element"
        run = Interpreter(formula, START.astype("float32"), "float32")
        for g in GRADIENTS:
            run.step(g.astype("float32"))
        found.append(run.state["m"])
    np.testing.assert_array_equal(*found)


def test_bias_correction_keeps_its_digits_in_float32() -> None:
    """`1 - beta2**t` is taken in float64: at the first step float32 would be off by 1e-5.

    In float32, 1 - 0.999 = 0.00099998713, whose relative error is 1.3e-5.
    """
    run = Interpreter(parse(rules.adam), np.zeros(1, "float32"), "float32", lr=1.0, eps=0.0)
    run.step(np.array([0.1], "float32"))
    # Adam's first step has the length lr, whatever the gradient.
    assert abs(run.p[0] + 1) < 4 * 2.0**-24


def test_powers_of_powers_do_not_grow(folder: Path) -> None:
    """Four to the power of eight products are asked for, 24 are written: one for each sign."""
    text = "g" + " ** 4)" * 8
    line = f"def f(p, g, *, lr=0.3):\n    return p - lr * {'(' * 8}{text}"
    formula = parse(function(folder, line))
    body = "".join(map(ast.unparse, hoist(formula).body))
    assert body.count("*") == 25
    run = Interpreter(formula, np.ones(1), "float64")
    run.step(np.array([1.00001]))
    assert run.p[0] == pytest.approx(1 - 0.3 * 1.00001**65536, rel=1e-9)
