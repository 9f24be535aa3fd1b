"""Other projects' few-bit AdamW on the same arrays: bitsandbytes, torchao, torch's pure bfloat16.

Each steps torch tensors that are views of the NumPy parameters.
"""

import importlib
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.fidelity.side import Hypers, Make, Params, Stepper


class TorchStepper:
    """Any `torch.optim.Optimizer` over views of NumPy arrays."""

    def __init__(self, params: Params, build: Callable[[list[torch.Tensor]], Any]) -> None:
        self.tensors = {k: torch.nn.Parameter(torch.from_numpy(p)) for k, p in params.items()}
        self.optimizer = build(list(self.tensors.values()))

    def step(self, grads: Params, lr: float) -> None:
        """Update the arrays in place."""
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(lr)
            else:
                group["lr"] = lr
        for key, tensor in self.tensors.items():
            tensor.grad = torch.from_numpy(grads[key])
        self.optimizer.step()


def _settings(hypers: Hypers) -> dict[str, Any]:
    return {
        "lr": 1e-3,
        "betas": (hypers.beta1, hypers.beta2),
        "eps": hypers.eps,
        "weight_decay": hypers.weight_decay,
    }


def bitsandbytes_8bit(params: Params, hypers: Hypers, seed: int) -> Stepper:
    """AdamW8bit of bitsandbytes on the CPU, every tensor in 8 bits."""
    optim: Any = importlib.import_module("bitsandbytes.optim")
    return TorchStepper(params, lambda p: optim.AdamW8bit(p, min_8bit_size=0, **_settings(hypers)))


def torchao(bits: int) -> Make:
    """AdamW8bit or AdamW4bit of torchao; it keeps tensors in float32 that it cannot divide."""

    def make(params: Params, hypers: Hypers, seed: int) -> Stepper:
        kind = getattr(importlib.import_module("torchao.optim"), f"AdamW{bits}bit")
        return TorchStepper(params, lambda p: kind(p, **_settings(hypers)))

    return make


class Bfloat16Stepper:
    """Torch's fused AdamW with parameters, gradients and both moments in bfloat16."""

    def __init__(self, params: Params, hypers: Hypers) -> None:
        self.shown = {key: torch.from_numpy(p) for key, p in params.items()}
        self.kept = {k: torch.nn.Parameter(p.bfloat16()) for k, p in self.shown.items()}
        self.optimizer = torch.optim.AdamW(
            list(self.kept.values()), fused=True, **_settings(hypers)
        )
        self._show()

    def _show(self) -> None:
        for key, p in self.shown.items():
            p.copy_(self.kept[key].detach())

    def step(self, grads: Params, lr: float) -> None:
        """Update the bfloat16 parameters and write their values to the float32 arrays."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        for key, p in self.kept.items():
            p.grad = torch.from_numpy(grads[key]).bfloat16()
        self.optimizer.step()
        self._show()


def torch_bfloat16(params: Params, hypers: Hypers, seed: int) -> Stepper:
    """Torch's AdamW in pure bfloat16."""
    return Bfloat16Stepper(params, hypers)
