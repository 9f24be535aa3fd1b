"""How one number of the parameter, the gradient or a state lies in memory.

A codec names its dtype and the bytes it takes; the kernel decodes it to the dtype it computes in
and encodes it on the way back. Today these are the plain IEEE formats, which lose nothing; formats
with block scales and stochastic rounding get their decode and encode here.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["CODECS", "FLOAT32", "FLOAT64", "Codec", "find"]


@dataclass(frozen=True)
class Codec:
    """One storage format: `dtype` is NumPy's name of it, `size` the bytes of one element."""

    name: str
    dtype: str
    size: int


FLOAT32 = Codec("float32", "float32", 4)
FLOAT64 = Codec("float64", "float64", 8)
CODECS = {codec.name: codec for codec in (FLOAT32, FLOAT64)}


def find(name: str | np.dtype[np.generic]) -> Codec:
    """The codec for a name or a NumPy dtype; raises ValueError naming those there are."""
    text = str(name)
    if text not in CODECS:
        raise ValueError(
            f"no storage format {text!r}; adamas stores {', '.join(CODECS)}. "
            "Convert the array with .astype(np.float32)."
        )
    return CODECS[text]
