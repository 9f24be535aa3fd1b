"""JAX's own transformations of a step: jit, vmap, grad, scan, cond, donation, sharding."""

import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamas.jax
from adamas.rules import lamb
from jax_stepping import far, gradients, run, same, tree


def step(tx: Any, params: Any, state: Any, g: Any) -> Any:
    """One step, not jitted."""
    updates, state = tx.update(g, state, params)
    return optax.apply_updates(params, updates), state


@pytest.mark.parametrize("rule", ["nadam", "adan"])
def test_eager_steps_and_scan_are_the_jitted_steps(rule: str) -> None:
    """The same numbers without jit, and as the body of a scan."""
    tx, params = getattr(adamas.jax, rule)(1e-2), tree()
    gs = gradients(params, 3)
    right, state = run(tx, params, gs)
    p, s = params, tx.init(params)
    for g in gs:
        p, s = step(tx, p, s, g)
    assert far(p, right) < 1e-6 and far(s, state) < 1e-5
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *gs)
    (p, s), _ = jax.lax.scan(
        lambda both, g: (step(tx, *both, g), None), (params, tx.init(params)), stacked
    )
    assert far(p, right) < 1e-6 and far(s, state) < 1e-5


def test_one_program_for_all_steps() -> None:
    """The second step and another learning rate compile nothing."""
    params, traces = tree(), []

    @jax.jit
    def one(params: Any, state: Any, g: Any, lr: Any) -> Any:
        traces.append(lr)
        return step(adamas.jax.nadam(lr), params, state, g)

    state = adamas.jax.nadam(1.0).init(params)
    for lr in (1e-2, 2e-2, 3e-2):
        params, state = one(params, state, params, lr)
    assert len(traces) == 1 and state.count == 3


def test_donated_buffers_are_used() -> None:
    """Parameters and state are stepped in their own memory, and init gives none of it twice."""
    tx, params = adamas.jax.amsgrad(1e-2), tree()
    state = tx.init(params)
    before = jax.tree.leaves((params, state))
    places = [leaf.unsafe_buffer_pointer() for leaf in before]
    assert len(set(places)) == len(places)
    (g,) = gradients(params, 1)
    donated = jax.jit(lambda p, s, g: step(tx, p, s, g), donate_argnums=(0, 1))
    compiled = donated.lower(params, state, g).compile()
    kept = sum(leaf.nbytes for leaf in before)
    assert compiled.memory_analysis().alias_size_in_bytes == kept
    donated(params, state, g)
    assert all(leaf.is_deleted() for leaf in before)


def test_many_learning_rates_at_once() -> None:
    """`vmap` over parameters, state and learning rate gives each one its own steps."""
    p, g = jnp.arange(1.0, 7.0).reshape(2, 3), jnp.ones((2, 3))
    rates = jnp.array([1e-2, 1e-1])

    def one(lr: Any, p: Any, g: Any) -> Any:
        tx = adamas.jax.adamw(lr)
        state = tx.init(p)
        for _ in range(2):
            p, state = step(tx, p, state, g)
        return p, state

    found, state = jax.jit(jax.vmap(one))(rates, p, g)
    for k in range(2):
        right, kept = jax.jit(one)(rates[k], p[k], g[k])
        assert far(found[k], right) < 1e-6
        assert far(jax.tree.map(lambda leaf, n=k: leaf[n], state), kept) < 1e-6


def test_gradients_through_steps() -> None:
    """Derivatives of a loss after two steps, by start and by rate, are what differences say."""

    @jax.jit
    def after(p: Any, lr: Any) -> Any:
        tx = adamas.jax.adam(lr, eps=1e-2)
        state = tx.init(p)
        for _ in range(2):
            p, state = step(tx, p, state, jnp.sin(p) + p)
        return jnp.sum(p**2)

    with jax.enable_x64(True):
        p, lr, h = jnp.array([0.5, -1.0, 2.0]), jnp.asarray(0.1), 1e-6
        by_p, by_lr = jax.grad(after, (0, 1))(p, lr)
        assert np.isclose(by_lr, (after(p, lr + h) - after(p, lr - h)) / (2 * h), rtol=1e-6)
        up, down = (after(p.at[0].add(e), lr) for e in (h, -h))
        assert np.isclose(by_p[0], (up - down) / (2 * h), rtol=1e-6)
    single = jax.grad(after, 1)(p.astype(jnp.float32), jnp.float32(0.1))
    assert np.isclose(single, by_lr, rtol=1e-3)


DIFFERENTIATED = {
    "adamw": {"learning_rate": 0.01, "b1": 0.9, "b2": 0.99, "eps": 1e-3, "weight_decay": 0.1},
    "radam": {"b2": 0.9},  # Its fifth step is not adapted, its sixth is.
    "schedule_free_adamw": {"learning_rate": 0.1},
    "lamb": {"lr": 0.01, "eps": 1e-3},
}


@pytest.mark.parametrize("rule", DIFFERENTIATED)
def test_gradients_by_every_number_inside_scan(rule: str) -> None:
    """Through a scan of float32, derivatives are those of a plain loop in float64."""
    factory = adamas.jax.transform(lamb) if rule == "lamb" else getattr(adamas.jax, rule)
    start = np.linspace(0.5, 2.0, 6).reshape(2, 3)

    def after(numbers: Any, scanned: bool, dtype: Any) -> Any:
        tx = factory(**numbers)
        p = jnp.asarray(start, dtype)
        carry = p, tx.init(p)._replace(count=jnp.int32(4))
        if scanned:
            carry, _ = jax.lax.scan(lambda c, _: (step(tx, *c, jnp.sin(3 * c[0])), None), carry,
                                    length=2)  # fmt: skip
        else:
            for _ in range(2):
                carry = step(tx, *carry, jnp.sin(3 * carry[0]))
        return jnp.sum(carry[0] ** 2)

    with jax.enable_x64(True):
        numbers = {k: jnp.asarray(v) for k, v in DIFFERENTIATED[rule].items()}
        right = jax.jit(jax.grad(after), static_argnums=(1, 2))(numbers, False, jnp.float64)
    numbers = {k: jnp.float32(v) for k, v in DIFFERENTIATED[rule].items()}
    found = jax.grad(after)(numbers, True, jnp.float32)
    for name, value in right.items():
        assert float(found[name]) == pytest.approx(float(value), rel=2e-3, abs=1e-5), name


def test_a_step_in_a_branch() -> None:
    """lax.cond takes a step or leaves everything as it is: both sides have the same types."""
    tx, params = adamas.jax.nadam(1e-2), tree(jnp.float16)
    state = tx.init(params)
    (g,) = gradients(params, 1)

    @jax.jit
    def maybe(yes: Any) -> Any:
        return jax.lax.cond(yes, lambda: tx.update(g, state, params), lambda: (g, state))

    assert maybe(True)[1].count == 1 and same(maybe(False), (g, state))


SHARDED = """
import jax, jax.numpy as jnp, numpy as np, optax
import adamas, adamas.jax
from adamas.words import norm, rms

def scaled(p, g, m, r, *, lr=0.1):
    m = 0.9 * m + g / (norm(g) + 1.0)
    r = 0.5 * r + rms(g, over="row")
    return p - lr * m / (1.0 + r), m, r

mesh = jax.make_mesh((4,), ("x",), axis_types=(jax.sharding.AxisType.Auto,))
whole = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
cut = jax.sharding.NamedSharding(mesh, jax.P("x", None))
for tx in (adamas.jax.adamw(1e-2), adamas.jax.nadam(1e-2), adamas.jax.transform(scaled)()):
    found = []
    for p in (jnp.asarray(whole), jax.device_put(whole, cut)):
        state = jax.jit(tx.init)(p)
        for _ in range(3):
            u, state = jax.jit(tx.update)(jnp.sin(p), state, p)
            p = optax.apply_updates(p, u)
        found.append(p)
    assert found[1].sharding.is_equivalent_to(cut, 2), found[1].sharding
    for name in state._fields:
        leaf = getattr(state, name)
        if leaf.shape == p.shape:
            assert leaf.sharding.is_equivalent_to(cut, 2), (name, leaf.sharding)
    assert np.allclose(*found, rtol=1e-6, atol=1e-7)
"""


def test_sharded_parameters_stay_where_they_are() -> None:
    """On four devices the numbers are those of one, and states lie as their parameters do."""
    flags = "import os; os.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=4'\n"
    # A rule is read from its file.
    code = f"{flags}import linecache\ntext = {SHARDED!r}\n" + (
        "linecache.cache['<rules>'] = (len(text), None, text.splitlines(True), '<rules>')\n"
        "exec(compile(text, '<rules>', 'exec'))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
