"""What is kept, computed and returned in which dtype."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamas.jax
from adamas.rules import adafactor, lamb
from jax_stepping import far, run


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_zero_gradient_is_a_step_of_zero(dtype: str) -> None:
    """Whatever the parameters are, 0 / 0 does not happen, where eps 1e-8 is 0 in a float16."""
    tx, p = adamas.jax.adam(1e-2), jnp.ones(4, dtype)
    zero = jnp.zeros(4, dtype)
    updates, state = jax.jit(tx.update)(zero, tx.init(p), p)
    assert jnp.array_equal(updates, zero) and updates.dtype == zero.dtype
    assert state.mu.dtype == state.nu.dtype == jnp.float32


def test_updates_have_the_wider_dtype_of_gradient_and_parameter() -> None:
    """Gradients may be of another dtype than parameters, and states keep their own."""
    with jax.enable_x64(True):
        params = [jnp.ones(3, name) for name in ("bfloat16", "float32", "float64", "complex64")]
        grads = [jnp.ones(3, name) for name in ("float32", "bfloat16", "float64", "float16")]
        tx = adamas.jax.nadam(1e-2)
        state = tx.init(params)
        updates, new = jax.jit(tx.update)(grads, state, params)
        right, _ = optax.adamw(1e-2).update(grads, optax.adamw(1e-2).init(params), params)
    assert [str(u.dtype) for u in updates] == ["float32", "float32", "float64", "complex64"]
    assert [u.dtype for u in updates] == [u.dtype for u in right]
    assert [str(m.dtype) for m in new.mu] == ["float32", "float32", "float64", "complex64"]
    assert jax.tree.map(lambda x: x.dtype, new) == jax.tree.map(lambda x: x.dtype, state)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrow_gradients_lose_nothing_of_the_parameter(dtype: str) -> None:
    """A step of 1e-8 is no zero, and decay is that of float32, where only gradients are narrow."""
    p, g = jnp.ones(3), jnp.array([0.5, 0.25, -2.0], dtype)
    tiny = adamas.jax.adam(1e-8)
    assert np.allclose(
        tiny.update(g, tiny.init(p), p)[0], -1e-8 * jnp.sign(g), rtol=2e-7, atol=1e-7
    )
    decays = adamas.jax.adamw(1e-3, weight_decay=0.0123)
    right = -1e-3 * (np.sign([0.5, 0.25, -2.0]) + 0.0123)
    assert np.allclose(decays.update(g, decays.init(p), p)[0], right, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["int32", "bool", "uint8"])
def test_whole_numbers_as_gradients_are_floats(dtype: str) -> None:
    """Gradients of whole numbers take the step of the same floats, with parameters and without."""
    p, g, tx = jnp.zeros(4), jnp.ones(4, dtype), adamas.jax.sgd(0.5)
    for updates in (tx.update(g, tx.init(p), p)[0], tx.update(g, tx.init(p))[0]):
        assert updates.dtype == jnp.float32 and np.array_equal(updates, np.full(4, -0.5))
    assert float(tx.update(1, tx.init(1.0), 1.0)[0]) == -0.5


def test_real_gradients_of_complex_numbers_and_the_reverse() -> None:
    """Decay reaches the imaginary part, and what has one is refused for a real parameter."""
    tx = adamas.jax.adamw(0.1, weight_decay=0.5)
    p = jnp.full(3, 1 + 1j, jnp.complex64)
    updates, _ = tx.update(jnp.ones(3), tx.init(p), p)
    assert np.allclose(updates, -0.15 - 0.05j)
    real = {"w": jnp.ones(3)}
    with pytest.raises(TypeError, match=r"gradient of 'w' is complex64, its parameter float32"):
        tx.update({"w": p}, tx.init(real), real)


def test_float64_leaves_have_float64_steps() -> None:
    """Beside a float32 leaf, a float64 one is stepped as by optax in float64."""
    with jax.enable_x64(True):
        wide, narrow = jnp.linspace(-1.0, 1.0, 9), jnp.linspace(-1.0, 1.0, 9).astype(jnp.float32)
        gs = [(jnp.sin(k * wide + k), jnp.sin(k * narrow + k)) for k in range(1, 6)]
        found, _ = run(adamas.jax.adam(1e-2), (wide, narrow), gs)
        right, _ = run(optax.adam(1e-2), wide, [g for g, _ in gs])
    assert far(found[0], right) < 1e-7 and found[0].dtype == jnp.float64
    assert far(found[1], right) < 1e-6 and found[1].dtype == jnp.float32


@pytest.mark.parametrize("rule", ["adamw", "adagrad", "schedule_free_adamw", "nadam"])
def test_a_complex_number_is_a_pair_of_real_ones(rule: str) -> None:
    """A complex leaf takes the steps that its real and imaginary parts take as arrays."""
    random = np.random.default_rng(4)
    parts, first, second = random.normal(size=(3, 2, 6)).astype(np.float32)
    tx = getattr(adamas.jax, rule)(1e-2)
    p, *gs = (jnp.asarray(one[0] + 1j * one[1]) for one in (parts, first, second))
    found, state = run(tx, p, gs)
    right, kept = run(tx, jnp.asarray(parts), [jnp.asarray(g) for g in (first, second)])
    assert found.dtype == jnp.complex64
    assert far((found.real, found.imag), (right[0], right[1])) < 1e-7
    assert far(state[1].real, kept[1][0]) < 1e-6


def test_a_norm_of_complex_numbers_is_over_all_their_parts() -> None:
    """LAMB's ratio of a complex vector is that of the real one twice as long."""
    parts = np.random.default_rng(4).normal(size=(3, 2, 6)).astype(np.float32)
    p, g, _ = (jnp.asarray(one[0] + 1j * one[1]) for one in parts)
    tx = adamas.jax.transform(lamb)(1e-2)
    found, _ = run(tx, p, [g])
    right, _ = run(tx, jnp.asarray(parts[0]).ravel(), [jnp.asarray(parts[1]).ravel()])
    assert far(jnp.concatenate((found.real, found.imag)), right) < 1e-7
    with pytest.raises(ValueError, match=r"parameter 'w' is complex64.*rows or columns"):
        adamas.jax.transform(adafactor)().init({"w": p})


def test_large_sums_are_not_float32() -> None:
    """A norm whose squares exceed float32 is finite, as in the kernels."""
    p = jnp.full(8, 1e25, jnp.float32)
    tx = adamas.jax.transform(lamb)(1e-3)
    updates, _ = jax.jit(tx.update)(jnp.ones(8), tx.init(p), p)
    # One step of LAMB is the trust ratio times lr: here as long as 1e-3 of the parameter.
    assert np.allclose(updates, -1e-3 * p, rtol=1e-4)


@pytest.mark.parametrize("state", ["float32", "int8"])
def test_a_program_that_forbids_promotion(state: str) -> None:
    """JAX's strictest settings, and its search for NaN, find nothing in a step."""
    p = {"a": jnp.ones((64, 70)), "b": jnp.ones(5, jnp.bfloat16)}
    tx = adamas.jax.radam(1e-2, state=state)
    with (
        jax.numpy_dtype_promotion("strict"),
        jax.numpy_rank_promotion("raise"),
        jax.debug_nans(True),
    ):
        updates, new = jax.jit(tx.update)(p, tx.init(p), p)
    assert updates["b"].dtype == jnp.bfloat16 and new.count == 1


def numbers(tree: Any) -> list[float]:
    """The leaves as Python's numbers."""
    return [float(leaf) for leaf in jax.tree.leaves(tree)]


def test_parameters_may_be_numpy_arrays_and_numbers() -> None:
    """What JAX takes as an array is one: NumPy's, also of float64, and floats."""
    params = {"a": np.ones(2), "b": 1.0}
    tx = adamas.jax.sgd(0.5)
    updates, _ = tx.update({"a": np.ones(2), "b": 2.0}, tx.init(params), params)
    assert updates["a"].dtype == jnp.float32 and numbers(updates["b"]) == [-1.0]
