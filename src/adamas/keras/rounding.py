"""float32 numbers become those of bfloat16, up or down at random, by the kernels' random words."""

from typing import Any

from adamas.codecs import FORMATS
from adamas.engine.grid import grid_of
from adamas.keras.steps import native
from adamas.kernel import dither
from adamas.words import rebound

_CODEC = FORMATS["bfloat16"]["mean"]
assert _CODEC.encode and _CODEC.decode
_encode, _decode = (rebound(one, native.CODEC) for one in (_CODEC.encode, _CODEC.decode))
_words, _key = rebound(dither.words, native.DITHER), rebound(dither.step_key, native.DITHER)


def rounded(x: Any, seed: int, own: int, step: Any, purpose: int) -> Any:
    """float32 numbers that bfloat16 holds, unbiased: as kernels round tensor `own` at `step`.

    `purpose` counts the arrays of a tensor that are rounded, the parameter first.
    """
    grid = grid_of(tuple(x.shape))
    key = _key(seed, native.array(own, "int32", x), native.array(step, "int32", x))
    random = _words(key, purpose, grid.rows, grid.width, native.counter(x))
    code = _encode(native.integers(native.bits(x)), 0, native.integers(random))
    return native.floats(native.plain(_decode(code, 0)), x)
