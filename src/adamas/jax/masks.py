"""Which leaves decay: by their paths, by a function of path and leaf, or by optax's mask.

A leaf that does not decay has the number 0 for weight_decay in its formula: nothing of the tree is
cut out, so that its state has the same shape with a mask as without.
"""

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax


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
    if callable(mask) and _of_leaves(mask):
        leaves = structure.flatten_up_to(tree)
        pairs = zip(named, leaves, strict=True)
        return [leaf is not None and bool(mask(name, leaf)) for name, leaf in pairs]
    truth = mask(tree) if callable(mask) else mask
    found: list[bool] = []
    jax.tree.map(lambda yes, part: found.extend([bool(yes)] * _size(part)), truth, tree)
    return found


def _of_leaves(function: Callable[..., Any]) -> bool:
    """Whether a function takes a path and a leaf, and not a whole tree."""
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return False
    return True


def _size(part: Any) -> int:
    return len(jax.tree.leaves(part, is_leaf=is_none))
