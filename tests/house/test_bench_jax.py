"""The section on JAX: its sides run and are the optimizers that they are called after.

Nothing is timed for its time.
"""

import importlib
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from adamas.bench import timing
from adamas.bench.peers import gradients, jax_side
from places import ROOT


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import a module of the package `benchmarks`, which is not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setattr(timing, "PAUSE", 0.0)
    monkeypatch.setattr(timing, "MOST_STEPS", 2)
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def test_every_side_is_the_same_adamw(full: Callable[[str], ModuleType]) -> None:
    """All sides move as optax does, in few bits nearly so, and hold the bytes that they should."""
    jax_steps = full("jax_steps")
    grads = gradients([(8192,)])
    sides = {
        name: jax_side(transform, jax_steps.step_of(name), grads)
        for name, transform in jax_steps.transforms().items()
    }
    for _ in range(3):
        for side in sides.values():
            side.step()
    theirs = sides["optax"].result()
    assert not np.array_equal(theirs, np.ones_like(theirs))
    for name, tolerance in {"adamas.jax": 1e-5, "optax again": 0.0}.items():
        np.testing.assert_allclose(sides[name].result(), theirs, rtol=tolerance)
    for name in jax_steps.FEW:
        np.testing.assert_allclose(sides[name].result().mean(), theirs.mean(), rtol=1e-4)
    held = {name: side.held() // 8192 for name, side in sides.items()}
    assert held == {
        "adamas.jax": 8,
        "optax": 8,
        "optax again": 8,
        "adamas.jax bfloat16": 4,
        "adamas.jax int8": 2,
    }


def test_a_case_has_its_pairs_and_bytes(full: Callable[[str], ModuleType]) -> None:
    """What a case measures is what its figures are made of."""
    jax_steps = full("jax_steps")
    case, held = jax_steps.raced("tiny", [(4096,)], 2)
    assert [*case.ratios] == [f"{a} / {b}" for a, b in jax_steps.PAIRS]
    assert len(jax_steps.judged(case)) == 1 + len(jax_steps.PAIRS)
    assert set(held) == {"adamas.jax", "optax", *jax_steps.FEW}


@pytest.mark.parametrize(("control", "expected"), [(1.25, 1.2), (0.5, 1.5)])
def test_the_bar_counts_from_the_larger_of_one_and_the_control(
    control: float, expected: float, full: Callable[[str], ModuleType]
) -> None:
    """1.5 times as long as optax is 1.2 over a control of 1.25, and 1.5 over one below 1."""
    jax_steps = full("jax_steps")
    ratios = {f"{a} / {b}": [2.0] * 3 for a, b in jax_steps.PAIRS}
    ratios |= {"adamas.jax / optax": [1.25, 1.5, 1.75], "optax again / optax": [control] * 3}
    found = jax_steps.judged(full("race").Race("64 Mi", {}, ratios=ratios))[0]
    assert found.value == pytest.approx(expected)
    assert (found.low, found.high) == pytest.approx((expected / 1.2, expected / 1.5 * 1.75))
    assert full("bars").bar("jax", found.what).xeon == 1.05
