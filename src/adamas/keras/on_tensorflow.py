"""The words of a formula on the TensorFlow backend, eager or in a graph."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from adamas.kernel.bound import ELEMENTWISE
from adamas.kernel.totals import axes, kept, reduced

# `tf.log` is one of TensorFlow 1.
WORDS = {name: tf.math.log if name == "log" else getattr(tf, name) for name in ELEMENTWISE}


@contextmanager
def scope() -> Iterator[None]:
    """Where a step is computed: dividing by zero is no news."""
    with np.errstate(all="ignore"):
        yield


def outside() -> Any:
    """Where a variable is assigned at once, though a graph is being made."""
    return tf.init_scope()


def wide(value: Any) -> Any:
    """A number of float64, of a number, a variable or a tensor."""
    value = value.value if isinstance(value, keras.Variable) else value
    # `tf.cast` of a Python number goes through float32.
    return np.float64(value) if isinstance(value, float | int) else tf.cast(value, tf.float64)


def array(value: Any, dtype: str, like: Any = None) -> Any:
    """A tensor of `dtype`, of a variable, a tensor, a number, or what names rows only."""
    value = value.value if isinstance(value, keras.Variable) else value
    if isinstance(value, float | np.floating):
        return tf.constant(value, dtype)
    # Unlike `keras.ops.convert_to_tensor`, it adds up rows that are named twice.
    return tf.cast(tf.convert_to_tensor(value), dtype)


def _of_numbers(word: Callable[..., Any]) -> Callable[..., Any]:
    """The word for numbers of NumPy too, which would become float32 tensors."""

    def called(*arguments: Any) -> Any:
        return word(*(tf.convert_to_tensor(x) for x in arguments))

    return called


def _wide(x: Any) -> Any:
    return array(x, "float64")


def _total(x: Any, over: str) -> Any:
    return tf.reduce_sum(_wide(x), axes(len(x.shape), over), keepdims=kept(over))


ONCE: dict[str, Any] = {name: _of_numbers(word) for name, word in WORDS.items()}
BODY: dict[str, Any] = WORDS | reduced(_total, _wide, tf.sqrt)


def bits(x: Any) -> Any:
    """The bits of float32 numbers, flat, as int32."""
    return tf.bitcast(tf.reshape(x, (-1,)), tf.int32)


def floats(found: Any, like: Any) -> Any:
    """The float32 numbers of such bits, in the shape of another tensor."""
    return tf.reshape(tf.bitcast(found, tf.float32), like.shape)


def counter(like: Any) -> Any:
    """A function that makes the int32 from 0 to n - 1."""
    return tf.range


class integers:  # noqa: N801
    """int32 with the operators of a codec; tensors of TensorFlow have no shifts."""

    def __init__(self, found: Any) -> None:
        self.found = found

    def __add__(self, other: Any) -> "integers":
        return integers(self.found + plain(other))

    def __and__(self, other: Any) -> "integers":
        return integers(self.found & plain(other))

    def __or__(self, other: Any) -> "integers":
        return integers(self.found | plain(other))

    def __rshift__(self, count: int) -> "integers":
        return integers(tf.bitwise.right_shift(self.found, count))

    def __lshift__(self, count: int) -> "integers":
        return integers(tf.bitwise.left_shift(self.found, count))


def plain(found: Any) -> Any:
    """The tensor of such integers."""
    return found.found if isinstance(found, integers) else found


def _down(x: Any, count: int) -> Any:
    return tf.bitwise.right_shift(x, count) & ((1 << 32 - count) - 1)


def _where(condition: Any, x: Any, y: Any) -> integers:
    return integers(tf.where(condition, plain(x), plain(y)))


def _is_nan(found: integers) -> Any:
    return tf.math.is_nan(tf.bitcast(found.found, tf.float32))


# What the words of `kernel.dither` and of the codecs mean on integers.
DITHER: dict[str, Any] = {"_down": _down, "_shaped": tf.reshape}
CODEC: dict[str, Any] = {"where": _where, "is_nan": _is_nan}
