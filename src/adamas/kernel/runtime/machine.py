"""What every generated kernel calls: the work that is the same for all rules.

This module imports Numba and is imported by generated kernels only, at the first step.
"""

import math
from typing import Any

from adamas.kernel.runtime import job as j
from adamas.kernel.runtime.operations import (
    abs,
    atan2,
    claim,
    compiled,
    cos,
    entry,
    exp,
    float32,
    float64,
    integers,
    load_float32,
    load_float64,
    load_int64,
    log,
    maximum,
    minimum,
    nan,
    prefetch,
    sign,
    sin,
    sqrt,
    store_float32,
    store_float64,
    store_int64,
    tanh,
    where,
    widest_vectors,
)  # fmt: skip
from adamas.kernel.runtime.reductions import (
    ANY,
    clear,
    doubtful_bfloat16,
    doubtful_float16,
    doubtful_float32,
    doubtful_float64,
    finite,
    largest_bfloat16,
    largest_float16,
    largest_float32,
    largest_float64,
    squares,
    tally_bfloat16,
    tally_float16,
    tally_float32,
    tally_float64,
    total,
)  # fmt: skip
from adamas.kernel.runtime.scaling import lift as _lift
from adamas.kernel.runtime.sums import (
    add_few_float32,
    add_few_float64,
    fold,
    fold_columns_float32,
    fold_columns_float64,
    fold_few,
    fold_numbers_float32,
    fold_numbers_float64,
    fold_squares_float32,
    fold_squares_float64,
    numbers_float32,
    numbers_float64,
    room_float32,
    room_float64,
    squares_float32,
    squares_float64,
    together,
)

__all__ = [
    "BEGINNING", "abs", "add_few_float32", "add_few_float64", "apart", "ask", "atan2", "begin",
    "beyond", "clear", "close", "compiled", "copy", "cos", "distance", "doubtful_bfloat16",
    "doubtful_float16", "doubtful_float32", "doubtful_float64", "end", "entry", "exp", "fetch",
    "finite", "float32", "float64", "fold", "fold_columns_float32", "fold_columns_float64",
    "fold_few", "fold_numbers_float32", "fold_numbers_float64", "fold_squares_float32",
    "fold_squares_float64", "integers", "largest_bfloat16", "largest_float16", "largest_float32",
    "largest_float64", "last", "lift", "load_float32", "load_float64", "load_int64", "log", "lost",
    "maximum", "minimum", "nan", "note", "numbers_float32", "numbers_float64", "place_at",
    "prefetch", "room_float32", "room_float64", "rounding_key", "settle", "share_end", "sign",
    "sin", "slice_at", "sqrt", "squares_float32", "squares_float64", "stays", "store_float32",
    "store_float64", "store_int64", "survey", "take", "tally_bfloat16", "tally_float16",
    "tally_float32", "tally_float64", "tanh", "together", "total", "unsure", "waits", "where",
    "widest_vectors",
]  # fmt: skip

# How many elements of a slice are asked for before its turn comes.
BEGINNING = 256
LINE = 64


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
    return elements * (1 - load_int64(job, j.SCATTERED, 0))


@compiled
def ask(at: int, size: int) -> None:
    """Prefetch so many bytes."""
    for line in range(at, at + size, LINE):
        prefetch(line)
    # Where the beginning does not lie on a line's, the end lies on one more.
    prefetch(at + max(size - 1, 0))


@compiled
def fetch(at: int, lines: int) -> None:
    """Prefetch so many cache lines."""
    integers.inline()
    for k in range(lines):
        prefetch(at + LINE * k)


@compiled
def _ask_gradient(row: int) -> None:
    form = load_int64(row, j.FORM, 0)
    width = 4 if form == j.FLOAT32 else 8 if form == j.FLOAT64 else 2
    ask(load_int64(row, j.GRADIENT, 0), min(load_int64(row, j.COUNT, 0), BEGINNING) * width)


@compiled
def survey(job: int, tally: Any) -> None:
    """Write every slice's sum of squares; threads claim slices in shares.

    `tally` adds the squares of a block up, as the format of these gradients asks for.
    """
    first = take(job, j.SURVEYED)
    while first < load_int64(job, j.SLICES, 0):
        last, ahead = share_end(job, first), distance(job, slice_at(job, first))
        for k in range(first, last):
            row = slice_at(job, k)
            if k + ahead < last:
                _ask_gradient(slice_at(job, k + ahead))
            total = 0.0
            if load_int64(row, j.GRADIENT, 0) != 0:
                total = squares(row, tally)
            store_float64(row, j.SQUARES, 0, total)
        first = take(job, j.SURVEYED)


lift = compiled(_lift)


@compiled
def settle(job: int, calm: float) -> int:
    """Add the slices up in their order, clip, and say whether all is sure to stay finite.

    No element is larger than the norm. Where that is large, or the factor is, some may overflow on
    the way to the dtype of the arithmetic, or what is made of them.
    """
    total = 0.0
    for k in range(load_int64(job, j.SLICES, 0)):
        total += load_float64(slice_at(job, k), j.SQUARES, 0)
    scale, clip = load_float64(job, j.SCALE, 0), load_float64(job, j.CLIP, 0)
    norm = math.sqrt(total) * math.fabs(scale)
    store_float64(job, j.NORM, 0, norm)
    if norm > clip:
        scale = scale * (clip / norm)
        store_float64(job, j.SCALE, 0, scale)
    sure = min(norm, clip) <= calm and math.fabs(scale) <= j.SURE
    if load_int64(job, j.PLACES, 0) != 0:
        for k in range(load_int64(job, j.SLICES, 0)):
            found = load_float64(slice_at(job, k), j.SQUARES, 0)
            sure = sure and not 0 < found < j.FAINT
    return j.DONE if total < math.inf and sure else j.NOT_FINITE


@compiled
def last(job: int, count: int, left: int) -> Any:
    """Count slices as finished, with what was left out of them; whether a step ends with them."""
    if left != 0:
        claim(job, j.LEFT_OUT, left)
    if load_int64(job, j.LOOK, 0) & j.DRY != 0:
        return False
    return claim(job, j.FINISHED, count) + count == load_int64(job, j.SLICES, 0)


@compiled
def end(job: int, count: int, left: int, scalars: int) -> None:
    """Count slices as finished; the last ones take over step counts and scalar states."""
    if last(job, count, left):
        close(job, scalars)


@compiled
def close(job: int, scalars: int) -> None:
    """Take over step counts and scalar states.

    Until then nothing but the arrays has changed, and once a sweep has begun every thread runs it
    to the end: an interrupted step is either not begun or whole. A tensor of which nothing moved
    has made no step, and the optimizer none if none of its tensors has; so it is with a tensor
    without elements, in a batch that left something out.
    """
    some_left = load_int64(job, j.LEFT_OUT, 0) != 0
    moved = _moved(job, some_left)
    steps, active = load_int64(job, j.STEPS, 0), load_int64(job, j.ACTIVE, 0)
    old, new = load_int64(job, j.SCALARS, 0), load_int64(job, j.NEXT, 0)
    moving = load_int64(job, j.MOVING, 0)
    for k in range(load_int64(job, j.TENSORS, 0)):
        if load_int64(active, k, 0) == 0 or (some_left and load_int64(moving, k, 0) == 0):
            continue
        store_int64(steps, k, 0, load_int64(steps, k, 0) + 1)
        for s in range(k * scalars, (k + 1) * scalars):
            store_float64(old, s, 0, load_float64(new, s, 0))
    # The optimizer's own step is counted when all batches have ended; threads may be in several.
    shared, tensors = load_int64(job, j.SHARED, 0), load_int64(job, j.TENSORS, 0)
    news = 1 + j.MOVED * int(moved) + j.STOPPED * int(some_left)
    news += claim(shared, 0, news)
    if news & (j.MOVED - 1) != load_int64(job, j.BATCHES, 0):
        return
    store_int64(shared, 0, 0, 0)
    some = news < j.STOPPED or news & (j.STOPPED - 1) >= j.MOVED
    if some and load_int64(active, tensors, 0) != 0:
        store_int64(steps, tensors, 0, load_int64(steps, tensors, 0) + 1)


@compiled
def stays(job: int, k: int) -> Any:
    """Whether a tensor makes no step: without a gradient, or with one that is not finite.

    A process that holds no element of it leaves nothing out, and must know as well.
    """
    if load_int64(load_int64(job, j.ACTIVE, 0), k, 0) == 0:
        return True
    bad = load_float64(load_int64(place_at(job, k), j.LOST, 0), 0, 0) > 0
    return load_int64(job, j.LOOK, 0) != 0 and bad


@compiled
def apart(row: int) -> Any:
    """Whether a slice takes part in passes of its own: a part of a tensor with a gradient."""
    return load_int64(row, j.GRADIENT, 0) != 0 and load_int64(row, j.WHOLE, 0) == 0


@compiled
def waits(job: int, k: int) -> Any:
    """Whether a tensor's sums are added up between passes, and not by a slice that is all of it."""
    if load_int64(load_int64(job, j.ACTIVE, 0), k, 0) == 0:
        return False
    return load_int64(place_at(job, k), j.ALONE, 0) == 0


@compiled
def lost(row: int, place: int, look: int) -> Any:
    """Whether a tensor stays as it was, because something is not finite; then its slice does."""
    stays = look != 0 and load_float64(load_int64(place, j.LOST, 0), 0, 0) > 0
    store_int64(row, j.LEFT, 0, load_int64(row, j.COUNT, 0) if stays else 0)
    return stays


@compiled
def note(place: int, finite: bool) -> None:
    """Note that a tensor stays as it was, or must be tried first if all is `finite` so far."""
    store_float64(load_int64(place, j.LOST, 0), int(finite), ANY, 1.0)


@compiled
def unsure(place: int, look: int) -> Any:
    """Whether a tensor must be tried first, because what is not finite may come of it."""
    at = load_int64(place, j.LOST, 0)
    return look != 0 and load_float64(at, 0, ANY) == 0 and load_float64(at, 1, ANY) > 0


@compiled
def begin(place: int) -> None:
    """Nothing of a tensor is in doubt yet."""
    for k in range(2):
        store_float64(load_int64(place, j.LOST, 0), k, ANY, 0.0)


@compiled
def copy(to: int, at: int, size: int) -> None:
    """Copy so many bytes."""
    for k in range(size):
        integers.store_uint8(to, k, ANY, integers.load_uint8(at, k, ANY))


@compiled
def place_at(job: int, k: int) -> Any:
    """Where it says what a tensor's sums and numbers are, and where they lie."""
    return load_int64(job, j.PLACES, 0) + k * load_int64(job, j.PLACE, 0)


@compiled
def _moved(job: int, some_left: bool) -> bool:
    """Whether any element moved; where some were left out, note of which tensors one did."""
    moving, slices = load_int64(job, j.MOVING, 0), load_int64(job, j.SLICES, 0)
    active, moved = load_int64(job, j.ACTIVE, 0), False
    # Of the tensors in the table some may be stepped by another batch, on another thread.
    for k in range(load_int64(job, j.TENSORS, 0) if some_left else 0):
        if load_int64(active, k, 0) != 0:
            store_int64(moving, k, 0, 0)
    for k in range(slices):
        row = slice_at(job, k)
        if load_int64(row, j.GRADIENT, 0) == 0:
            continue
        if load_int64(row, j.LEFT, 0) < load_int64(row, j.COUNT, 0):
            moved = True
            if not some_left:
                break
            store_int64(moving, load_int64(row, j.TENSOR, 0), 0, 1)
    return moved
