"""The 8-bit state of bitsandbytes, read: a table of 256 values and a scale for every block.

Blocks are of 256 numbers, 2048 before version 0.44 (Dettmers et al. 2022).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from adamas.homes.neutral import numbers

# What a nested dict of quantised state is called in state dicts of 0.44 and later.
NESTED = "__bnb_optimizer_quant_state__"


def opened(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of a state dict with its states as float32 numbers, in the shape of their codes.

    Raises ValueError for codes without table or scales.
    """
    flat = {**{k: v for k, v in entry.items() if k != NESTED}, **entry.get(NESTED, {})}
    found = {"step": flat["step"]}
    for k in (1, 2):
        if (name := f"state{k}") not in flat:
            continue
        codes = numbers(name, flat[name])
        found[name] = codes
        if codes.dtype == np.uint8:
            if lost := [key for key in (f"qmap{k}", f"absmax{k}") if flat.get(key) is None]:
                raise ValueError(f"bitsandbytes state lacks {lost[0]!r}; it has {', '.join(flat)}.")
            table = numbers(f"qmap{k}", flat[f"qmap{k}"]).ravel()
            scales = numbers(f"absmax{k}", flat[f"absmax{k}"]).ravel()
            block = next((n for n in (256, 2048) if -(-codes.size // n) == scales.size), 0)
            if not block or table.size != 256:
                raise ValueError(
                    f"bitsandbytes codes mean nothing with a table of {table.size} values and "
                    f"{scales.size} scales for {codes.size} codes."
                )
            spread = np.repeat(scales, block)[: codes.size].reshape(codes.shape)
            found[name] = table[codes] * spread
    return found
