"""The machine operations in plain Python, for stepping through a kernel in a debugger.

With NUMBA_DISABLE_JIT=1 the generated file runs as it stands, one element at a time and slowly, and
gives the same bits as the machine code: NumPy's scalars round every operation as IEEE says.
"""

import ctypes
import math
import threading
from typing import Any

import numpy as np

_lock = threading.Lock()


def memory(kind: Any, number: Any) -> tuple[Any, Any]:
    """Load and store of one ctypes type, as a `number`."""
    size = ctypes.sizeof(kind)

    def load(address: int, index: int, scope: int) -> Any:
        return number(kind.from_address(address + size * index).value)

    def store(address: int, index: int, scope: int, value: Any) -> None:
        kind.from_address(address + size * index).value = value

    return load, store


load_float32, store_float32 = memory(ctypes.c_float, np.float32)
load_float64, store_float64 = memory(ctypes.c_double, np.float64)
load_int64, store_int64 = memory(ctypes.c_int64, int)
sqrt, abs = np.sqrt, np.absolute


def number64(x: int) -> Any:
    """The float64 with these bits."""
    return np.int64(x).view(np.float64)


# Decorates the entry point: what machine code does silently, NumPy would warn of.
quiet = np.errstate(all="ignore")


def claim(address: int, index: int, amount: int) -> int:
    """Add `amount` to the word and return what it held."""
    with _lock:
        held = load_int64(address, index, 0)
        store_int64(address, index, 0, held + amount)
    return int(held)


def prefetch(address: int) -> None:
    """Nothing: memory is slow here anyway."""


def widest_vectors() -> None:
    """Nothing: there are no vectors here."""


def maximum(x: Any, y: Any) -> Any:
    """The larger; NaN if either is NaN, and `x` where both are zeros."""
    return x if x >= y or x != x else y


def minimum(x: Any, y: Any) -> Any:
    """The smaller; NaN if either is NaN, and `x` where both are zeros."""
    return x if x <= y or x != x else y


def where(condition: Any, x: Any, y: Any) -> Any:
    """`x` where the condition holds, else `y`."""
    return x if condition else y


def sign(x: Any) -> Any:
    """-1, 0 or 1; NaN stays NaN."""
    return type(x)(1) if x > 0 else type(x)(-1) if x < 0 else x


def exp(x: Any) -> Any:
    """The natural exponential; inf where it overflows."""
    try:
        return type(x)(math.exp(x))
    except OverflowError:
        return type(x)(math.inf)


def log(x: Any) -> Any:
    """The natural logarithm; -inf at zero and NaN below."""
    return np.log(x) if not x > 0 else type(x)(math.log(x))


def cos(x: Any) -> Any:
    """The cosine; NaN of infinity."""
    return type(x)(math.cos(x) if math.isfinite(x) else math.nan)


def sin(x: Any) -> Any:
    """The sine; NaN of infinity."""
    return type(x)(math.sin(x) if math.isfinite(x) else math.nan)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return type(x)(math.tanh(x))


def atan2(y: Any, x: Any) -> Any:
    """The angle of a point."""
    return type(x)(math.atan2(y, x))
