"""Optimizers with a known formula, and with a known fault, for `adamas check` to find.

Each is a class of torch that computes in NumPy, written from scratch, so that what is found is not
compared with the text that finds it.
"""

from typing import Any

import numpy as np
import torch


class Stand(torch.optim.Optimizer):
    """Adam as Kingma & Ba write it; a subclass changes one line of it."""

    def __init__(self, params: Any, lr: float = 1e-3, betas: Any = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0.0) -> None:  # fmt: skip
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "wd": weight_decay})

    def step(self, closure: Any = None) -> None:
        """One step of every parameter."""
        for group in self.param_groups:
            for p in group["params"]:
                kept = self.state[p]
                if not kept:
                    kept.update(step=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                kept["step"] += 1
                w, g, m, v = (
                    t.detach().double().numpy() for t in (p, p.grad, kept["m"], kept["v"])
                )
                g = self.penalty(g, w, group["wd"])
                one, two = group["betas"]
                m, v = self.first(m, g, one), two * v + (1 - two) * g * g
                t = self.time(kept)
                u = self.scaled(m, v, t, one, two, group["eps"])
                w = self.moved(w, group["lr"], u, group["wd"])
                kept["m"].copy_(torch.as_tensor(m))
                kept["v"].copy_(torch.as_tensor(v))
                self.written(p, torch.as_tensor(w))

    def penalty(self, g: Any, w: Any, decay: float) -> Any:
        """Decay in the gradient."""
        return g + decay * w

    def first(self, m: Any, g: Any, beta: float) -> Any:
        """The mean of gradients."""
        return beta * m + (1 - beta) * g

    def time(self, kept: Any) -> float:
        """The step of the bias correction."""
        return float(kept["step"])

    def scaled(self, m: Any, v: Any, t: float, one: float, two: float, eps: float) -> Any:
        """The step without lr."""
        return m / (1 - one**t) / (np.sqrt(v / (1 - two**t)) + eps)

    def moved(self, w: Any, lr: float, u: Any, decay: float) -> Any:
        """The new parameter."""
        return w - lr * u

    def written(self, p: Any, w: Any) -> None:
        """Put it into place."""
        p.data.copy_(w)


class LikeMLX(Stand):
    """Adam of MLX: nothing is corrected by default."""

    def scaled(self, m: Any, v: Any, t: float, one: float, two: float, eps: float) -> Any:
        """The step without lr."""
        return m / (np.sqrt(v) + eps)


class IgnoresDecay(Stand):
    """It takes a weight decay and does nothing with it."""

    def penalty(self, g: Any, w: Any, decay: float) -> Any:
        """No decay."""
        return g


class EpsInside(Stand):
    """Its eps is under the root."""

    def scaled(self, m: Any, v: Any, t: float, one: float, two: float, eps: float) -> Any:
        """The step without lr."""
        return m / (1 - one**t) / np.sqrt(v / (1 - two**t) + eps)


class LosesStep(Stand):
    """It counts its steps beside its state, which is not saved."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.counts: dict[int, int] = {}
        self.taken = 0

    def time(self, kept: Any) -> float:
        """The step of the bias correction."""
        del kept["step"]
        kept["step"] = 0
        self.counts[id(kept)] = self.counts.get(id(kept), 0) + 1
        self.taken = max(self.counts.values())
        return float(self.counts[id(kept)])


class OneAhead(Stand):
    """Its bias correction is that of the next step."""

    def time(self, kept: Any) -> float:
        """The step of the bias correction."""
        return float(kept["step"] + 1)


class Promotes(Stand):
    """Its parameters are float64 after a step, whatever they were."""

    def written(self, p: Any, w: Any) -> None:
        """Put it into place."""
        p.data = w.clone()


class Flattens(Stand):
    """It writes into a flat view, which is a copy where memory is not contiguous."""

    def written(self, p: Any, w: Any) -> None:
        """Put it into place."""
        p.data.reshape(-1).copy_(w.reshape(-1))


class Closure(Stand):
    """It evaluates the loss itself."""

    def step(self, closure: Any) -> None:  # type: ignore[override]
        """One step."""
        closure()


class Far(Stand):
    """It steps by the sign of the parameter, which no optimizer does."""

    def scaled(self, m: Any, v: Any, t: float, one: float, two: float, eps: float) -> Any:
        """The step without lr."""
        return np.cos(50 * m) - t


def composed(momentum: str, correction: str, eps: str, decay: str) -> type[Stand]:
    """A class that makes these choices."""

    class Composed(Stand):
        """See `composed`."""

        def penalty(self, g: Any, w: Any, wd: float) -> Any:
            """Decay in the gradient, or none here."""
            return g + wd * w if decay == "coupled" else g

        def first(self, m: Any, g: Any, beta: float) -> Any:
            """A mean or a sum."""
            return beta * m + (g if momentum == "sum" else (1 - beta) * g)

        def scaled(self, m: Any, v: Any, t: float, one: float, two: float, e: float) -> Any:
            """The step without lr."""
            a = 1 - one**t if correction in ("both", "first") else 1.0
            b = 1 - two**t if correction in ("both", "second") else 1.0
            below = {
                "outside": np.sqrt(v / b) + e,
                "inside": np.sqrt(v / b + e),
                "hat": (np.sqrt(v) + e) / np.sqrt(b),
                "floor": np.maximum(np.sqrt(v / b), e),
            }
            return m / a / below[eps]

        def moved(self, w: Any, lr: float, u: Any, wd: float) -> Any:
            """Decay at its place."""
            if decay == "decoupled":
                return w - lr * wd * w - lr * u
            if decay == "after":
                return (w - lr * u) * (1 - lr * wd)
            if decay == "unscaled":
                return w - wd * w - lr * u
            return w - lr * u

    return Composed


def factory(params: Any, rate: float = 0.5, **more: Any) -> Any:
    """A function that makes an optimizer of torch."""
    return torch.optim.SGD(params, lr=rate, **more)
