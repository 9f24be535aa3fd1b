"""The words of a formula on the torch backend; what is once a step is NumPy's."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import keras
import numpy as np
import torch

from adamas import words
from adamas.kernel.bound import ELEMENTWISE
from adamas.kernel.totals import axes, kept, reduced


@contextmanager
def scope() -> Iterator[None]:
    """Where a step is computed: without gradients, and dividing by zero is no news."""
    with torch.no_grad(), np.errstate(all="ignore"):
        yield


def outside() -> Any:
    """Where a variable is assigned at once: everywhere."""
    return nullcontext()


def wide(value: Any) -> Any:
    """A number of float64, of a number or a variable."""
    return np.float64(float(value.value if isinstance(value, keras.Variable) else value))


def array(value: Any, dtype: str, like: Any = None) -> torch.Tensor:
    """A tensor of `dtype`, of a variable, a tensor, or a number for the device of `like`."""
    value = value.value if isinstance(value, keras.Variable) else value
    if isinstance(value, torch.Tensor):
        return value.detach().to(getattr(torch, dtype))
    return torch.tensor(value, dtype=getattr(torch, dtype), device=like.device)


def _wide(x: torch.Tensor) -> torch.Tensor:
    return array(x, "float64")


def _total(x: torch.Tensor, over: str) -> torch.Tensor:
    return torch.sum(_wide(x), axes(x.ndim, over), keepdim=kept(over))


ONCE: dict[str, Any] = {name: getattr(words, name) for name in ELEMENTWISE}
BODY: dict[str, Any] = {name: getattr(torch, name) for name in ELEMENTWISE}
BODY |= reduced(_total, _wide, torch.sqrt)


def bits(x: torch.Tensor) -> torch.Tensor:
    """The bits of float32 numbers, flat, as int32."""
    return x.reshape(-1).view(torch.int32)


def floats(found: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """The float32 numbers of such bits, in the shape of another tensor."""
    return found.view(torch.float32).reshape(like.shape)


def counter(like: torch.Tensor) -> Any:
    """A function that makes the int32 from 0 to n - 1 beside another tensor."""
    return lambda n: torch.arange(n, dtype=torch.int32, device=like.device)


# What the words of `kernel.dither` and of the codecs mean on integers.
DITHER: dict[str, Any] = {}
CODEC: dict[str, Any] = {
    "where": torch.where,
    "is_nan": lambda x: torch.isnan(x.view(torch.float32)),
}


def integers(found: torch.Tensor) -> Any:
    """Arrays that have the operators of a codec."""
    return found


plain = integers
