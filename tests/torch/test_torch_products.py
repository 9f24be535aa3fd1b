"""Products of matrices in bfloat16: where the processor has them, and said where it has not."""

from typing import Any

import pytest
import torch

import adamas
import adamas.torch
from adamas.torch import products
from adamas.words import orthogonalize

SHAPES = [(64, 32), (32, 64), (50, 50), (8, 3, 2, 2), (5,), (0, 4)]


@adamas.rule
def spectral(p, g, m, *, lr=0.02, beta=0.95):  # type: ignore[no-untyped-def]
    """Momentum whose step has equal singular values. Jordan et al. 2024, without their scale."""
    m = beta * m + (1 - beta) * g
    p = p - lr * orthogonalize(m)
    return p, m


def stepped(matmul: str, dtype: torch.dtype = torch.float32) -> tuple[list[torch.Tensor], Any]:
    """Parameters after one step along their own directions, and the optimizer."""
    made = torch.Generator().manual_seed(3)
    starts = [torch.randn(shape, generator=made, dtype=torch.float64) for shape in SHAPES]
    params = [start.to(dtype).requires_grad_() for start in starts]
    optimizer = adamas.torch.optimizer(spectral)(params, lr=1.0, matmul=matmul)
    for p in params:
        p.grad = p.detach().clone()
    optimizer.step()
    return [p.detach() for p in params], optimizer


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bfloat16_moves_nearly_as_float32(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype
) -> None:
    """Its rounding is 2**-8 in each of five steps, whatever the processor says of its speed."""
    monkeypatch.setattr(products, "computes_bfloat16", lambda: True)
    (few, optimizer), (full, _) = stepped("bfloat16", dtype), stepped("float32", dtype)
    assert "CPU products: bfloat16" in repr(optimizer)
    assert any(not torch.equal(a, b) for a, b in zip(few, full, strict=True))
    for one, other in zip(few, full, strict=True):
        assert torch.allclose(one, other, atol=0.05)


def test_a_processor_without_bfloat16_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for where it would be slow, it is not used, and the optimizer says so."""
    monkeypatch.setattr(products, "computes_bfloat16", lambda: False)
    (few, optimizer), (full, _) = stepped("bfloat16"), stepped("float32")
    assert all(map(torch.equal, few, full))
    assert "CPU products: float32, because this processor has no" in repr(optimizer)


def test_what_multiplies_nothing_refuses_it() -> None:
    """An option that would be ignored is an error."""
    with pytest.raises(ValueError, match="adamw multiplies no matrices"):
        adamas.torch.AdamW([torch.ones(2, 2)], matmul="bfloat16")
    with pytest.raises(ValueError, match="matmul='float16' is not one of"):
        adamas.torch.optimizer(spectral)([torch.ones(2, 2)], matmul="float16")


def test_others_say_nothing_of_products() -> None:
    """The line stands where matrices are multiplied only."""
    assert "products" not in repr(adamas.torch.AdamW([torch.ones(2)]))
    assert "CPU products: float32" in repr(stepped("float32")[1])
