# mypy: disable-error-code="override"
"""The rules of rules.py as strangers would write them for PyTorch: in other phases of the noise."""

from typing import Any

import torch


class First(torch.optim.Optimizer):
    """Momentum whose step is multiplied by a logistic map in each coordinate, of mean 1."""

    phase, wrong = 2.3, 0.0

    def __init__(self, params: Any, lr: float = 0.03, beta: float = 0.9, spread: float = 2.5):
        super().__init__(params, {"lr": lr, "beta": beta, "spread": spread})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Make one update."""
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["m"] = torch.zeros_like(p)
                    seen = 0.37 + p.abs() + 10 * p.grad.abs()
                    state["x"] = 0.05 + 0.9 * torch.exp(-self.phase * seen)
                x = state["x"]
                for _ in range(3):
                    x.mul_(3.999 * (1 - x))
                if "way" not in state:
                    state["way"] = torch.where(x < self.wrong, -1.0, 1.0)
                m = state["m"].mul_(group["beta"]).add_(p.grad)
                p.sub_(group["lr"] * m * state["way"] * (1 + group["spread"] * (2 * x - 1)))


class Planted(First):
    """`First` in another phase, and the wrong way in a tenth of the coordinates."""

    phase, wrong = 1.3, 0.0244717
