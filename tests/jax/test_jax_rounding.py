"""Parameters of bfloat16, rounded at random: where they arrive, and what derivatives they have."""

from typing import Any

import equinox
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
import adamas.jax
from adamas.jax.coded import added
from adamas.jax.keeping import Place
from few_bits import coarse


@pytest.mark.parametrize("apply", [optax.apply_updates, equinox.apply_updates])
@pytest.mark.parametrize(("rate", "end"), [(1e-2, 0.5), (1e-3, 0.95)])
def test_bfloat16_parameters_arrive_where_they_should(rate: float, end: float, apply: Any) -> None:
    """50 steps from 1 end at their sum on average; steps of 1e-3 do not move optax's (#1444)."""
    found = []
    for tx in (adamas.jax.sgd(rate), optax.sgd(rate)):
        p = jnp.ones(10_000, jnp.bfloat16)
        kept, step = tx.init(p), jax.jit(tx.update)
        for _ in range(50):
            u, kept = step(jnp.ones_like(p), kept, p)
            assert u.dtype == jnp.bfloat16
            p = apply(p, u)
        found.append(float(p.astype(jnp.float32).mean()))
    # A rounding is off by less than 2**-8; 50 by 7 times that, the mean of 10,000 by a 100th.
    assert found[0] == pytest.approx(end, abs=2e-3)
    assert abs(found[1] - end) > 0.04


def test_bfloat16_parameters_that_change_their_sign_are_right_on_average() -> None:
    """Steps of 4 times p there and back, whose differences are no bfloat16, add no bias."""
    p, tx = jnp.full(20_000, 1e-4, jnp.bfloat16), adamas.jax.sgd(1e-3)
    kept, step = tx.init(p), jax.jit(tx.update)
    for k in range(60):
        u, kept = step(jnp.full_like(p, 0.37 * (-1) ** k), kept, p)
        assert u.dtype == jnp.bfloat16
        p = optax.apply_updates(p, u)
    # A rounding is off by at most 2**-19; 120 by 11 times that, the mean of 20,000 by a 141st.
    assert float(p.astype(jnp.float32).mean()) == pytest.approx(1.0014e-4, abs=4e-7)


@settings(max_examples=25)
@given(p=st.floats(-2, 2, width=32), ratio=st.floats(-40, 40, width=32), seed=st.integers(0, 99))
def test_what_is_added_has_the_mean_of_its_target(p: float, ratio: float, seed: int) -> None:
    """Whatever two bfloat16 are, the sums rounded to nearest lie around the second one."""
    base, target = (np.full(4096, x).astype(ml_dtypes.bfloat16) for x in (p, p * ratio))
    wide = [jnp.asarray(x, jnp.float32) for x in (target, base)]
    u = np.asarray(added(*wide, Place(seed, 0, 0, 1), False))
    assert np.array_equal(u, u.astype(ml_dtypes.bfloat16).astype(np.float32))
    sums = np.asarray(optax.apply_updates(jnp.asarray(base), jnp.asarray(u))).astype(np.float64)
    # p + u is exact but for the rounding of u to float32, and of the sum to bfloat16.
    right, tiny, gap = float(target[0]), 2**-23 * abs(p), 2**-7 * (abs(p) + abs(p * ratio))
    assert sums.min() - tiny <= right <= sums.max() + tiny
    assert abs(sums.mean() - right) <= tiny + 5 * gap / 2 / np.sqrt(4096)


def test_rounding_has_the_derivative_of_what_it_rounds() -> None:
    """By the rate of a bfloat16 parameter, by beta through bfloat16 states; int8 is refused."""
    p = jnp.ones(4, jnp.bfloat16)

    def stepped(lr: Any, rate: Any) -> Any:
        tx = adamas.jax.sgd(lr)
        u, _ = tx.update(jnp.full_like(p, rate), tx.init(p), p)
        return jnp.sum(optax.apply_updates(p, u).astype(jnp.float32))

    for rate in (1.0, 37.0):
        assert float(jax.grad(stepped)(0.125, rate)) == -4 * rate

    def after(beta: Any, state: str) -> Any:
        tx, q, g = adamas.jax.momentum(0.5, beta, state={"m": state}), jnp.zeros(4), jnp.ones(4)
        kept = tx.init(q)
        for _ in range(2):
            u, kept = tx.update(g, kept, q)
            q = q + u
        return jnp.sum(q)

    # The second step is lr (beta g + g), four times.
    for state in ("float32", "bfloat16"):
        assert float(jax.grad(after)(0.75, state)) == -4 * 0.5
    with pytest.raises(TypeError, match=r"state of int8 has no derivative.*'bfloat16'"):
        jax.grad(after)(0.75, "int8")


def test_bfloat16_parameters_are_numpys() -> None:
    """With float32 gradients the parameter has the bits of NumPy's after each step."""
    rng = np.random.default_rng(0)
    p = rng.normal(size=(50, 100)).astype(ml_dtypes.bfloat16)
    ours = jnp.asarray(p)
    numpy = adamas.Optimizer(adamas.rules.sgd, p, lr=2**-7, seed=5)
    tx = adamas.jax.sgd(2**-7, seed=5)
    kept, step = tx.init(ours), jax.jit(tx.update)
    for _ in range(20):
        g = coarse(rng, p.shape)
        numpy.step(g)
        u, kept = step(jnp.asarray(g), kept, ours)
        ours = optax.apply_updates(ours, u)
        np.testing.assert_array_equal(np.asarray(ours).view(np.uint16), p.view(np.uint16))


@given(data=st.integers(0, 2**32 - 1), scale=st.floats(-3, 0))
def test_an_update_of_bfloat16_leaves_nothing_to_round(data: int, scale: float) -> None:
    """Where a step is at most half of p, p + u is one of the two bfloat16 beside the new p."""
    rng = np.random.default_rng(data)
    p = jnp.asarray(rng.normal(size=1000).astype(ml_dtypes.bfloat16))
    g = jnp.asarray(rng.uniform(-0.49, 0.49, 1000) * 10**scale * np.asarray(p, np.float32))
    g = g.astype(jnp.bfloat16)
    tx = adamas.jax.sgd(1.0, seed=data)
    moved = optax.apply_updates(p, tx.update(g, tx.init(p), p)[0])
    exact = np.asarray(p, np.float64) - np.asarray(g, np.float64)
    bits = exact.astype(np.float32).view(np.int32)
    toward, away = ((b & -65536).view(np.float32).astype(np.float64) for b in (bits, bits + 0xFFFF))
    found = np.asarray(moved, np.float64)
    assert np.all((found == toward) | (found == away))
