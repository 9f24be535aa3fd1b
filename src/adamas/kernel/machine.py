"""What every generated kernel calls: the work that is the same for all rules.

This module imports Numba and is imported by generated kernels only, at the first step. The machine
operations come from `intrinsics`, or from `stepping` where Numba's compiler is switched off.
"""

import math
from typing import Any

from numba import config, float32, float64, njit

from adamas.kernel import integers as _integers
from adamas.kernel import intrinsics, stepping, stepping_integers
from adamas.kernel import job as j

__all__ = [
    "BEGINNING", "abs", "ask", "beyond", "compiled", "distance", "end", "entry", "exp", "float32",
    "float64", "integers", "lift", "load_float32", "load_float64", "load_int64", "log", "maximum",
    "minimum", "nan", "prefetch", "rounding_key", "settle", "share_end", "sign", "slice_at", "sqrt",
    "store_float32", "store_float64", "store_int64", "survey", "take", "where", "widest_vectors",
]  # fmt: skip

integers: Any = stepping_integers if config.DISABLE_JIT else _integers
nan = math.nan
_now: Any = stepping if config.DISABLE_JIT else intrinsics
abs, exp, log, sign, sqrt = _now.abs, _now.exp, _now.log, _now.sign, _now.sqrt
maximum, minimum, where = _now.maximum, _now.minimum, _now.where
load_float32, store_float32 = _now.load_float32, _now.store_float32
load_float64, store_float64 = _now.load_float64, _now.store_float64
load_int64, store_int64 = _now.load_int64, _now.store_int64
claim, prefetch, widest_vectors = _now.claim, _now.prefetch, _now.widest_vectors

# How many elements of a slice are asked for before its turn comes.
BEGINNING = 256
LINE = 64

# No fast-math in anything that writes a parameter or a state: each operation is rounded as IEEE
# says, so vector bodies, remainders and any split give the same bits.
compiled = njit(nogil=True, error_model="numpy")
# A sum of squares only vectorises when its terms may be regrouped.
_regrouped = njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})


def entry(cached: bool) -> Any:
    """The decorator of a kernel's entry point; `cached` keeps its machine code beside its file."""
    if config.DISABLE_JIT:
        return stepping.quiet
    return njit(nogil=True, error_model="numpy", cache=cached)


@_regrouped
def _squares_float32(at: int, count: int, more: int) -> float:
    widest_vectors()
    total = 0.0
    for tile in range(0, count, 256):
        if tile + 1024 < count + more:
            for line in range(tile + 1024, tile + 1280, 16):
                prefetch(at + 4 * line)
        for i in range(tile, min(tile + 256, count)):
            x = float64(load_float32(at, i, 0))
            total += x * x
    return total


@_regrouped
def _squares_float64(at: int, count: int) -> float:
    widest_vectors()
    total = 0.0
    for i in range(count):
        x = load_float64(at, i, 0)
        total += x * x
    return total


@_regrouped
def _squares_float16(at: int, count: int) -> float:
    widest_vectors()
    total = 0.0
    for i in range(count):
        x = float64(integers.load_float16(at, i, 0))
        total += x * x
    return total


@_regrouped
def _squares_bfloat16(at: int, count: int) -> float:
    widest_vectors()
    total = 0.0
    for i in range(count):
        code = integers.left(integers.load_uint16(at, i, 0), integers.int32(16))
        x = float64(integers.number(code))
        total += x * x
    return total


@compiled
def _squares(at: int, count: int, form: int, more: int) -> Any:
    if form == 0:
        return _squares_float32(at, count, more)
    if form == 1:
        return _squares_float64(at, count)
    if form == 2:
        return _squares_float16(at, count)
    return _squares_bfloat16(at, count)


@compiled
def rounding_key(job: int, tensor: int) -> Any:
    """The key of this step's random numbers, as a float64 that holds 32 bits."""
    own = load_int64(load_int64(job, j.KEYS, 0), tensor, 0)
    step = load_int64(load_int64(job, j.STEPS, 0), tensor, 0) + 1
    seed = integers.int32(load_int64(load_int64(job, j.SEED, 0), 0, 0))
    return float64(integers.mix(integers.mix(seed, own, 0), step, 1))


@compiled
def take(job: int, counter: int) -> Any:
    """The number of the first slice of the next share; as many as there are when all are taken."""
    return claim(job, counter, load_int64(job, j.SHARE, 0))


@compiled
def share_end(job: int, first: int) -> Any:
    """The number after the last slice of the share that begins with `first`."""
    return min(first + load_int64(job, j.SHARE, 0), load_int64(job, j.SLICES, 0))


@compiled
def slice_at(job: int, k: int) -> Any:
    """The address of slice k in the table."""
    return load_int64(job, j.TABLE, 0) + k * load_int64(job, j.ROW, 0)


@compiled
def distance(job: int, row: int) -> Any:
    """How many slices lie between a prefetch and its use; all, where it needs none.

    That is about 512 elements; 8 was the best of 2 to 32 for rows of 32 elements, and halved the
    time of a step. Slices that follow each other are fetched ahead by the one before.
    """
    if load_int64(job, j.SCATTERED, 0) == 0:
        return load_int64(job, j.SLICES, 0)
    return max(1, min(8, 2 * BEGINNING // max(1, load_int64(row, j.COUNT, 0))))


@compiled
def beyond(job: int, elements: int) -> Any:
    """How many elements behind a slice's end are worth a prefetch, if not more than `elements`."""
    return 0 if load_int64(job, j.SCATTERED, 0) != 0 else elements


@compiled
def ask(at: int, size: int) -> None:
    """Prefetch so many bytes."""
    for line in range(at, at + size, LINE):
        prefetch(line)
    # Where the beginning does not lie on a line's, the end lies on one more.
    prefetch(at + max(size - 1, 0))


@compiled
def _ask_gradient(row: int) -> None:
    form = load_int64(row, j.FORM, 0)
    width = 4 if form == 0 else 8 if form == 1 else 2
    ask(load_int64(row, j.GRADIENT, 0), min(load_int64(row, j.COUNT, 0), BEGINNING) * width)


@compiled
def survey(job: int) -> None:
    """Write every slice's sum of squares; threads claim slices in shares."""
    first, more = take(job, j.SURVEYED), beyond(job, 1024)
    while first < load_int64(job, j.SLICES, 0):
        last, ahead = share_end(job, first), distance(job, slice_at(job, first))
        for k in range(first, last):
            row = slice_at(job, k)
            if k + ahead < last:
                _ask_gradient(slice_at(job, k + ahead))
            at, count = load_int64(row, j.GRADIENT, 0), load_int64(row, j.COUNT, 0)
            total = 0.0
            if at != 0:
                total = _squares(at, count, load_int64(row, j.FORM, 0), more)
            store_float64(row, j.SQUARES, 0, total)
        first = take(job, j.SURVEYED)


@compiled
def lift(scale: float) -> float:
    """A first factor for scales that float32 could only hold with fewer digits, else 1.

    A gradient near 3e38 that is clipped to 1 needs a factor of 3e-39, which float32 rounds to 1 in
    25,000; in two steps each factor has all its digits.
    """
    return 2.0**-64 if math.fabs(scale) < 2.0**-100 else 1.0


@compiled
def settle(job: int) -> int:
    """Add the slices up in their order, clip, and say whether the sum is finite."""
    total = 0.0
    for k in range(load_int64(job, j.SLICES, 0)):
        total += load_float64(slice_at(job, k), j.SQUARES, 0)
    scale, clip = load_float64(job, j.SCALE, 0), load_float64(job, j.CLIP, 0)
    norm = math.sqrt(total) * math.fabs(scale)
    store_float64(job, j.NORM, 0, norm)
    if norm > clip:
        store_float64(job, j.SCALE, 0, scale * (clip / norm))
    return j.DONE if total - total == 0.0 else j.NOT_FINITE


@compiled
def end(job: int, count: int, scalars: int) -> None:
    """Count slices as finished; the last ones take over step counts and scalar states.

    Until then nothing but the arrays has changed, and once a sweep has begun every thread runs it
    to the end: an interrupted step is either not begun or whole.
    """
    if claim(job, j.FINISHED, count) + count != load_int64(job, j.SLICES, 0):
        return
    steps, active = load_int64(job, j.STEPS, 0), load_int64(job, j.ACTIVE, 0)
    old, new = load_int64(job, j.SCALARS, 0), load_int64(job, j.NEXT, 0)
    tensors = load_int64(job, j.TENSORS, 0)
    for k in range(tensors + 1):
        if load_int64(active, k, 0) != 0:
            store_int64(steps, k, 0, load_int64(steps, k, 0) + 1)
            if k < tensors:
                for s in range(k * scalars, (k + 1) * scalars):
                    store_float64(old, s, 0, load_float64(new, s, 0))
