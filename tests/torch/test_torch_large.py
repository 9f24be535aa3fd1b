"""Of a finite gradient no rule makes NaN or infinity unseen: in kernels, and in torch elsewhere."""

from typing import Any

import pytest
import torch
from torch import nn

import adamas.torch
from adamas.torch import Adafactor, AdamW, CenteredRMSprop, Lars, Lion, Optimizer, StableAdamW

CLASSES = (AdamW, CenteredRMSprop, Lion, StableAdamW, Adafactor, Lars)
SHAPES = {"matrix": (6, 50), "vector": (300,)}


def made(
    rule: type[Optimizer], anywhere: bool, mode: str, dtype: torch.dtype = torch.float32
) -> tuple[Optimizer, dict[str, nn.Parameter]]:
    """An optimizer one step old, of a class as it works here or where there are no kernels."""
    random = torch.Generator().manual_seed(0)
    params = {
        name: nn.Parameter(torch.randn(shape, generator=random).to(dtype))
        for name, shape in SHAPES.items()
    }
    kind: Any = type(rule.__name__, (rule,), {"_anywhere": anywhere})
    optimizer = kind(list(params.items()), on_nonfinite=mode)
    given(params)
    optimizer.step()
    return optimizer, params


def given(params: dict[str, nn.Parameter]) -> None:
    """New gradients around 1."""
    random = torch.Generator().manual_seed(1)
    for p in params.values():
        p.grad = torch.randn(p.shape, generator=random).to(p.dtype)


def numbers(optimizer: Any, p: nn.Parameter) -> dict[str, torch.Tensor]:
    """A parameter and its state; copies."""
    found = {"p": p.detach().clone(), **optimizer.values(p)}
    return {k: v.clone() for k, v in found.items() if isinstance(v, torch.Tensor)}


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("rule", CLASSES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("mode", ["guard", "raise", "skip"])
@pytest.mark.parametrize("size", [3.4e38, 1e25, 1e-44])
def test_all_stays_finite_or_is_told(
    rule: type[Optimizer], anywhere: bool, mode: str, size: float
) -> None:
    """After a step all is finite; a tensor that is summed, and an error tells of, did not move."""
    optimizer, params = made(rule, anywhere, mode)
    for _ in range(2):
        given(params)
        matrix = params["matrix"]
        assert matrix.grad is not None
        if size < 1:
            matrix.grad.zero_()
        matrix.grad[2, 7] = size
        before, told = numbers(optimizer, matrix), None
        try:
            optimizer.step()
        except adamas.NonFiniteError as error:
            told = error
        after = numbers(optimizer, matrix)
        if told and (told.left == 0 or optimizer.formula.over):
            assert told.key == "matrix"
            assert all(torch.equal(after[name], before[name]) for name in before)
        for p in params.values():
            assert all(bool(one.isfinite().all()) for one in numbers(optimizer, p).values())


@pytest.mark.parametrize("anywhere", [False, True])
def test_a_complex_number_stays_whole(anywhere: bool) -> None:
    """Where one part of it is too large the other does not move either."""
    optimizer, params = made(AdamW, anywhere, "guard", torch.complex64)
    given(params)
    p = params["vector"]
    assert p.grad is not None
    p.grad[5] = complex(1.0, 1e30)
    before = p.detach().clone()
    with pytest.raises(adamas.NonFiniteError, match="'vector' holds"):
        optimizer.step()
    assert torch.equal(p[5], before[5])
    assert not torch.equal(p[200], before[200])
    assert bool(torch.view_as_real(p.detach()).isfinite().all())
