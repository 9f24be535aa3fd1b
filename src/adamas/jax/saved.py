"""A state as a plain dict of arrays by path: saved without a class, and read by name."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def to_dict(state: Any) -> dict[str, Any]:
    """Every array of an optax state by its path, as in `mu.layers.0.kernel`, of whatever chain."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    found = {_name(path): leaf for path, leaf in leaves}
    if len(found) < len(leaves):
        raise ValueError("two arrays of the state have the same path: a key holds a dot.")
    return found


def from_dict(saved: Mapping[str, Any], like: Any) -> Any:
    """The state `like` with the arrays of `saved`, which `to_dict` made.

    `like` is `tx.init(params)`, or `jax.eval_shape(tx.init, params)`. Raises ValueError for names
    that one of the two has alone, and for other shapes and dtypes; TypeError for what is no array.
    """
    leaves, tree = jax.tree_util.tree_flatten_with_path(like)
    names = [_name(path) for path, _ in leaves]
    if odd := sorted(set(names) ^ saved.keys()):
        where = "state" if odd[0] in names else "dict"
        raise ValueError(
            f"{len(odd)} names do not fit: {odd[0]!r}, for one, is in the {where} only."
        )
    made = []
    for name, (_, leaf) in zip(names, leaves, strict=True):
        one = saved[name]
        if not hasattr(one, "shape"):
            raise TypeError(
                f"{name!r} is a {type(one).__name__} in the dict, and must be an array: "
                f"numpy.asarray(..., {str(leaf.dtype)!r})."
            )
        there, here = ((x.shape, x.dtype) for x in (one, leaf))
        # Files of NumPy know bfloat16 as two bytes without a name.
        if there == (leaf.shape, np.dtype("V2")) and here[1] == jnp.bfloat16:
            one = np.asarray(one).view(here[1])
        elif there != here:
            raise ValueError(
                f"{name!r} is {_shown(*there)} in the dict, in the state {_shown(*here)}."
            )
        made.append(jnp.asarray(one))
    return jax.tree.unflatten(tree, made)


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")


def _shown(shape: tuple[int, ...], dtype: Any) -> str:
    return f"{dtype}{list(shape)}"
