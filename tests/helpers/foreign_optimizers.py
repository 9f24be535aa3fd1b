"""Optimizers as strangers write them, well and badly behaved; named by tests as this file's."""

import random
from typing import Any

import numpy as np
import torch


class Plain(torch.optim.Optimizer):
    """Gradient descent, written in place."""

    def __init__(self, params: Any, lr: float = 0.1, bonus: float = 1.0) -> None:
        super().__init__(params, {"lr": lr, "bonus": bonus})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Step."""
        for group in self.param_groups:
            for p in group["params"]:
                p.add_(p.grad, alpha=-group["lr"] * group["bonus"])


class Child(Plain):
    """Takes what its base class takes."""

    def __init__(self, params: Any, lr: float = 0.1, **more: Any) -> None:
        super().__init__(params, lr=lr, **more)


class Replaces(Plain):
    """Gradient descent that puts other memory behind its parameters, and drops their gradients."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Step."""
        for group in self.param_groups:
            for p in group["params"]:
                p.data = p.data - group["lr"] * p.grad
                p.grad = None


class Reshapes(Plain):
    """Gives its parameters another shape."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Step."""
        for p in self.param_groups[0]["params"]:
            p.data = p.data[:1].clone()


class Meddles(Plain):
    """Changes what belongs to the whole process."""

    def step(self, closure: Any = None) -> None:
        """Step."""
        super().step()
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        np.seterr(all="raise")


class Noisy(Plain):
    """Adds global random numbers to its steps."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Step."""
        for p in self.param_groups[0]["params"]:
            p.add_(torch.randn_like(p), alpha=self.param_groups[0]["lr"])


class Tires(Plain):
    """Fails in its third step."""

    def step(self, closure: Any = None) -> None:
        """Step."""
        self.made = getattr(self, "made", 0) + 1
        if self.made == 3:
            raise RuntimeError("eigenvalues did not\nconverge")
        super().step()


class Sharp(Plain):
    """Moves uphill before it asks for the gradient that it steps by (SAM, Foret et al. 2021)."""

    @torch.no_grad()
    def step(self, closure: Any) -> None:
        """Step."""
        held = [p.clone() for p in self.param_groups[0]["params"]]
        for p in self.param_groups[0]["params"]:
            p.add_(p.grad, alpha=0.05)
        with torch.enable_grad():
            closure()
        for p, before in zip(self.param_groups[0]["params"], held, strict=True):
            p.copy_(before)
        super().step()


def grouped(params: Any, lr: float) -> torch.optim.Optimizer:
    """Return gradient descent whose second group has a tenth of the rate."""
    first, *others = list(params)
    return torch.optim.SGD([{"params": [first]}, {"params": others, "lr": lr / 10}], lr=lr)


def number(params: Any, lr: float = 0.1) -> float:
    """Return what is no optimizer."""
    return lr


def neither(x: float, y: float) -> float:
    """Return a sum."""
    return x + y


def rule(p: Any, g: Any, *, lr: float = 0.1) -> Any:
    """Gradient descent as a rule."""
    p = p - lr * g
    return p


class Arrays:
    """Heavy-ball momentum on a dict of NumPy arrays."""

    def __init__(self, params: dict[str, Any], lr: float = 0.1, beta: float = 0.9) -> None:
        self.params, self.lr, self.beta = params, lr, beta
        self.m = {name: np.zeros_like(array) for name, array in params.items()}

    def step(self, grads: dict[str, Any]) -> None:
        """Step."""
        for name, array in self.params.items():
            self.m[name] = self.beta * self.m[name] + grads[name]
            array -= self.lr * self.m[name]


class Strict(Plain):
    """Refuses large rates."""

    def __init__(self, params: Any, lr: float = 0.01) -> None:
        if lr > 0.05:
            raise ValueError("lr too big")
        super().__init__(params, lr=lr)


class BadEval(Plain):
    """Has two modes, of which one raises."""

    def train(self) -> None:
        """Change nothing."""

    def eval(self) -> None:
        """Raise."""
        raise RuntimeError("no average yet")


class Alarms(Plain):
    """Lets NumPy raise wherever a number is out of range."""

    def step(self, closure: Any = None) -> None:
        """Step."""
        super().step()
        np.seterr(all="raise")


class AsksAlarmed(Sharp):
    """Does so before it asks for a gradient."""

    def step(self, closure: Any) -> None:
        """Step."""
        np.seterr(all="raise")
        super().step(closure)


class Fixed:
    """Gradient descent on NumPy arrays that keeps its rate to itself."""

    def __init__(self, params: dict[str, Any], lr: float = 0.1) -> None:
        self.params, self.rate = params, lr

    def step(self, grads: dict[str, Any]) -> None:
        """Step."""
        for name, array in self.params.items():
            array -= self.rate * grads[name]
