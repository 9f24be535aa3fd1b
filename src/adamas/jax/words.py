"""The words of a formula as JAX has them, and numbers of 64 bits inside a trace of 32.

`1 - 0.999**t` in float32 is off by 1e-5 in the first steps (after 100 steps optax.adam is 2e-4 off
in its farthest number, and this 8e-6: docs/homes.md), so what depends on hyper-parameters and t
alone is computed in a scope of float64, whatever `jax_enable_x64` says; so are sums over tensors.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adamas.kernel.bound import ELEMENTWISE as WORDS
from adamas.kernel.totals import axes, kept, reduced
from adamas.newton_schulz import iterated
from adamas.schedule import Schedule, warmup

ELEMENTWISE = {name: getattr(jnp, {"atan2": "arctan2"}.get(name, name)) for name in WORDS}

# The powers of ten that are exact in float64.
TENS = [float(f"1e{k}") for k in range(23)]


def _wide(x: jax.Array) -> jax.Array:
    return x.astype(jnp.float64)


def _total(x: jax.Array, over: str) -> jax.Array:
    return jnp.sum(_wide(x), axes(x.ndim, over), keepdims=kept(over))


REDUCED = reduced(_total, _wide, jnp.sqrt)


def orthogonalize(x: jax.Array, coefficients: str) -> jax.Array:
    """The matrix of at least two dimensions, divided by its norm already, after the steps."""
    # Accelerators would round the factors to fewer bits.
    with jax.default_matmul_precision("highest"):
        made: jax.Array = iterated(x.reshape(len(x), math.prod(x.shape[1:])), coefficients)
    return made.reshape(x.shape)


def narrow(value: jax.Array, like: jax.Array) -> jax.Array:
    """`value` in the dtype of `like`."""
    return value.astype(like.dtype)


def exact(value: Any) -> jax.Array:
    """A number as float64; to be called in a scope of `jax.enable_x64(True)`.

    What stands in a float32 is read as the decimal of six digits that rounds to it, where there is
    one: `inject_hyperparams` makes 0.99900001287 of 0.999, of which 1 - 0.999 is off by 1.3e-5.
    """
    found = jnp.asarray(value)
    if found.dtype != jnp.float32:
        return found.astype(jnp.float64)
    known = jax.lax.stop_gradient(found)
    near: jax.Array = _decimal(known)
    # Its derivative is that of the number.
    return found.astype(jnp.float64) + (near - known.astype(jnp.float64))


@partial(jax.jit, inline=True)
def _decimal(found: jax.Array) -> jax.Array:
    wide = found.astype(jnp.float64)
    size = jnp.maximum(jnp.abs(wide), 1e-300)
    shift = jnp.clip(5 - jnp.floor(jnp.log10(size)), 0, len(TENS) - 1).astype(jnp.int32)
    scale = jnp.asarray(TENS)[shift]
    near = jnp.round(wide * scale) / scale
    return jnp.where(near.astype(jnp.float32) == found, near, wide)


def differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function of numbers, or of arrays element by element, with derivatives of float64.

    JAX applies a rule of differentiation when it is asked for one, which inside `lax.scan` is after
    the scope of float64 was left: the rule of a power then mixes float32 in. Here derivatives are
    computed in the scope, forwards, so that the side of a choice that is not taken adds nothing.
    """

    @jax.custom_jvp
    def made(*values: Any) -> Any:
        with jax.enable_x64(True):
            return function(*values)

    def rule(primals: Any, tangents: Any) -> Any:
        with jax.enable_x64(True):
            found = made(*primals)
            total = jax.tree.map(jnp.zeros_like, found)
            for k, tangent in enumerate(tangents):
                if not isinstance(tangent, jax.custom_derivatives.SymbolicZero):
                    slope = _slope(function, primals, k)
                    total = jax.tree.map(partial(_plus, tangent), total, slope)
            return found, total

    made.defjvp(rule, symbolic_zeros=True)
    return made


def _slope(function: Callable[..., Any], values: Any, k: int) -> Any:
    def along(x: Any) -> Any:
        return function(*values[:k], x, *values[k + 1 :])

    return jax.jvp(along, (values[k],), (jnp.ones_like(values[k]),))[1]


def _plus(tangent: jax.Array, total: jax.Array, slope: jax.Array) -> jax.Array:
    # Such as 0 times the infinite slope of a root at 0, on the side of a choice not taken.
    slope = jnp.where(jnp.isnan(slope), 0.0, slope)
    return total + slope * tangent.astype(slope.dtype)


def traced(schedule: Schedule) -> Callable[[Any], jax.Array]:
    """A schedule of adamas as a function of the count, 0 at the first step, in float64."""
    over = schedule.over(ELEMENTWISE, np.float64)

    def value(count: Any) -> jax.Array:
        with jax.enable_x64(True):
            found = jnp.asarray(over(jnp.asarray(count).astype(jnp.float64) + 1.0))
            # Numbers of a schedule are finite: NaN is 0 times what exceeds float64.
            return jnp.where(jnp.isnan(found), 0.0, found)

    return value


def at(value: Any, count: Any) -> Any:
    """A hyper-parameter after `count` steps: a number, an array, or what a schedule says."""
    if isinstance(value, Schedule):
        return traced(value)(count)
    return value(count) if callable(value) else value


def warmed(value: Any, steps: int) -> Callable[[Any], jax.Array]:
    """The same hyper-parameter, which rises from 0 in a straight line in so many steps."""
    rise = traced(warmup(1.0, steps=steps))

    def product(count: Any) -> jax.Array:
        with jax.enable_x64(True):
            return exact(at(value, count)) * rise(count)

    return product
