"""The integer operations in plain Python, for stepping through a kernel in a debugger."""

import ctypes
from typing import Any

import numpy as np

from adamas.kernel.runtime.stepping import memory

int32 = np.int32
PURPOSE = 668265263
_rooms: list[Any] = []


def _wrapped(value: int) -> Any:
    return np.int32(((int(value) + (1 << 31)) & 0xFFFFFFFF) - (1 << 31))


def add(x: Any, y: Any) -> Any:
    """Sum, wrapping around."""
    return _wrapped(int(x) + int(y))


def sub(x: Any, y: Any) -> Any:
    """Difference, wrapping around."""
    return _wrapped(int(x) - int(y))


def mul(x: Any, y: Any) -> Any:
    """Product, wrapping around."""
    return _wrapped(int(x) * int(y))


def both(x: Any, y: Any) -> Any:
    """Bits that are set in both."""
    return np.int32(int(x) & int(y))


def either(x: Any, y: Any) -> Any:
    """Bits that are set in either."""
    return np.int32(int(x) | int(y))


def differ(x: Any, y: Any) -> Any:
    """Bits that are set in one of the two."""
    return np.int32(int(x) ^ int(y))


def left(x: Any, y: Any) -> Any:
    """Shift left; bits that fall off are lost."""
    return _wrapped(int(x) << int(y))


def right(x: Any, y: Any) -> Any:
    """Shift right, keeping the sign."""
    return np.int32(int(x) >> int(y))


def down(x: Any, y: Any) -> Any:
    """Shift right, filling with zeros."""
    return _wrapped((int(x) & 0xFFFFFFFF) >> int(y))


def larger(x: Any, y: Any) -> Any:
    """The larger of two."""
    return x if x > y else y


def smaller(x: Any, y: Any) -> Any:
    """The smaller of two."""
    return x if x < y else y


def bits(x: Any) -> Any:
    """The bits of a float32."""
    return np.float32(x).view(np.int32)


def number(x: Any) -> Any:
    """The float32 with these bits."""
    return np.int32(x).view(np.float32)


def plus(x: Any, y: Any) -> Any:
    """The bits of a sum of floats."""
    return bits(number(x) + number(y))


def minus(x: Any, y: Any) -> Any:
    """The bits of a difference of floats."""
    return bits(number(x) - number(y))


def is_nan(x: Any) -> bool:
    """Whether these are the bits of a NaN."""
    return bool(np.isnan(number(x)))


def _codes(kind: Any) -> tuple[Any, Any]:
    load, store = memory(kind, np.int32)
    mask = (1 << 8 * ctypes.sizeof(kind)) - 1

    def store_code(address: int, index: int, scope: int, value: Any) -> None:
        store(address, index, scope, int(value) & mask)

    return load, store_code


load_uint8, store_uint8 = _codes(ctypes.c_uint8)
load_int8, store_int8 = _codes(ctypes.c_int8)
load_uint16, store_uint16 = _codes(ctypes.c_uint16)
load_int16, store_int16 = _codes(ctypes.c_int16)
load_int32, store_int32 = memory(ctypes.c_int32, np.int32)


def number_float16(code: Any) -> Any:
    """The float32 that a float16 with these bits is."""
    return np.float32(np.uint16(code).view(np.float16))


def load_float16(address: int, index: int, scope: int) -> Any:
    """A float16 as the float32 it is."""
    return number_float16(load_uint16(address, index, scope))


def scratch(size: int) -> int:
    """The address of fresh memory, which a process that is being debugged can afford to keep."""
    _rooms.append(np.zeros(size, np.uint8))
    return int(_rooms[-1].ctypes.data)


def barrier() -> None:
    """Nothing: Python does everything in order."""


def inline() -> None:
    """Nothing: a call is a call."""


def outline() -> None:
    """Nothing: a call is a call."""


def mix(key: Any, number: int, purpose: int) -> Any:
    """32 random bits, as in `integers`."""
    x = add(differ(key, mul(_wrapped(number), int32(-1640531535))), mul(purpose, PURPOSE))
    x = mul(differ(x, down(x, 16)), 0x7FEB352D)
    x = mul(differ(x, down(x, 15)), -2073254261)
    return differ(x, down(x, 16))
