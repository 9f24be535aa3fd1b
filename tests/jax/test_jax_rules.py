"""Every rule as a gradient transformation, against the float64 run of the same text."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import adamas
import adamas.jax
from adamas import dialects, rules
from adamas.homes.optax import moments
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.rules import adafactor, cautious_adamw, lamb
from adamas.words import sign
from jax_stepping import run
from reduction_rules import cautious_lion

STEPS, SIZE, RATE = 100, 257, 1e-2


def signal(p: Any, g: Any, m: Any, n: Any = 1.0, *, t: Any, lr: Any = 1e-3, beta: Any = 0.9) -> Any:
    """A rule of a user's own, with a state of the tensor that depends on t alone."""
    m = beta * m + (1 - beta) * g
    n = n * beta
    p = p - lr * (m / (1 - n) + 0.1 * sign(m)) if t > 1 else p - lr * g
    return p, m, n


def steps(shape: tuple[int, ...], count: int = STEPS) -> tuple[Any, Any]:
    """A parameter and gradients, float32."""
    random = np.random.default_rng(0)
    p = random.normal(size=shape).astype(np.float32)
    return p, random.normal(size=(count, *shape)).astype(np.float32)


def exact(rule: Any, p: Any, gradients: Any, **hypers: float) -> Reference:
    """The float64 run."""
    found = Reference(parse(rule), p, **hypers)
    for g in gradients:
        found.step(g)
    return found


def norm_error(found: Any, right: Any) -> float:
    """The error relative to the norm of the whole parameter."""
    return float(np.linalg.norm(found - right) / np.linalg.norm(right))


@pytest.mark.parametrize("rule", [name for name in rules.__all__ if name != "prodigy"])
def test_every_rule_is_its_float64_run_to_float32_rounding(rule: str) -> None:
    """After 100 float32 steps the whole parameter is within 2e-6 of the exact one."""
    p, gradients = steps((SIZE,))
    found, _ = run(getattr(adamas.jax, rule)(RATE), jnp.asarray(p), gradients)
    assert found.dtype == jnp.float32
    assert norm_error(found, exact(getattr(rules, rule), p, gradients, lr=RATE).p) <= 2e-6


@pytest.mark.parametrize("rule", [rules.adam, rules.radam, rules.schedule_free_adamw, signal])
def test_numpy_and_jax_agree_in_every_element(rule: Any) -> None:
    """One rule in two homes: no element is off by more than 1e-5 after 100 float32 steps."""
    p, gradients = steps((SIZE,))
    mine = p.copy()
    optimizer = adamas.Optimizer(rule, mine, lr=RATE)
    for g in gradients:
        optimizer.step(g)
    found, _ = run(adamas.jax.transform(rule)(lr=RATE), jnp.asarray(p), gradients)
    assert np.max(np.abs(found - mine) / (np.abs(mine) + 1e-3)) <= 1e-5


@pytest.mark.parametrize("shape", [(6, 4, 2), (7,), ()])
@pytest.mark.parametrize("rule", [lamb, adafactor, cautious_adamw, cautious_lion])
def test_a_rule_that_sums_over_tensors_rows_and_columns(rule: Any, shape: tuple[int, ...]) -> None:
    """Reductions, and states of rows, columns and tensors, are those of the exact run."""
    p, gradients = steps(shape, 20)
    right = exact(rule, p, gradients)
    found, state = run(adamas.jax.transform(rule)(), jnp.asarray(p), gradients)
    assert norm_error(found, right.p) <= 2e-6
    optaxs = moments(parse(rule))
    for name, value in right.state.items():
        # In NumPy a number of the tensor has no dimensions, whatever the tensor has.
        assert np.allclose(getattr(state, optaxs.get(name, name)), value, rtol=2e-5, atol=1e-7), (
            name
        )


# Those that a converter's test has, and one that sums over all tensors.
LEFT = ("lr_inside", "prodigy")
ALONE = [name for name in dialects.__all__ if not any(one in name for one in LEFT)]


@pytest.mark.parametrize("rule", ALONE)
def test_every_dialect_is_a_transformation(rule: str) -> None:
    """`transform` takes what a home computes otherwise as it takes a rule."""
    p, gradients = steps((31,), 10)
    function = getattr(dialects, rule)
    found, _ = run(adamas.jax.transform(function)(), jnp.asarray(p), gradients)
    assert norm_error(found, exact(function, p, gradients).p) <= 2e-6


def test_a_rule_that_reads_a_second_array() -> None:
    """`h` is a tree beside the gradients, given by name to update."""

    def sophia(p: Any, g: Any, m: Any, *, h: Any, lr: Any = 0.1, beta: Any = 0.9) -> Any:
        m = beta * m + (1 - beta) * g
        return p - lr * m / (h + 1.0), m

    tx = adamas.jax.transform(sophia)()
    p, g, h = {"a": jnp.ones(2)}, {"a": jnp.full(2, 10.0)}, {"a": jnp.array([1.0, 3.0])}
    found, _ = run(tx, p, [g], h=h)
    assert np.allclose(found["a"], [1 - 0.1 / 2, 1 - 0.1 / 4])
    with pytest.raises(TypeError, match="h="):
        tx.update(g, tx.init(p), p)
    with pytest.raises(ValueError, match="second array"):
        tx.update(g, tx.init(p), p, h={"a": jnp.ones(3)})


def test_what_only_kernels_have_is_refused_by_name() -> None:
    """A rule that draws, or sums over all tensors, says so when it is made a transformation."""
    from adamas.words import norm, normal

    def noisy(p: Any, g: Any, *, lr: Any = 0.1) -> Any:
        return p - lr * (g + normal(g))

    def clipped(p: Any, g: Any, *, lr: Any = 0.1) -> Any:
        return p - lr * g / norm(g, over="all")

    for rule, reason in ((noisy, "random numbers"), (clipped, "all tensors")):
        with pytest.raises(ValueError, match=f"{rule.__name__} .*{reason}.*in JAX"):
            adamas.jax.transform(rule)
    with pytest.raises(adamas.FormulaError):
        adamas.jax.transform(lambda p, g: p)
    with pytest.raises(ValueError, match="prodigy sums over all tensors"):
        adamas.jax.prodigy()


def test_a_rule_is_one_factory() -> None:
    """A rule that `adamas.rule` made, and an equal request, give the same function."""
    ruled = adamas.rule(signal)
    assert adamas.jax.transform(ruled) is adamas.jax.transform(ruled)
    assert adamas.jax.transform(ruled).__name__ == "signal"
    p, gradients = steps((5,), 3)
    one, _ = run(adamas.jax.transform(ruled)(), jnp.asarray(p), gradients)
    other, _ = run(adamas.jax.transform(signal)(), jnp.asarray(p), gradients)
    assert jnp.array_equal(one, other) and isinstance(one, jax.Array)
