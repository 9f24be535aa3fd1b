"""Every rule as a gradient transformation, against the float64 run of the same text."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamas.jax
from adamas import rules
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference

STEPS, SIZE, RATE = 100, 257, 1e-2


def run(tx: Any, p: Any, gradients: Any) -> Any:
    """The parameters after one jitted step for each gradient."""

    @jax.jit
    def step(p: Any, state: Any, g: Any) -> Any:
        updates, state = tx.update(g, state, p)
        return optax.apply_updates(p, updates), state

    state = tx.init(p)
    for g in gradients:
        p, state = step(p, state, g)
    return p


@pytest.mark.parametrize("rule", rules.__all__)
def test_every_rule_is_its_float64_run_to_float32_rounding(rule: str) -> None:
    """After 100 float32 steps the whole parameter is within 2e-6 of the exact one."""
    random = np.random.default_rng(0)
    p = random.normal(size=SIZE).astype(np.float32)
    gradients = random.normal(size=(STEPS, SIZE)).astype(np.float32)
    exact = Reference(parse(getattr(rules, rule)), p, lr=RATE)
    for g in gradients:
        exact.step(g)
    found = run(getattr(adamas.jax, rule)(RATE), jnp.asarray(p), gradients)
    assert found.dtype == jnp.float32
    assert np.linalg.norm(found - exact.p) <= 2e-6 * np.linalg.norm(exact.p)
