"""What a rule does in some steps only costs the other steps nothing."""

import itertools
from typing import Any

import numpy as np
import pytest

import adamas
import switching
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.show import kernel_source
from long_form import sampled

SHAPE = (30, 70)


def loops(rule: Any) -> list[str]:
    """The loops over the elements of a block, in the kernel's text."""
    text = kernel_source(parse(rule))
    body = text[text.index("def update") : text.index("def ask")]
    # What follows a loop is for blocks whose gradients are large.
    return [one.partition("if _held:")[0] for one in body.split("for _i in _range(_count):")[1:]]


def test_idle_steps_leave_the_state_alone() -> None:
    """Between its steps Lookahead's slow weights are neither read nor written."""
    busy, idle = loops(switching.lookahead)
    assert "_slow_at" in busy
    assert "_slow_at" not in idle
    assert "_store_float32(_v_at" in idle.replace("_m.store", "_store")


def test_a_condition_may_hold_in_the_idle_steps() -> None:
    """A state that waits while a condition holds is left alone then."""
    busy, idle = loops(switching.warmed)
    assert "_m_at" in busy
    assert "_m_at" not in idle


@pytest.mark.parametrize("rule", [switching.always, adamas.rules.radam, adamas.rules.nadam])
def test_a_choice_that_spares_nothing_stays_one(rule: Any) -> None:
    """Where every state moves in every step there is one loop."""
    assert len(loops(rule)) == 1


RULES = [switching.lookahead, switching.warmed, switching.always]
OPTIONS: list[dict[str, Any]] = [{}, {"ema": 0.9}, {"threads": 2}, {"zero_grads": True}]


@pytest.mark.parametrize(
    ("rule", "dtype", "options"),
    sampled(itertools.product(RULES, ["float32", "float64"], OPTIONS), 6),
)
def test_both_bodies_are_the_reference(rule: Any, dtype: str, options: dict[str, Any]) -> None:
    """Steps of both kinds are those of the float64 run of the text."""
    rng = np.random.default_rng(1)
    p = rng.normal(size=SHAPE).astype(dtype)
    reference, optimizer = Reference(parse(rule), p), adamas.Optimizer(rule, p, **options)
    for _ in range(11):
        g = rng.normal(size=SHAPE).astype(dtype)
        reference.step(g)
        optimizer.step(g)
    near = 1e-12 if dtype == "float64" else 2e-5
    assert np.abs(p - reference.p).max() < near
    for name, value in reference.state.items():
        assert np.abs(optimizer.state[0][name] - value).max() < near


@pytest.mark.parametrize("state", ["bfloat16", "int8"])
def test_few_bits_wait_without_a_change(state: str) -> None:
    """Codes of a state that waits are not rounded again: a mean of nothing new stays the same."""
    p = np.ones((64, 128), np.float32)
    optimizer = adamas.Optimizer(switching.warmed, p, state={"m": state}, quiet=0)
    g = np.random.default_rng(2).normal(size=p.shape).astype(np.float32)
    optimizer.step(g)
    before = optimizer.values(0)["m"].copy()
    optimizer.param_groups[0]["quiet"] = 10
    optimizer.step(g)
    assert np.array_equal(optimizer.values(0)["m"], before)


def test_rows_begin_at_their_own_first_step() -> None:
    """A row that is first named in an idle step of its tensor sets its slow weights up."""
    p = np.full((3, 2), 5.0)
    optimizer = adamas.Optimizer(switching.lookahead, p)
    optimizer.step(adamas.Rows([0], np.ones((1, 2))))
    optimizer.step(adamas.Rows([1], np.ones((1, 2))))
    assert np.array_equal(optimizer.state[0]["slow"], np.full((3, 2), 5.0))
