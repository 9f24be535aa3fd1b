"""Which leaves decay: by their paths, by a function of path and leaf, or by optax's mask.

A leaf that does not decay has the number 0 for weight_decay in its formula: nothing of the tree is
cut out, so that its state has the same shape with a mask as without.
"""

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np


def is_none(x: Any) -> bool:
    """Whether a leaf is None, which is passed on as it is."""
    return x is None


def leaf_names(tree: Any) -> list[str]:
    """The path of every leaf, as in `layers.0.kernel`; a bare array has the empty one."""
    found, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=is_none)
    return [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in found]


def decaying(mask: Any, tree: Any, named: Sequence[str], structure: Any) -> list[bool]:
    """For every leaf of `tree` whether it decays.

    `mask` is None for all, a regular expression that is searched for in the path, a function of
    path and leaf, a tree of truth values as optax has it, or a function that makes one of `tree`.
    """
    if mask is None:
        return [True] * len(named)
    if isinstance(mask, str):
        return [re.search(mask, name) is not None for name in named]
    calls = callable(mask) and not _is_tree(mask)
    if calls and _of_leaves(mask):
        leaves = structure.flatten_up_to(tree)
        pairs = zip(named, leaves, strict=True)
        return [leaf is not None and bool(mask(name, leaf)) for name, leaf in pairs]
    truth = mask(tree) if calls else mask
    found: list[bool] = []
    # None stands for None; in front of leaves it is the structure of another tree.
    jax.tree.map(lambda yes, part: found.extend(_each(yes, part)), truth, tree, is_leaf=is_none)
    return found


def _is_tree(mask: Any) -> bool:
    """Whether it is a tree of truth values, such as a module of equinox that can be called."""
    leaves = jax.tree.leaves(mask)
    return bool(leaves) and all(isinstance(one, bool | np.bool_ | jax.Array) for one in leaves)


def _of_leaves(function: Callable[..., Any]) -> bool:
    """Whether a function must be given two arguments, a path and a leaf, and not a whole tree."""
    try:
        takes = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    placed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in placed and one.default is one.empty for one in takes) == 2


def _each(yes: Any, part: Any) -> list[bool]:
    leaves = jax.tree.leaves(part, is_leaf=is_none)
    if yes is None and any(leaf is not None for leaf in leaves):
        raise ValueError(
            "the mask has None where there are parameters: give True or False for them."
        )
    return [bool(yes)] * len(leaves)
