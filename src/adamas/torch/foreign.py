"""State that others wrote becomes state that this optimizer keeps: torch's and bitsandbytes'.

torch.optim is read as it is. bitsandbytes' 8-bit state is a table of 256 values and a scale for
every block of 256 numbers (Dettmers et al. 2022): arithmetic, so the package is not needed.
"""

from collections.abc import Mapping
from typing import Any

import torch

from adamas.engine.tensors import memory_order
from adamas.kernel.formula import Formula
from adamas.torch.states import Names
from adamas.torch.views import saved_array

# What a nested dict of quantised state is called in state dicts of bitsandbytes 0.44 and later.
NESTED = "__bnb_optimizer_quant_state__"


def readable(
    entry: Mapping[str, Any], formula: Formula, names: Names, parameter: torch.Tensor
) -> dict[str, Any]:
    """`entry` under the names that `names` gives; raises ValueError for what cannot be read."""
    # Flattened checkpoints give back an empty dict for a name that they do not hold.
    empty = [key for key, value in entry.items() if isinstance(value, Mapping) and not value]
    flat = {key: value for key, value in entry.items() if key not in (NESTED, *empty)}
    nested = entry.get(NESTED, {})
    if not isinstance(nested, Mapping):
        raise TypeError(f"{NESTED} is {type(nested).__name__}, not a dict.")
    flat.update(nested)
    if "state1" in flat:
        return _bitsandbytes(flat, formula, names, parameter)
    return flat


def _bitsandbytes(
    flat: Mapping[str, Any], formula: Formula, names: Names, parameter: torch.Tensor
) -> dict[str, Any]:
    lost = [key for key in ("step", "state1") if key not in flat]
    count = sum(f"state{k + 1}" in flat for k in range(2))
    for k in range(1, count + 1):
        state = flat.get(f"state{k}")
        if isinstance(state, torch.Tensor) and state.dtype == torch.uint8:
            lost += [key for key in (f"qmap{k}", f"absmax{k}") if key not in flat]
    if lost:
        raise ValueError(f"bitsandbytes state lacks {lost[0]!r}; it has {', '.join(flat)}.")
    if count != len(formula.states):
        raise ValueError(
            f"bitsandbytes state has {count} moments, {formula.name} keeps {len(formula.states)}."
        )
    found: dict[str, Any] = {"step": flat["step"]}
    for k, state in enumerate(formula.states, 1):
        value = _tensor(flat, f"state{k}")
        if value.dtype == torch.uint8:
            value = _decoded(value, _tensor(flat, f"qmap{k}"), _tensor(flat, f"absmax{k}"))
        if value.numel() != parameter.numel():
            raise ValueError(
                f"bitsandbytes state{k} has {value.numel()} elements, the parameter "
                f"{parameter.numel()}."
            )
        found[names.torch[state]] = value.reshape(parameter.shape)
    return found


def _tensor(flat: Mapping[str, Any], key: str) -> torch.Tensor:
    value = flat[key]
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"bitsandbytes {key} is {type(value).__name__}, not a tensor.")
    return value


def _decoded(codes: torch.Tensor, table: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    if table.numel() != 256 or not table.is_floating_point() or not scales.is_floating_point():
        raise ValueError(
            f"bitsandbytes codes mean nothing with a table of {table.numel()} {table.dtype} and "
            f"scales of {scales.dtype}."
        )
    # Blocks run over the codes as they lie in memory, which is as the parameter lay.
    axes = memory_order(saved_array(codes, "bitsandbytes state")) or tuple(range(codes.ndim))
    turned = codes.permute(axes)
    flat = turned.reshape(-1)
    # Blocks of 256 in version 0.44 and later, of 2048 before.
    block = next((n for n in (256, 2048) if -(-flat.numel() // n) == scales.numel()), None)
    if block is None:
        raise ValueError(
            f"bitsandbytes state has {scales.numel()} scales for {flat.numel()} codes."
        )
    values = table.reshape(-1)[flat.long()] * scales.repeat_interleave(block)[: flat.numel()]
    back = sorted(range(codes.ndim), key=axes.__getitem__)
    return values.to(torch.float32).reshape(turned.shape).permute(back)
