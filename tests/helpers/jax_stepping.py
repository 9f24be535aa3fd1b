"""Steps of an optax transformation, jitted, on trees of arrays; and trees to step."""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax


def run(tx: Any, params: Any, gradients: Iterable[Any], state: Any = None, **extra: Any) -> Any:
    """Parameters and state after one step for each gradient."""

    @jax.jit
    def step(params: Any, state: Any, g: Any) -> Any:
        updates, state = tx.update(g, state, params, **extra)
        return optax.apply_updates(params, updates), state

    state = tx.init(params) if state is None else state
    for g in gradients:
        params, state = step(params, state, g)
    return params, state


def tree(dtype: Any = jnp.float32) -> Any:
    """A small tree of a matrix, a vector, a number and None."""
    random = np.random.default_rng(0)
    arrays = [random.normal(size=shape).astype(dtype) for shape in ((4, 3), (5,), ())]
    matrix, vector, number = map(jnp.asarray, arrays)
    return {"layer": {"kernel": matrix, "bias": vector}, "rest": [number, None]}


def gradients(params: Any, steps: int) -> list[Any]:
    """As many trees of random numbers like `params`."""
    random = np.random.default_rng(1)

    def like(leaf: Any) -> Any:
        return jnp.asarray(random.normal(size=leaf.shape), leaf.dtype)

    return [jax.tree.map(like, params) for _ in range(steps)]


def same(one: Any, other: Any) -> bool:
    """Whether two trees have the same structure and, bit for bit, the same arrays."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return jax.tree.structure(one) == jax.tree.structure(other) and all(
        a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True) for a, b in pairs
    )


def far(one: Any, other: Any) -> float:
    """The largest relative difference of two trees, in norm, of one leaf."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    wide = [(np.asarray(a, np.complex128), np.asarray(b, np.complex128)) for a, b in pairs]
    return max(float(np.linalg.norm(a - b) / (np.linalg.norm(b) + 1e-30)) for a, b in wide)
