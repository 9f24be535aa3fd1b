"""Functions to go down, and the learning rates that go down."""

from collections.abc import Callable

import torch
from torch import nn

# Learning rates at which timm's suite goes down Rosenbrock's valley, where it has the class.
LRS = {
    "SGD": 1e-3, "Momentum": 1e-4, "Nesterov": 1e-4, "Adagrad": 0.1, "RMSprop": 1e-2,
    "CenteredRMSprop": 1e-2, "Adadelta": 0.1, "Adam": 5e-2, "AdamW": 5e-2, "AMSGrad": 5e-2,
    "Adamax": 5e-2, "NAdam": 5e-2, "RAdam": 1e-3, "AdaBelief": 5e-2, "Lion": 1e-3, "Signum": 1e-3,
    "AdamAtan2": 5e-2, "AdamC": 5e-2, "CautiousDecayAdamW": 5e-2, "LaProp": 1e-2, "Adopt": 1e-2,
    "Grams": 5e-2, "ScheduleFreeSGD": 1e-3, "ScheduleFreeRAdam": 1e-2,
    "AdEMAMix": 1e-3, "Adan": 1e-3, "ScheduleFreeAdamW": 1e-2, "CautiousAdamW": 5e-2,
    "Mars": 5e-2, "MaskedAdamW": 5e-2, "Lars": 1.0, "Lamb": 1e-2, "AdamH": 1e-2,
    "StableAdamW": 5e-2, "Adafactor": 5e-2, "Came": 5e-3, "Prodigy": 1.0,
}  # fmt: skip


def affine(contiguous: bool) -> list[nn.Parameter]:
    """A matrix and a vector, both of them every other number of a larger tensor or whole."""
    made = torch.Generator().manual_seed(4)
    tail = () if contiguous else (2,)
    tensors = [torch.randn((*shape, *tail), generator=made) for shape in ((10, 5), (10,))]
    return [nn.Parameter(t if contiguous else t[..., 0]) for t in tensors]


def lossy(
    opt: torch.optim.Optimizer, weight: torch.Tensor, bias: torch.Tensor
) -> Callable[[], torch.Tensor]:
    """A closure: zero the gradients, the squared length of an affine map, backward."""
    x = torch.linspace(-1, 1, weight.shape[1], dtype=weight.dtype)

    def closure() -> torch.Tensor:
        opt.zero_grad()
        loss = (weight.mv(x) + bias).pow(2).sum()
        loss.backward()
        return loss

    return closure


def bowl(tensor: torch.Tensor) -> torch.Tensor:
    """Rosenbrock's valley, 1960, of two numbers; complex ones are allowed."""
    x, y = tensor
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2
