"""A small network in torch, trained alike by any optimizer, and the schedulers of torch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import lr_scheduler as lrs


def model(seed: int = 0) -> nn.Module:
    """A small network, the same for the same seed."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))


def loss_of(net: nn.Module, step: int) -> torch.Tensor:
    """A loss on numbers that depend on the step alone."""
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(step))
    return (net(x) ** 2 - x[:, :2]).pow(2).mean()


def train(net: nn.Module, opt: torch.optim.Optimizer, steps: range) -> list[torch.Tensor]:
    """The parameters after these steps, in train mode where the optimizer has modes."""
    getattr(opt, "train", lambda: None)()
    for step in steps:
        opt.zero_grad()
        loss_of(net, step).backward()
        opt.step()
    return [p.detach().clone() for p in net.parameters()]


def close(found: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    """Compare two lists of parameters as float32 allows after a few dozen steps."""
    for here, there in zip(found, expected, strict=True):
        torch.testing.assert_close(here, there, rtol=1e-5, atol=1e-6)


SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "StepLR": lambda o: lrs.StepLR(o, 2),
    "MultiStepLR": lambda o: lrs.MultiStepLR(o, [2, 5]),
    "ConstantLR": lambda o: lrs.ConstantLR(o, 0.3),
    "LinearLR": lambda o: lrs.LinearLR(o),
    "ExponentialLR": lambda o: lrs.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda o: lrs.PolynomialLR(o, 6),
    "CosineAnnealingLR": lambda o: lrs.CosineAnnealingLR(o, 6),
    "CosineAnnealingWarmRestarts": lambda o: lrs.CosineAnnealingWarmRestarts(o, 3),
    "CyclicLR": lambda o: lrs.CyclicLR(o, 1e-3, 1e-2, step_size_up=3),
    "OneCycleLR": lambda o: lrs.OneCycleLR(o, 1e-2, total_steps=10),
    "LambdaLR": lambda o: lrs.LambdaLR(o, lambda k: 1 / (1 + k)),
    "MultiplicativeLR": lambda o: lrs.MultiplicativeLR(o, lambda k: 0.95),
    "ReduceLROnPlateau": lambda o: lrs.ReduceLROnPlateau(o, patience=0, threshold=1e9),
    "SequentialLR": lambda o: lrs.SequentialLR(
        o, [lrs.ConstantLR(o, 0.1), lrs.ExponentialLR(o, 0.9)], [3]
    ),
    "ChainedScheduler": lambda o: lrs.ChainedScheduler(
        [lrs.ConstantLR(o, 0.1), lrs.ExponentialLR(o, 0.9)]
    ),
    "SWALR": lambda o: torch.optim.swa_utils.SWALR(o, 1e-4),
}
