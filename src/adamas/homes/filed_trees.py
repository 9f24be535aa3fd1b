"""Pytrees in a file: their arrays by path, and which parts of the paths were records.

Read back without the library that made them: a record has its fields by name, and its class is a
name and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from adamas.codecs import FORMATS
from adamas.engine.codes import decoded
from adamas.engine.grid import Order
from adamas.homes.trees import children, fields
from adamas.kernel.layout import SCALE

CODED = "Coded"
# Names of fields that would make an array of a record.
ARRAYS = frozenset({"shape", "numbers", "codes", "dtype"})


@dataclass(frozen=True)
class Coded:
    """Codes of eight bits as adamas.jax keeps them."""

    codes: Any
    scales: Any
    codec: str
    rowwise: bool

    def numbers(self) -> Any:
        """The float32 numbers that they stand for."""
        codec = next(one for one in FORMATS["int8"].values() if one.name == self.codec)
        order = Order(self.codes.shape, tuple(range(self.codes.ndim)), self.rowwise)
        return decoded(codec, {"": self.codes, SCALE: self.scales}, "", order)


def records(tree: Any, path: str = "") -> list[list[Any]]:
    """Every record of a tree, from the outside in: its path, its class' name, its fields."""
    if hasattr(tree, "numbers"):
        return [[path, CODED, [tree.codec, tree.rowwise]]]
    found: list[list[Any]] = []
    if names := fields(tree):
        found.append([path, type(tree).__name__, list(names)])
    for name, child in children(tree).items():
        found += records(child, f"{path}.{name}".lstrip("."))
    return found


def restored(arrays: Mapping[str, Any], listed: Any) -> Any:
    """The tree of these arrays by path, with these records; ValueError for what is none."""
    known = {path: (kind, names) for path, kind, names in map(_checked, listed)}
    nested: dict[str, Any] = {}
    for path in dict.fromkeys([*arrays, *known]):
        here = nested
        for part in path.split(".") if path else ():
            here = here.setdefault(part, {})
    return _made(nested, "", arrays, known)


def _checked(given: Any) -> tuple[str, str, list[Any]]:
    proper = isinstance(given, list) and len(given) == 3 and isinstance(given[2], list)
    if not (proper and isinstance(given[0], str) and isinstance(given[1], str)):
        raise ValueError("its list of records is none")
    path, kind, names = given
    if kind == CODED:
        known = {one.name for one in FORMATS["int8"].values()}
        if len(names) != 2 or names[0] not in known or not isinstance(names[1], bool):
            raise ValueError(f"the codes at {path[:60]!r} are of no format of adamas")
    elif not all(isinstance(n, str) and n.isidentifier() and n not in ARRAYS for n in names):
        raise ValueError(f"the record at {path[:60]!r} has no proper fields")
    return path, kind, names


def _made(
    nested: Mapping[str, Any], path: str, arrays: Mapping[str, Any], known: Mapping[str, Any]
) -> Any:
    if path in arrays:
        return arrays[path]
    held = {k: _made(v, f"{path}.{k}".lstrip("."), arrays, known) for k, v in nested.items()}
    kind, names = known.get(path, ("", None))
    if names is None:
        return held
    if kind == CODED:
        codes, scales = (np.asarray(held.get(name)) for name in ("codes", "scales"))
        if codes.dtype.kind not in "iu" or scales.dtype != np.uint8:
            raise ValueError(f"the codes at {path[:60]!r} are none")
        return Coded(codes, scales, *names)
    record: Any = type(kind, (), {"_fields": tuple(names)})()
    vars(record).update({name: held.get(name) for name in names})
    return record
