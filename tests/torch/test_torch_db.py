"""PyTorch's own optimizer cases, from its installed wheel, run against the classes of adamas."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.testing._internal.common_optimizers import (
    ErrorOptimizerInput,
    OptimizerErrorEnum,
    OptimizerInfo,
    OptimizerInput,
)

import adamas.torch
from torch_table import INFOS, NAMES

DTYPES = [torch.float32, torch.float64, torch.complex64]
# torch's own tests compare its implementations with these tolerances (float32; float64).
TOLERANCE = {
    torch.float32: {"rtol": 1.3e-6, "atol": 1e-5},
    torch.complex64: {"rtol": 1.3e-6, "atol": 1e-5},
    torch.float64: {"rtol": 1e-7, "atol": 1e-7},
}
# Centered RMSprop divides by sqrt(E[g^2] - E[g]^2), which cancels: where the difference is all
# rounding, torch and adamas round differently, and the root of 1e-7 is 3e-4.


def cases() -> Iterator[Any]:
    """Every input of every class."""
    for name in NAMES:
        for one in INFOS[name].optim_inputs_func(device="cpu"):
            yield pytest.param(name, one, id=f"{name}-{one.desc}")


def errors() -> Iterator[Any]:
    """Every error input of every class."""
    for name in NAMES:
        info: OptimizerInfo = INFOS[name]
        for one in info.optim_error_inputs_func(device="cpu", dtype=torch.float32):
            yield pytest.param(name, one, id=f"{name}-{one.optimizer_error_input.desc}")


def parameters(dtype: torch.dtype) -> list[torch.nn.Parameter]:
    """A matrix, a vector, a permuted tensor, a number and an empty tensor."""
    made = torch.Generator().manual_seed(0)
    shapes = [(7, 5), (17,), (), (0, 3)]
    tensors = [torch.randn(shape, dtype=dtype, generator=made) for shape in shapes]
    tensors.append(torch.randn(3, 4, 5, dtype=dtype, generator=made).permute(2, 0, 1))
    return [torch.nn.Parameter(tensor) for tensor in tensors]


def trained(cls: Any, dtype: torch.dtype, kwargs: dict[str, Any]) -> list[torch.Tensor]:
    """The parameters after 20 steps down a bent valley, every fourth gradient missing."""
    params = parameters(dtype)
    noise = torch.Generator().manual_seed(1)
    optimizer = cls(params, **kwargs)
    for step in range(20):
        for k, p in enumerate(params):
            p.grad = p.detach() ** 3 + torch.randn(p.shape, dtype=dtype, generator=noise)
            if (step + k) % 4 == 3:
                p.grad = None
        optimizer.step()
    return [p.detach() for p in params]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("name", "one"), list(cases()))
def test_every_input_gives_torch_s_parameters(
    name: str, one: OptimizerInput, dtype: torch.dtype
) -> None:
    """Each constructor input of torch's own suite trains to the same parameters as in torch."""
    expected = trained(getattr(torch.optim, name), dtype, one.kwargs)
    found = trained(getattr(adamas.torch, name), dtype, one.kwargs)
    for here, there in zip(found, expected, strict=True):
        torch.testing.assert_close(here, there, **TOLERANCE[dtype])


@pytest.mark.parametrize(("name", "one"), list(errors()))
def test_every_error_input_raises(name: str, one: ErrorOptimizerInput) -> None:
    """Each error input of torch's own suite raises an error, or warns, of the same type."""
    given = one.optimizer_error_input
    params: Any = given.params or [torch.nn.Parameter(torch.randn(2, 3))]
    cls = getattr(adamas.torch, name)
    assert one.error_on is OptimizerErrorEnum.CONSTRUCTION_ERROR
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(one.error_type):
            cls(params, **given.kwargs)


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_torch_s(name: str) -> None:
    """Every key of torch's param groups is here, with torch's default."""
    params = [torch.nn.Parameter(torch.zeros(1))]
    there = getattr(torch.optim, name)(params).param_groups[0]
    here = getattr(adamas.torch, name)(params).param_groups[0]
    assert {key: here[key] for key in there} == there


@pytest.mark.parametrize("name", NAMES)
def test_arguments_by_position_are_torch_s(name: str) -> None:
    """Arguments by position mean the same as in torch, up to torch's own flags."""
    import inspect

    flags = {"foreach", "maximize", "capturable", "differentiable", "fused"}
    there = list(inspect.signature(getattr(torch.optim, name)).parameters.values())
    ordered = [p.name for p in there if p.kind is p.POSITIONAL_OR_KEYWORD and p.name not in flags]
    here = list(inspect.signature(getattr(adamas.torch, name)).parameters)
    assert here[: len(ordered)] == ordered
