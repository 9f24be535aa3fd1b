"""Nested containers of arrays, as JAX's users keep them, walked and rebuilt without JAX.

Dicts, lists, tuples, NamedTuples and dataclasses (equinox' modules are some) are containers; all
else is a leaf. A leaf is named by its path, the parts joined by dots: what
`jax.tree_util.keystr(path, simple=True, separator=".")` writes.
"""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any


def fields(tree: Any) -> tuple[str, ...]:
    """The fields of a NamedTuple; none of anything else."""
    found: tuple[str, ...] = getattr(tree, "_fields", ())
    return found


def is_array(tree: Any) -> bool:
    """Whether it holds numbers: an array, or the codes of adamas.jax."""
    return hasattr(tree, "shape") or hasattr(tree, "numbers")


def children(tree: Any) -> dict[str, Any]:
    """What a container holds, by the part of the path that leads there; nothing for a leaf."""
    if isinstance(tree, Mapping):
        return {str(key): value for key, value in tree.items()}
    if names := fields(tree):
        return {name: getattr(tree, name) for name in names}
    if isinstance(tree, list | tuple):
        return {str(k): value for k, value in enumerate(tree)}
    if dataclasses.is_dataclass(tree) and not is_array(tree):
        return {one.name: getattr(tree, one.name) for one in dataclasses.fields(tree)}
    return {}


def walk(tree: Any) -> Iterator[Any]:
    """Every container and leaf of a tree, from the outside in."""
    yield tree
    for child in children(tree).values():
        yield from walk(child)


def leaves(tree: Any, path: str = "") -> dict[str, Any]:
    """The arrays of a tree by their paths, without what is no array, such as a static field.

    Raises ValueError where keys with dots give two of them one path.
    """
    if is_array(tree):
        return {path: tree}
    found: dict[str, Any] = {}
    for name, child in children(tree).items():
        inside = leaves(child, f"{path}.{name}".lstrip("."))
        if twice := found.keys() & inside.keys():
            raise ValueError(
                f"two arrays of the tree are called {min(twice)!r}: a key with a dot is written as "
                "a path of two. Give it another name."
            )
        found |= inside
    return found


def rebuilt(tree: Any, new: Callable[[str, Any], Any], path: str = "") -> Any:
    """The same containers, in which `new(path, part)` stands for the parts that it changes.

    It is asked for containers first; those that it returns as they are it is asked for the parts
    of.
    """
    found = new(path, tree)
    inside = children(tree)
    if found is not tree or not inside:
        return found
    made = {n: rebuilt(one, new, f"{path}.{n}".lstrip(".")) for n, one in inside.items()}
    if all(made[name] is inside[name] for name in made):
        return tree
    if isinstance(tree, Mapping):
        kind: Any = type(tree)
        return kind(dict(zip(tree, made.values(), strict=True)))
    if fields(tree):
        return type(tree)(*made.values())
    if isinstance(tree, list | tuple):
        return type(tree)(made.values())
    # Frozen, and perhaps with an `__init__` of another signature.
    twin = copy.copy(tree)
    for name, value in made.items():
        object.__setattr__(twin, name, value)
    return twin
