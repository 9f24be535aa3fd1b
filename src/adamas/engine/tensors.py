"""What the caller hands in becomes a list of tensors, checked once.

A tensor knows its name, its group and the contiguous memory that a kernel may update. An array that
is dense in some order of its axes is updated where it lies; any other view is worked on through a
packed copy that stays with the tensor, so that a step still allocates nothing.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from adamas.codecs import CODECS
from adamas.engine.grid import Grid, Order
from adamas.kernel.layout import LINE

Key: TypeAlias = str | int
Array: TypeAlias = NDArray[Any]
# Makes an array of zeros.
Maker: TypeAlias = Callable[[Sequence[int], str], Array]

# A parameter in float16 overflows at 65504 and loses small steps; a gradient is divided before use.
PARAMETERS = tuple(name for name in CODECS if name != "float16")


@dataclass(frozen=True)
class Part:
    """What of a larger tensor lies here, where it is spread over several processes.

    `shape` is that of the whole, `row` and `element` the numbers of the first ones here. `each`
    says that others hold parts of the same blocks, `rowwise` of the same groups of rows: then sums
    are kept by elements, or by rows, until all are there.
    """

    shape: tuple[int, ...]
    row: int
    element: int
    each: bool
    rowwise: bool


@dataclass
class Tensor:
    """One parameter: `given` is the caller's array, `work` the dense memory that is updated.

    `order` permutes the axes of `given` so that the result is C-contiguous; `packed` says that
    `work` is a copy; `source` is what the caller handed in, an array or what it was read from.
    `rowwise` says that blocks begin anew with every row; `part` what of a larger tensor it is.
    """

    key: Key
    given: Array
    work: Array
    order: tuple[int, ...] | None
    packed: bool
    group: int
    form: str
    source: Any = None
    first_block: int = 0
    rowwise: bool = False
    part: Part | None = None
    # How many matrices of equal rows it is, one below the other, where matrices are made.
    split: int = 1

    @cached_property
    def lay(self) -> Order:
        """The memory order of `work`, seen from `given`."""
        axes = tuple(range(self.given.ndim)) if self.order is None else self.order
        return Order(self.given.shape, axes, self.rowwise)

    @property
    def grid(self) -> Grid:
        """How blocks lie over the elements, in the order of `work`."""
        return self.lay.grid

    def state_like(self, dtype: str, make: Maker) -> Array:
        """Zeros in the shape of the parameter, laid out in memory as it is."""
        return self.lay.turned(make(self.lay.dense_shape, dtype))

    def row_like(self, dtype: str, make: Maker) -> Array:
        """One zero for every row."""
        return make(self.given.shape[:1], dtype)

    def column_like(self, dtype: str, make: Maker) -> Array:
        """One zero for every column, laid out in memory as each row is."""
        axes = [axis - 1 for axis in self.lay.axes[1:]]
        return make(self.lay.dense_shape[1:], dtype).transpose(np.argsort(axes))


@dataclass(frozen=True)
class Collected:
    """Parameters that `collect` has checked, or some of them: their tensors, and their groups.

    `form` is that of the gradients, `numbers` what the groups are called in messages.
    """

    tensors: list[Tensor]
    groups: list[dict[str, Any]]
    form: Any
    numbers: Sequence[int] | None = None


def zeros(shape: Sequence[int], dtype: str) -> Array:
    """Zeros that begin with a cache line, so that short rows of them do not touch one more.

    NumPy aligns to 16 bytes.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.zeros(size + LINE, np.uint8)
    start = -address(room) % LINE
    return room[start : start + size].view(dtype).reshape(shape)


def nothing(shape: Sequence[int], dtype: str) -> Array:
    """What stands for zeros that somebody else has the memory of; it cannot be written."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def address(array: Array) -> int:
    """Where the first element lies."""
    return int(array.ctypes.data)


def collect(
    params: Any, rowwise: Callable[[int], bool] = lambda group: False
) -> tuple[list[Tensor], list[dict[str, Any]], Any]:
    """The tensors, the groups' own settings, and the form in which gradients will come.

    `params` is one array, a list of arrays, a dict of names, or a list of groups, each a dict with
    `params` in one of those forms and its own hyper-parameters. `rowwise` says of the number of
    a group whether its rows must lie in one piece; others are copied. Raises TypeError or
    ValueError naming the array that cannot be updated in place, before anything is changed.
    """
    groups: list[dict[str, Any]]
    if isinstance(params, list | tuple) and params and all(isinstance(x, dict) for x in params):
        groups = [dict(x) for x in params]
        if missing := [k for k, group in enumerate(groups) if "params" not in group]:
            raise ValueError(f"param group {missing[0]} has no 'params'; add params=[...] to it.")
        if own := [k for k, group in enumerate(groups) if "names" in group]:
            raise TypeError(
                f"param group {own[0]} has 'names'; name parameters by a dict: "
                "{'params': {'weight': weight}}."
            )
        parts = [group.pop("params") for group in groups]
        items = [_items(part) for part in parts]
        form: Any = [(_form(part), len(item)) for part, item in zip(parts, items, strict=True)]
    else:
        groups, items, form = [{}], [_items(params)], _form(params)
    tensors: list[Tensor] = []
    for index, named in enumerate(items):
        for name, value in named:
            key = len(tensors) if name is None else name
            tensors.append(_tensor(key, value, index, rowwise(index)))
    if not tensors:
        raise ValueError("no parameters; pass an array, a list, or a dict of arrays.")
    keys = [tensor.key for tensor in tensors]
    if twice := {key for key in keys if keys.count(key) > 1} if len(set(keys)) < len(keys) else ():
        raise ValueError(f"two parameters are called {min(twice, key=str)!r}; names must differ.")
    if both := overlap([(tensor.key, tensor.given) for tensor in tensors]):
        raise ValueError(
            f"parameters {both[0]!r} and {both[1]!r} share memory; each element may be updated "
            "by one parameter only."
        )
    return tensors, groups, form


def _form(params: Any) -> type:
    if isinstance(params, Mapping):
        return dict
    return list if isinstance(params, Iterable) and not _is_array(params) else np.ndarray


def _items(params: Any) -> list[tuple[str | None, Any]]:
    """Names, None where there are none, and arrays."""
    form = _form(params)
    if form is not dict:
        return [(None, value) for value in (params if form is list else [params])]
    for name in params:
        if not isinstance(name, str):
            raise TypeError(f"the parameter name {name!r} is not a text; name it {str(name)!r}.")
    return list(params.items())


def _is_array(value: Any) -> bool:
    if isinstance(value, np.ndarray) or hasattr(value, "__dlpack__"):
        return True
    try:
        memoryview(value).release()
    except TypeError:
        return False
    return True


def as_array(value: Any, what: str) -> Array:
    """`value` as a NumPy array over the same memory; raises TypeError naming it otherwise.

    NumPy has no bfloat16 of its own: arrays of `ml_dtypes.bfloat16` are seen as their bits, uint16.
    """
    if isinstance(value, np.ndarray):
        if hasattr(value, "mask"):
            raise TypeError(f"{what} is masked, and adamas sees no masks; use .filled(0).")
        # Plain: a part of a matrix is two-dimensional again.
        array = np.asarray(value)
        return array.view(np.uint16) if array.dtype.name == "bfloat16" else array
    if isinstance(value, np.generic) or not _is_array(value):
        raise TypeError(
            f"{what} is {type(value).__name__}, not an array; adamas needs NumPy arrays or objects "
            "with a CPU buffer or DLPack."
        )
    if hasattr(value, "__dlpack__"):
        try:
            return np.from_dlpack(value)
        except (BufferError, RuntimeError, TypeError) as error:
            raise TypeError(f"{what} cannot be read as a NumPy array: {error}") from error
    return np.asarray(memoryview(value))


def form_of(array: Array) -> str:
    """The name of the numbers in an array: its dtype's, and "bfloat16" where they are bits."""
    return "bfloat16" if array.dtype == np.uint16 else array.dtype.name


def widened(array: Array) -> Array:
    """Numbers of 16 bits as float32, which holds them all."""
    if array.dtype == np.uint16:
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float32)


def _tensor(key: Key, value: Any, group: int, rowwise: bool) -> Tensor:
    what = f"parameter {key!r}"
    given = as_array(value, what)
    form = form_of(given)
    if form not in CODECS or form == "float16" or not given.dtype.isnative:
        parts = f".view(np.{given.real.dtype}) of its real and imaginary parts"
        hint = parts if given.dtype.kind == "c" else ""
        raise TypeError(
            f"{what} has dtype {given.dtype}; adamas updates {', '.join(PARAMETERS)}. "
            f"Use {hint or '.astype(np.float32)'}."
        )
    if not given.flags.writeable:
        raise ValueError(f"{what} is read-only; pass a copy that may be written.")
    order = memory_order(given)
    rowwise = rowwise and given.ndim > 1
    in_rows = not rowwise or order is None or order[0] == 0
    if order is not None and given.flags.aligned and in_rows:
        plain = order == tuple(range(given.ndim))
        kept = None if plain else order
        work = given.transpose(order)
        return Tensor(key, given, work, kept, False, group, form, value, rowwise=rowwise)
    if _repeats(given):
        raise ValueError(f"{what} may hold an element twice (strides {given.strides}); copy it.")
    packed = np.array(given, order="C", subok=False)
    return Tensor(key, given, packed, None, True, group, form, value, rowwise=rowwise)


def _repeats(array: Array) -> bool:
    """Whether two indices may mean one element; never so for what slicing and transposing make."""
    steps = [(abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1]
    reach = array.itemsize
    for stride, count in sorted(steps) if array.size else ():
        if stride < reach:
            return True
        reach += stride * (count - 1)
    return False


def memory_order(array: Array) -> tuple[int, ...] | None:
    """The axes from slowest to fastest where `array` is dense, else None."""
    if array.flags.c_contiguous:
        return tuple(range(array.ndim))
    order = tuple(int(k) for k in np.argsort([-s for s in array.strides], kind="stable"))
    return order if array.transpose(order).flags.c_contiguous else None


def overlap(arrays: Iterable[tuple[Key, Array]]) -> tuple[Key, Key] | None:
    """The keys of two arrays that share an element, or None."""
    bounds = np.lib.array_utils.byte_bounds
    spans = [(*bounds(array), k, array) for k, array in arrays if array.size]
    spans.sort(key=lambda span: span[:2])
    # Views of one base may lie inside each other's span and still be disjoint.
    open_spans: list[tuple[int, int, Key, Array]] = []
    for start, end, key, array in spans:
        open_spans = [span for span in open_spans if span[1] > start]
        for _, _, other, against in open_spans:
            if np.shares_memory(against, array):
                return other, key
        open_spans.append((start, end, key, array))
    return None
