"""The words of a formula on the JAX backend, traced or not."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax.experimental.sparse import JAXSparse

from adamas.kernel.bound import ELEMENTWISE
from adamas.kernel.totals import axes, kept, reduced


@contextmanager
def scope() -> Iterator[None]:
    """Where a step is computed: JAX has float64 in here, whatever it has outside."""
    with jax.enable_x64(True), np.errstate(all="ignore"):
        yield


def outside() -> Any:
    """Where a variable is assigned at once: everywhere."""
    return nullcontext()


def wide(value: Any) -> Any:
    """A number of float64, of a number, a variable or an array; within `scope`."""
    value = value.value if isinstance(value, keras.Variable) else value
    return np.float64(value) if isinstance(value, float | int) else jnp.asarray(value, jnp.float64)


def array(value: Any, dtype: str, like: Any = None) -> jax.Array:
    """An array of `dtype`, of a variable, an array, a number or what names rows only."""
    value = value.value if isinstance(value, keras.Variable) else value
    return jnp.asarray(value.todense() if isinstance(value, JAXSparse) else value, dtype)


def _wide(x: jax.Array) -> jax.Array:
    return array(x, "float64")


def _total(x: jax.Array, over: str) -> jax.Array:
    return jnp.sum(_wide(x), axes(x.ndim, over), keepdims=kept(over))


ONCE: dict[str, Any] = {
    name: getattr(jnp, {"atan2": "arctan2"}.get(name, name)) for name in ELEMENTWISE
}
BODY: dict[str, Any] = ONCE | reduced(_total, _wide, jnp.sqrt)


def bits(x: jax.Array) -> jax.Array:
    """The bits of float32 numbers, flat, as int32."""
    return jax.lax.bitcast_convert_type(x.reshape(-1), jnp.int32)


def floats(found: jax.Array, like: jax.Array) -> jax.Array:
    """The float32 numbers of such bits, in the shape of another array."""
    return jax.lax.bitcast_convert_type(found, jnp.float32).reshape(like.shape)


def counter(like: jax.Array) -> Any:
    """A function that makes the int32 from 0 to n - 1."""
    return lambda n: jnp.arange(n, dtype=jnp.int32)


def _is_nan(found: jax.Array) -> jax.Array:
    return jnp.isnan(jax.lax.bitcast_convert_type(found, jnp.float32))


# What the words of `kernel.dither` and of the codecs mean on integers.
DITHER: dict[str, Any] = {}
CODEC: dict[str, Any] = {"where": jnp.where, "is_nan": _is_nan}


def integers(found: jax.Array) -> Any:
    """Arrays that have the operators of a codec."""
    return found


plain = integers
