"""NumPy's scalars in a file of torch, such as a best loss, as plain numbers.

A file has them as calls of NumPy. What stands here in its place takes numbers and texts, and runs
nothing of NumPy's own unpickling, which trusts what a file says of a dtype.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

# Truth values, whole numbers and floats, by their letter and bytes.
NUMBERS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"b1", "f2", "f4", "f8"}
# Where NumPy had its function before version 2, and where it has it now.
PLACES = ("numpy.core.multiarray", "numpy._core.multiarray")


class Dtype:
    """What a file says of a dtype: its code and the order of its bytes."""

    def __init__(self, code: str, *others: object) -> None:
        self.code, self.order = code, "<"

    def __setstate__(self, state: Any) -> None:
        """The order of bytes is all that is asked of what a file says."""
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">"):
            self.order = state[1]


def scalar(dtype: Any = None, data: Any = None) -> bool | int | float:
    """The number that a scalar of NumPy is; ValueError for what is none."""
    code = dtype.code if isinstance(dtype, Dtype) else None
    if code not in NUMBERS or not isinstance(data, bytes) or len(data) != int(code[1:]):
        raise ValueError(
            "it holds a scalar of NumPy that is no number; save a text as str(x), a number as "
            "float(x)"
        )
    found: bool | int | float = np.frombuffer(data, f"{dtype.order}{code}")[0].item()
    return found


def _called(name: str, place: str, kind: Callable[..., Any]) -> Any:
    """The same under the name by which torch finds it."""
    kind.__module__, kind.__qualname__, kind.__name__ = place, name, name
    return kind


STANDING = [_called("dtype", "numpy", Dtype)]
STANDING += [_called("scalar", place, lambda *given: scalar(*given)) for place in PLACES]


def allowed() -> AbstractContextManager[None]:
    """While this is entered, torch reads them; torch 2.4 cannot be told so."""
    import torch

    # Any: torch gives its contexts no types.
    able: Any = getattr(torch.serialization, "safe_globals", None)
    entered: AbstractContextManager[None] = nullcontext() if able is None else able(STANDING)
    return entered
