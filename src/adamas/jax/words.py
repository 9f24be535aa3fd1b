"""The words of a formula as JAX has them, and numbers of 64 bits inside a trace of 32.

`1 - 0.999**t` in float32 is off by 1e-5 in the first steps (measured: elementwise 3e-4 after 100
steps of AdamW, 3e-6 with float64), so what depends on hyper-parameters and t alone is computed in a
scope of float64, whatever `jax_enable_x64` says; so are sums over tensors.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from adamas import words
from adamas.kernel.calls import DRAWN
from adamas.kernel.scopes import COLUMN, REDUCTIONS, ROW

ELEMENTWISE = {
    name: getattr(jnp, {"atan2": "arctan2"}.get(name, name))
    for name in words.__all__
    if name not in (*REDUCTIONS, *DRAWN)
}


def _total(x: jax.Array, over: str) -> jax.Array:
    axis = {ROW: tuple(range(1, x.ndim)), COLUMN: (0,)}.get(over)
    return jnp.sum(x, axis, jnp.float64, keepdims=over in (ROW, COLUMN))


def _count(x: jax.Array, over: str) -> int:
    return {ROW: math.prod(x.shape[1:]), COLUMN: x.shape[0] if x.ndim else 1}.get(over, x.size)


def _norm(x: jax.Array, over: str) -> jax.Array:
    # Of float64, because the square of a float32 may not be one.
    return jnp.sqrt(_total(jnp.square(x.astype(jnp.float64)), over))


REDUCED: dict[str, Callable[[jax.Array, str], jax.Array]] = {
    "total": _total,
    "norm": _norm,
    "mean": lambda x, over: _total(x, over) / _count(x, over),
    "rms": lambda x, over: _norm(x, over) / math.sqrt(_count(x, over)),
}


def narrow(value: jax.Array, like: jax.Array) -> jax.Array:
    """`value` in the dtype of `like`."""
    return value.astype(like.dtype)


def exact(value: Any) -> jax.Array:
    """A number as float64; to be called in a scope of `jax.enable_x64(True)`."""
    return jnp.asarray(value).astype(jnp.float64)
