"""A rule made of another computes what the paper of the option says."""

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adamas
from adamas import rules
from adamas.kernel.formula import FormulaError, parse
from adamas.kernel.reference import Reference
from adamas.kernel.variants import decoupled, with_average
from written import function

SHARE = st.floats(0, 1, allow_subnormal=False)


def test_adam_decoupled_is_adamw() -> None:
    """The change that makes AdamW of Adam is the one between the two rules of those names."""
    made, known = decoupled(parse(rules.adam)), parse(rules.adamw)
    assert [*map(ast.unparse, made.statements)] == [*map(ast.unparse, known.statements)]
    assert made.key == known.key


@given(st.floats(-5, 5), st.lists(st.floats(-5, 5), min_size=1, max_size=5), SHARE, SHARE)
def test_decay_multiplies_the_parameter_before_the_step(
    start: float, gradients: list[float], lr: float, weight_decay: float
) -> None:
    """Momentum with decoupled decay is SGDW (Loshchilov & Hutter 2019, Algorithm 1, line 9)."""
    reference = Reference(decoupled(parse(rules.momentum)), start, lr=lr, weight_decay=weight_decay)
    theta, m = start, 0.0
    for g in gradients:
        reference.step(g)
        m = 0.9 * m + g
        theta = theta - lr * m - lr * weight_decay * theta
        np.testing.assert_allclose(reference.p, theta, rtol=1e-9, atol=1e-12)


def test_without_decay_the_two_are_one() -> None:
    """With weight_decay=0 every rule steps as the rule that it was made of."""
    gradients = np.random.default_rng(0).normal(size=(5, 3))
    made = 0
    for name in rules.__all__:
        formula = parse(getattr(rules, name))
        if "g = g + weight_decay * p" not in map(ast.unparse, formula.statements):
            continue
        one = Reference(formula, [1.0, -2.0, 0.5], weight_decay=0)
        other = Reference(decoupled(formula), [1.0, -2.0, 0.5], weight_decay=0)
        for g in gradients:
            one.step(g)
            other.step(g)
        np.testing.assert_array_equal(one.p, other.p)
        made += 1
    assert made == 13


@pytest.mark.parametrize("line", ["g = g + p * weight_decay", "g = weight_decay * p + g"])
def test_the_penalty_may_be_written_either_way_round(tmp_path: Path, line: str) -> None:
    """A user's rule may write sum and product in another order."""
    text = f"def f(p, g, *, lr=0.5, weight_decay=0.1):\n    {line}\n    return p - lr * g"
    reference = Reference(decoupled(parse(function(tmp_path, text))), [2.0])
    reference.step([1.0])
    assert reference.p == [(1 - 0.5 * 0.1) * 2 - 0.5]


REFUSED = {
    "no line of it": "    return p - lr * g * (1 + weight_decay)",
    "assigns 'p' before": "    p = p - g\n    g = g + weight_decay * p\n    return p - lr * g",
    "assigns 'g' before": "    g = 2 * g\n    g = g + weight_decay * p\n    return p - lr * g",
    "more than one line": "    g = g + weight_decay * p\n    return p - lr * g - weight_decay * g",
}


@pytest.mark.parametrize(("reason", "body"), REFUSED.items(), ids=REFUSED)
def test_decay_that_is_no_penalty_is_refused(tmp_path: Path, reason: str, body: str) -> None:
    """Where it is not clear what the decay would become, the error says what was looked for."""
    rule = function(tmp_path, f"def f(p, g, *, lr=0.1, weight_decay=0.0):\n{body}")
    with pytest.raises(FormulaError, match=f"'f': its decay cannot be decoupled: .*{reason}"):
        decoupled(parse(rule))


@pytest.mark.parametrize("name", ["adamw", "lion", "adan", "schedule_free_adamw"])
def test_a_rule_whose_decay_is_decoupled_is_refused(name: str) -> None:
    """Decay is not decoupled twice."""
    with pytest.raises(FormulaError, match=f"(?s)rule '{name}'.*as its first line"):
        decoupled(parse(getattr(rules, name)))


def test_a_rule_without_lr_is_refused(tmp_path: Path) -> None:
    """The decay of a step is a share of its learning rate, so there has to be one."""
    text = "def f(p, g, *, weight_decay=0.0):\n    g = g + weight_decay * p\n    return p - g"
    with pytest.raises(FormulaError, match="no hyper-parameter 'lr'"):
        decoupled(parse(function(tmp_path, text)))


def test_the_average_survives_any_name_in_the_rule(tmp_path: Path) -> None:
    """`ema` follows p whatever the rule calls `average`, `ema` or `t` for itself.

    Polyak's average with decay d: p at the first step, then d * average + (1 - d) * p.
    """
    text = """
    def f(p, g, m, *, lr=0.1):
        average = 0.5 * g
        t = 2 * average
        ema = t + m
        kept = ema
        return p - lr * kept, t
    """
    formula = with_average(parse(function(tmp_path, text)))
    reference = Reference(formula, [1.0, 2.0], ema=0.75)
    average = None
    for g in ([1.0, -1.0], [0.5, 0.25], [2.0, 4.0]):
        reference.step(g)
        average = reference.p if average is None else 0.75 * average + 0.25 * reference.p
        np.testing.assert_allclose(reference.state["average"], average, rtol=1e-15)


def test_a_rule_with_an_average_of_its_own_gets_no_second_one(tmp_path: Path) -> None:
    """A state called `average` would be overwritten by `ema`, so the two are refused together."""
    f = function(tmp_path, "def f(p, g, average, *, lr=0.1):\n    return p - g, average + g")
    with pytest.raises(ValueError, match="f has a state 'average' of its own: rename it"):
        adamas.rule(f)(np.zeros(1), ema=0.9)
