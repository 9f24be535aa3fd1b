"""State that others wrote becomes state that this optimizer keeps: torch's and bitsandbytes'.

torch.optim is read as it is. bitsandbytes' 8-bit state is a table of 256 values and a scale for
every block of 256 numbers (Dettmers et al. 2022): arithmetic, so the package is not needed.
"""

from collections.abc import Mapping
from typing import Any

import torch

from adamas.kernel.formula import Formula
from adamas.torch.states import Names

# What a nested dict of quantised state is called in state dicts of bitsandbytes 0.44 and later.
NESTED = "__bnb_optimizer_quant_state__"


def readable(
    entry: Mapping[str, Any], formula: Formula, names: Names, parameter: torch.Tensor
) -> dict[str, Any]:
    """`entry` under the names that `names` gives; raises ValueError for what cannot be read."""
    flat = {key: value for key, value in entry.items() if key != NESTED}
    flat.update(entry.get(NESTED, {}))
    if "state1" in flat:
        return _bitsandbytes(flat, formula, names, parameter)
    return flat


def _bitsandbytes(
    flat: Mapping[str, Any], formula: Formula, names: Names, parameter: torch.Tensor
) -> dict[str, Any]:
    found: dict[str, Any] = {"step": flat["step"]}
    count = sum(f"state{k + 1}" in flat for k in range(2))
    if count != len(formula.states):
        raise ValueError(
            f"bitsandbytes state has {count} moments, {formula.name} keeps {len(formula.states)}."
        )
    for k, state in enumerate(formula.states, 1):
        value = flat[f"state{k}"]
        if value.dtype == torch.uint8:
            value = _decoded(value, flat[f"qmap{k}"], flat[f"absmax{k}"])
        found[names.torch[state]] = value.reshape(parameter.shape)
    return found


def _decoded(codes: torch.Tensor, table: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    flat = codes.reshape(-1)
    # Blocks of 256 in version 0.44 and later, of 2048 before.
    block = next((n for n in (256, 2048) if -(-flat.numel() // n) == scales.numel()), None)
    if block is None:
        raise ValueError(
            f"bitsandbytes state has {scales.numel()} scales for {flat.numel()} codes."
        )
    values = table[flat.long()] * scales.repeat_interleave(block)[: flat.numel()]
    return values.to(torch.float32).reshape(codes.shape)
