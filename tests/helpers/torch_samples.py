"""Parameters that come in pairs, gradients of some rows, and a state that went through a file."""

import io
from typing import Any

import torch

ROWS = 6


def pair(value: torch.Tensor) -> tuple[torch.nn.Parameter, torch.nn.Parameter]:
    """Two parameters with the same numbers and the same strides."""
    other = torch.empty_strided(value.size(), value.stride(), dtype=value.dtype).copy_(value)
    return torch.nn.Parameter(value), torch.nn.Parameter(other)


def rows_of(named: list[int], count: int = ROWS) -> torch.Tensor:
    """A COO gradient of ones at these rows."""
    values = torch.ones(len(named), 3)
    indices = torch.tensor([named], dtype=torch.int64).reshape(1, -1)
    return torch.sparse_coo_tensor(indices, values, (count, 3), check_invariants=True)


def through_a_file(opt: torch.optim.Optimizer) -> Any:
    """The state, saved and loaded without running code."""
    file = io.BytesIO()
    torch.save(opt.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)
