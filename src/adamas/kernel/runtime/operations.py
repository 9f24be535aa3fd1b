"""The machine operations by one set of names, whether Numba compiles or not.

They come from `intrinsics` and `integers`, or from `stepping` and `stepping_integers` where Numba's
compiler is switched off.
"""

import math
from typing import Any

from numba import config, float32, float64, njit

from adamas.kernel.runtime import integers as _integers
from adamas.kernel.runtime import intrinsics, linked, stepping, stepping_integers

__all__ = [
    "abs", "atan2", "claim", "compiled", "compiled_as", "cos", "entry", "exp", "float32",
    "float64", "integers", "interpreted", "load_float32", "load_float64", "load_int64", "log",
    "maximum", "minimum", "nan", "number64", "prefetch", "sign", "sin", "sqrt", "store_float32",
    "store_float64", "store_int64", "tanh", "where", "widest_vectors",
]  # fmt: skip

interpreted = bool(config.DISABLE_JIT)
integers: Any = stepping_integers if interpreted else _integers
nan = math.nan
_now: Any = stepping if interpreted else intrinsics
abs, exp, log, sign, sqrt = _now.abs, _now.exp, _now.log, _now.sign, _now.sqrt
atan2, cos, sin, tanh = _now.atan2, _now.cos, _now.sin, _now.tanh
maximum, minimum, where = _now.maximum, _now.minimum, _now.where
load_float32, store_float32 = _now.load_float32, _now.store_float32
load_float64, store_float64 = _now.load_float64, _now.store_float64
load_int64, store_int64, number64 = _now.load_int64, _now.store_int64, _now.number64
claim, prefetch, widest_vectors = _now.claim, _now.prefetch, _now.widest_vectors

# No fast-math anywhere: each operation is rounded as IEEE says, so vector bodies, remainders and
# any split give the same bits.

# What only kernels call needs no wrappers for Python and C: to compile them took 1.0 of the 4.0 s
# of a first kernel, and 0.2 to 0.5 s of each further one; and no machine code of its own (decision
# 0041). Called from Python it crashes the process: what Python calls is an `entry`.
compiled = njit(
    nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True,
    pipeline_class=linked.Compiler,
)  # fmt: skip


def compiled_as(name: str) -> Any:
    """`compiled` for a function that a function makes: under a name that is its own.

    Numba names machine code by a function's name, module and types. Two kernels from its disk cache
    that each bring another function under one name share the first, silently.
    """

    def decorate(function: Any) -> Any:
        function.__name__ = function.__qualname__ = name
        return compiled(function)

    return decorate


def entry(cached: bool) -> Any:
    """The decorator of a kernel's entry point; `cached` keeps its machine code beside its file."""
    if interpreted:
        return stepping.quiet
    return njit(nogil=True, error_model="numpy", cache=cached)
