"""The memory order of saved codes.

Blocks run over a parameter in the order of its memory, and scales and codes of four bits are flat:
of themselves they do not say to which elements they belong. A state with blocks therefore has a
number more, `memory_order`: the place of the parameter's axes, from slowest to fastest in memory,
among all their permutations. It is 0 for C-contiguous parameters.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from adamas.codecs import Codec
from adamas.engine.grid import Order
from adamas.engine.loading import whole
from adamas.engine.tensors import Tensor, memory_order
from adamas.kernel.layout import MEMORY_ORDER


def ordered(tensor: Tensor, codecs: Mapping[str, Codec]) -> bool:
    """Whether the state of a tensor has blocks whose place depends on the order of its memory."""
    return tensor.given.ndim > 1 and any(codec.low for codec in codecs.values())


def order_of(entry: Mapping[str, Any], states: tuple[str, ...], here: Order) -> Order:
    """The order in which a saved state lies; `here` is the one that its parameter has now.

    A state that was saved before orders were is taken at the strides of its codes. Raises
    TypeError or ValueError if it has none and `here` is not the usual order, or if what it says is
    no order.
    """
    if MEMORY_ORDER in entry:
        known = Order.numbered(here.shape, whole(f"saved {MEMORY_ORDER}", entry[MEMORY_ORDER]))
        return replace(here, axes=known.axes)
    plain = replace(here, axes=tuple(range(len(here.shape))))
    for name in states:
        codes = entry.get(name)
        if isinstance(codes, np.ndarray) and codes.shape == here.shape:
            return replace(here, axes=memory_order(codes) or plain.axes)
    if here.same(plain):
        return here
    raise ValueError(
        f"the saved state has flat codes without {MEMORY_ORDER} (0 if C-contiguous), and the "
        f"parameter is not C-contiguous. If it lay then as it does here, add {MEMORY_ORDER} "
        f"{here.number} to its saved state; else load it beside one that lies as that one did."
    )
