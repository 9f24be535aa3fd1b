"""What the caller hands in becomes a list of tensors, checked once.

A tensor knows its name, its group and the contiguous memory that a kernel may update. An array that
is dense in some order of its axes is updated where it lies; any other view is worked on through a
packed copy that stays with the tensor, so that a step still allocates nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from adamas.codecs import CODECS

Key: TypeAlias = str | int
Array: TypeAlias = NDArray[Any]


@dataclass
class Tensor:
    """One parameter: `given` is the caller's array, `work` the dense memory that is updated.

    `order` permutes the axes of `given` so that the result is C-contiguous; `packed` says that
    `work` is a copy.
    """

    key: Key
    given: Array
    work: Array
    order: tuple[int, ...] | None
    packed: bool
    group: int

    def state_like(self, dtype: str) -> Array:
        """Zeros in the shape of the parameter, laid out in memory as it is."""
        if self.order is None:
            return np.zeros(self.given.shape, dtype)
        turned = np.zeros([self.given.shape[k] for k in self.order], dtype)
        return turned.transpose(np.argsort(self.order))

    def dense(self, array: Array) -> Array:
        """`array`, of the parameter's shape, in the memory order of `work`; a copy if need be."""
        turned = array if self.order is None else array.transpose(self.order)
        return np.ascontiguousarray(turned)


def address(array: Array) -> int:
    """Where the first element lies."""
    return int(array.ctypes.data)


def collect(params: Any) -> tuple[list[Tensor], list[dict[str, Any]], Any]:
    """The tensors, the groups' own settings, and the form in which gradients will come.

    `params` is one array, a list of arrays, a dict of names, or a list of groups, each a dict with
    `params` in one of those forms and its own hyper-parameters. Raises TypeError or ValueError
    naming the array that cannot be updated in place, before anything is changed.
    """
    groups: list[dict[str, Any]]
    if isinstance(params, list | tuple) and params and all(isinstance(x, dict) for x in params):
        groups = [dict(x) for x in params]
        if missing := [k for k, group in enumerate(groups) if "params" not in group]:
            raise ValueError(f"param group {missing[0]} has no 'params'; add params=[...] to it.")
        form: Any = [(_form(group["params"]), len(_items(group["params"]))) for group in groups]
    else:
        groups = [{"params": params}]
        form = _form(params)
    tensors: list[Tensor] = []
    for index, group in enumerate(groups):
        for name, value in _items(group.pop("params")):
            key = name if isinstance(name, str) else len(tensors)
            tensors.append(_tensor(key, value, index))
    if not tensors:
        raise ValueError("no parameters; pass an array, a list, or a dict of arrays.")
    keys = [tensor.key for tensor in tensors]
    if twice := {key for key in keys if keys.count(key) > 1} if len(set(keys)) < len(keys) else ():
        raise ValueError(f"two parameters are called {min(twice, key=str)!r}; names must differ.")
    _refuse_overlap(tensors)
    return tensors, groups, form


def _form(params: Any) -> type:
    if isinstance(params, Mapping):
        return dict
    return list if isinstance(params, Iterable) and not _is_array(params) else np.ndarray


def _items(params: Any) -> list[tuple[Key, Any]]:
    form = _form(params)
    if form is dict:
        return list(params.items())
    return list(enumerate(params)) if form is list else [(0, params)]


def _is_array(value: Any) -> bool:
    if isinstance(value, np.ndarray) or hasattr(value, "__dlpack__"):
        return True
    try:
        memoryview(value).release()
    except TypeError:
        return False
    return True


def as_array(value: Any, what: str) -> Array:
    """`value` as a NumPy array over the same memory; raises TypeError naming it otherwise."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, np.generic) or not _is_array(value):
        raise TypeError(
            f"{what} is {type(value).__name__}, not an array; adamas needs NumPy arrays or objects "
            "with a CPU buffer or DLPack."
        )
    if hasattr(value, "__dlpack__"):
        return np.from_dlpack(value)
    return np.asarray(memoryview(value))


def _tensor(key: Key, value: Any, group: int) -> Tensor:
    what = f"parameter {key!r}"
    given = as_array(value, what)
    if given.dtype.name not in CODECS or not given.dtype.isnative:
        hint = ".view(float) of its real and imaginary parts" if given.dtype.kind == "c" else ""
        raise TypeError(
            f"{what} has dtype {given.dtype}; adamas updates {', '.join(CODECS)}. "
            f"Use {hint or '.astype(np.float32)'}."
        )
    if not given.flags.writeable:
        raise ValueError(f"{what} is read-only; pass a copy that may be written.")
    order = memory_order(given)
    if order is not None and given.flags.aligned:
        plain = order == tuple(range(given.ndim))
        return Tensor(key, given, given.transpose(order), None if plain else order, False, group)
    spread = 0 in [s for s, n in zip(given.strides, given.shape, strict=True) if n > 1]
    if spread:
        raise ValueError(f"{what} repeats elements (stride 0); pass a copy of it.")
    return Tensor(key, given, np.ascontiguousarray(given), None, True, group)


def memory_order(array: Array) -> tuple[int, ...] | None:
    """The axes from slowest to fastest where `array` is dense, else None."""
    if array.flags.c_contiguous:
        return tuple(range(array.ndim))
    order = tuple(int(k) for k in np.argsort([-s for s in array.strides], kind="stable"))
    return order if array.transpose(order).flags.c_contiguous else None


def _refuse_overlap(tensors: list[Tensor]) -> None:
    spans = sorted(
        (*np.lib.array_utils.byte_bounds(t.given), k) for k, t in enumerate(tensors) if t.given.size
    )
    for (_, end, a), (start, _, b) in pairwise(spans):
        one, two = tensors[a], tensors[b]
        if start < end and np.shares_memory(one.given, two.given):
            raise ValueError(
                f"parameters {one.key!r} and {two.key!r} share memory; each element may be updated "
                "by one parameter only."
            )
