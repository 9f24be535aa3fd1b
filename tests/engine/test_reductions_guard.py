"""What is not finite in a gradient reaches, through a sum, nothing that is not its own tensor."""

from typing import Any

import numpy as np
import pytest

import adamas
import reduction_rules as own
from adamas import rules
from reduction_foreign import gradients, start
from reduction_steps import RULES, every_rule
from stepping import snapshot

SHAPES = [(300, 40), (257,), (6, 50), (4, 3, 3, 3)]
BAD = [np.nan, np.inf, -np.inf]


def made(rule: Any, mode: str, state: str = "float32") -> tuple[list[Any], adamas.Optimizer]:
    """Four tensors, one step old."""
    params = [start(shape, "float32") for shape in SHAPES]
    options: dict[str, Any] = {"on_nonfinite": mode, "state": state}
    optimizer = adamas.Optimizer(rule, {str(k): p for k, p in enumerate(params)}, **options)
    optimizer.step(step(0))
    return params, optimizer


def step(t: int, spoilt: int | None = None, at: int = 0, value: float = 0.0) -> dict[str, Any]:
    """The gradients of a step, one of them with a bad value."""
    found = {str(k): gradients(shape, "float32")[t].copy() for k, shape in enumerate(SHAPES)}
    if spoilt is not None:
        found[str(spoilt)].flat[at] = value
    return found


@pytest.mark.parametrize(
    ("rule", "state"), [*((rule, "float32") for rule in RULES.values()), (rules.lamb, "int8")]
)
@pytest.mark.parametrize(("value", "at"), list(zip(BAD, [0, -1, 100], strict=True)))
def test_a_guarded_tensor_stays_whole(rule: Any, state: str, value: float, at: int) -> None:
    """The tensor with a bad gradient keeps every bit, the others step, and the error names it."""
    for spoilt in range(len(SHAPES)):
        params, optimizer = made(rule, "guard", state)
        _, other = made(rule, "guard", state)
        before = snapshot(optimizer)
        with pytest.raises(adamas.NonFiniteError, match=f"'{spoilt}'") as raised:
            optimizer.step(step(1, spoilt, at, value))
        other.step(step(1))
        assert raised.value.left == params[spoilt].size
        found, expected = snapshot(optimizer), snapshot(other)
        for key in found:
            if key == "steps":
                continue
            source = before if key.partition(".")[0] == str(spoilt) else expected
            assert found[key] == source[key], key
        optimizer.step(step(2))
        assert all(np.isfinite(p).all() for p in params)


@every_rule
@pytest.mark.parametrize("mode", ["raise", "skip"])
@pytest.mark.parametrize("value", BAD)
def test_nothing_changes_where_all_are_read_first(rule: Any, mode: str, value: float) -> None:
    """With "raise" and "skip" one bad number in one tensor leaves all tensors as they were."""
    _, optimizer = made(rule, mode)
    before = snapshot(optimizer)
    if mode == "raise":
        with pytest.raises(adamas.NonFiniteError, match="'2'"):
            optimizer.step(step(1, 2, 7, value))
    else:
        assert not optimizer.step(step(1, 2, 7, value))
    assert snapshot(optimizer) == before


@every_rule
def test_an_allowed_nan_stays_in_its_tensor(rule: Any) -> None:
    """What is let through makes its own tensor NaN, and no bit of another."""
    params, optimizer = made(rule, "allow")
    clean, other = made(rule, "allow")
    optimizer.step(step(1, 0, 5, np.nan))
    other.step(step(1))
    assert np.isnan(params[0]).any()
    for p, q in zip(params[1:], clean[1:], strict=True):
        assert p.tobytes() == q.tobytes()


def test_a_sum_over_all_tensors_lets_none_move() -> None:
    """Where a rule sums over all tensors, a bad number in one leaves all of them as they were."""
    _, optimizer = made(own.clipped_momentum, "guard")
    before = snapshot(optimizer)
    with pytest.raises(adamas.NonFiniteError, match="'1'"):
        optimizer.step(step(1, 1, 3, np.nan))
    assert snapshot(optimizer) == before


@every_rule
def test_a_bad_gradient_at_the_first_step(rule: Any) -> None:
    """A tensor that never stepped stays as if it had never been seen, and begins at its first."""
    p = start((6, 50), "float32")
    q = p.copy()
    optimizer, other = adamas.Optimizer(rule, p), adamas.Optimizer(rule, q)
    grads = gradients((6, 50), "float32")
    bad = grads[0].copy()
    bad[3, 7] = np.nan
    with pytest.raises(adamas.NonFiniteError):
        optimizer.step(bad)
    assert p.tobytes() == q.tobytes()
    optimizer.step(grads[1])
    other.step(grads[1])
    assert p.tobytes() == q.tobytes()
