"""Dicts, lists, numbers and texts as JSON, with the arrays among them apart, as tensors of a file.

What is written is data and nothing else: no name of a class, no code. Texts that begin with `$`
mark what JSON has no form for.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from adamas.files.header import METADATA, NAMED
from adamas.files.pieces import pieces

TENSOR, COMPLEX, TUPLE, FLOAT, PAIRS = "$tensor", "$complex128", "$tuple", "$float", "$dict"
Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Leaf:
    """An array on its way into a file: its format and shape there, and its bytes in pieces.

    `mark` says what a reader makes of it. In a tree it stands for itself, whoever writes the tree.
    """

    form: str
    shape: tuple[int, ...]
    parts: Callable[[], Iterator[Any]]
    mark: str = TENSOR


Leaves: TypeAlias = Callable[[Path, Any], Leaf | None]


def array_leaf(value: Any, bits: bool = False) -> Leaf | None:
    """An array of NumPy's as a leaf, None for what is none; `bits` says that uint16 is bfloat16.

    Raises TypeError for a dtype that files have no format for.
    """
    if not isinstance(value, np.ndarray | np.generic):
        return None
    array = np.asarray(value)
    if hasattr(value, "mask"):
        raise TypeError("masked, and adamas sees no masks; use .filled(0)")
    if array.dtype.name == "bfloat16":
        array, bits = array.view(np.uint16), True
    mark = TENSOR
    if array.dtype == np.complex128:
        array, mark = np.stack([array.real, array.imag], axis=-1), COMPLEX
    form = "BF16" if bits and array.dtype == np.uint16 else NAMED.get(array.dtype.newbyteorder("<"))
    if form is None:
        raise TypeError(f"an array of {array.dtype}, for which safetensors has no format")
    return Leaf(form, array.shape, lambda: pieces(array), mark)


class Packing:
    """Turns trees into JSON; the leaves that it meets are in `tensors`, by name.

    `leaf` finds what is an array, by its path in the tree too.
    """

    def __init__(self, leaf: Leaves, named: Callable[[Path], str]) -> None:
        self._leaf, self._named = leaf, named
        self.tensors: dict[str, Leaf] = {}

    def tree(self, value: Any, path: Path) -> Any:
        """`value` as JSON; raises TypeError or ValueError naming what a file cannot hold."""
        try:
            return self._tree(value, path)
        except RecursionError:
            raise ValueError(f"{path[0]} is nested too deep for a file, or holds itself.") from None

    def _tree(self, value: Any, path: Path) -> Any:
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {FLOAT: repr(float(value))}
        if isinstance(value, list | tuple):
            found = [self._tree(one, (*path, k)) for k, one in enumerate(value)]
            return found if isinstance(value, list) else {TUPLE: found}
        if isinstance(value, Mapping):
            return self._dict(value, path)
        return self.array(value, path)

    def array(self, value: Any, path: Path) -> dict[str, str]:
        """What stands for an array; raises TypeError for what is none, ValueError for its name."""
        try:
            leaf = value if isinstance(value, Leaf) else self._leaf(path, value)
        except TypeError as error:
            raise TypeError(f"{_shown(path)} is {error}.") from error
        if leaf is None:
            raise TypeError(
                f"{_shown(path)} is {type(value).__name__}; a file holds numbers, texts, None, "
                "lists, dicts and arrays."
            )
        name = self._named(path)
        if name == METADATA:
            raise ValueError(f"safetensors keeps the name {name!r} for itself; rename the array.")
        if name in self.tensors:
            raise ValueError(f"two arrays would be called {name!r} in the file; rename one.")
        self.tensors[name] = leaf
        return {leaf.mark: name}

    def arrays(self, given: Mapping[Any, Any], path: Path) -> dict[str, Any]:
        """A dict of nothing but arrays by name; raises what `array` raises."""
        self._check_keys(given, path)
        return {PAIRS: [[key, self.array(one, (*path, key))] for key, one in given.items()]}

    def _check_keys(self, value: Mapping[Any, Any], path: Path) -> None:
        for key in value:
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise TypeError(f"{_shown(path)} has the key {key!r}; keys are texts or numbers.")

    def _dict(self, value: Mapping[Any, Any], path: Path) -> Any:
        self._check_keys(value, path)
        pairs = [(key, self._tree(one, (*path, key))) for key, one in value.items()]
        if any(isinstance(key, int) or key.startswith("$") for key, _ in pairs):
            return {PAIRS: [list(pair) for pair in pairs]}
        return dict(pairs)


def unpacked(value: Any, read: Callable[[str, str], Any]) -> Any:
    """The tree that JSON stands for; `read(name, mark)` finds an array.

    Raises ValueError for what no tree becomes.
    """
    if isinstance(value, list):
        return [unpacked(one, read) for one in value]
    if not isinstance(value, dict):
        return value
    if not any(key.startswith("$") for key in value):
        return {key: unpacked(one, read) for key, one in value.items()}
    if len(value) != 1:
        raise ValueError(f"{min(value)!r} stands beside other names")
    [(mark, inner)] = value.items()
    if mark in (TENSOR, COMPLEX) and isinstance(inner, str):
        return read(inner, mark)
    if mark == FLOAT and inner in ("nan", "inf", "-inf"):
        return float(inner)
    if mark == TUPLE and isinstance(inner, list):
        return tuple(unpacked(one, read) for one in inner)
    if mark == PAIRS and isinstance(inner, list) and all(map(_is_pair, inner)):
        if len({key for key, _ in inner}) < len(inner):
            raise ValueError("a key stands twice in one dict")
        return {key: unpacked(one, read) for key, one in inner}
    raise ValueError(f"nothing is written as {mark[:30]!r}")


def _is_pair(given: Any) -> bool:
    return isinstance(given, list) and len(given) == 2 and type(given[0]) in (str, int)


def _shown(path: Path) -> str:
    return str(path[0]) + "".join(f"[{one!r}]" for one in path[1:])
