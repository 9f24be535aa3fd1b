"""How a state is kept between steps: started, decoded before the formula, encoded after it.

Arithmetic is in real numbers of 32 or 64 bits: a complex leaf is its real and imaginary parts in
one more, last dimension, which is what torch's `view_as_real` makes of it.
"""

from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp


class Place(NamedTuple):
    """Where an array that is rounded stands: for random words that differ from all others'.

    After `count` steps it is number `array` of what is rounded in leaf number `leaf`.
    """

    seed: Any
    leaf: int
    count: Any
    array: int


class Format(Protocol):
    """How one state of one leaf is kept, in an array or a pytree of arrays."""

    def rounds(self, kept: Any) -> bool:
        """Whether `encode` rounds what is kept, and so needs a number among what is rounded."""

    def start(self, like: Any, initial: Any) -> Any:
        """The state before the first step, everywhere `initial`; `like` may be abstract."""

    def decode(self, kept: Any, like: jax.Array) -> jax.Array:
        """The numbers of a state, in the dtype of `like`, complex ones as their parts."""

    def encode(self, value: jax.Array, before: Any, place: Place | None) -> Any:
        """What is kept of new numbers, with the dtypes and shapes of `before`.

        `place` is None where nothing is rounded.
        """


class Plain:
    """As the numbers that the arithmetic has: float32, float64 for leaves of that, complex too."""

    def rounds(self, kept: Any) -> bool:
        """Nothing is lost."""
        return False

    def start(self, like: Any, initial: Any) -> Any:
        """An array of the shape and sharding of `like`."""
        return jnp.full_like(like, initial, dtype=wide(like))

    def decode(self, kept: Any, like: jax.Array) -> jax.Array:
        """The array, which is kept as it is computed with."""
        return parts(kept).astype(like.dtype)

    def encode(self, value: jax.Array, before: Any, place: Place | None) -> Any:
        """The array."""
        return whole(value, before.dtype)


def dtype_of(leaf: Any) -> Any:
    """The dtype that JAX gives a leaf, which may be abstract, an array or a number."""
    found = leaf.dtype if hasattr(leaf, "dtype") else jnp.result_type(leaf)
    # Keys, and the derivatives of integers.
    if found == jax.dtypes.float0 or jnp.issubdtype(found, jax.dtypes.extended):
        return found
    return jax.dtypes.canonicalize_dtype(found)


def wide(leaf: Any) -> Any:
    """The dtype in which a state of this leaf is computed, complex where the leaf is."""
    return jnp.promote_types(dtype_of(leaf), jnp.float32)


def parts(x: jax.Array) -> jax.Array:
    """A complex array as its real and imaginary parts, any other as it is."""
    if not jnp.iscomplexobj(x):
        return x
    return jnp.stack((x.real, x.imag), axis=-1)


def whole(x: jax.Array, dtype: Any) -> jax.Array:
    """What `parts` took apart, in this dtype."""
    if jnp.issubdtype(dtype, jnp.complexfloating):
        return jax.lax.complex(x[..., 0], x[..., 1]).astype(dtype)
    return x.astype(dtype)
