# mypy: allow-untyped-defs
"""Rules that read a second array beside the gradient, as a researcher types them."""

import importlib
from functools import partial
from typing import Any

import torch

from adamas.words import clip, maximum, sqrt
from foreign import Array, Hypers, Trace, copied, spell

peers: Any = importlib.import_module("pytorch_optimizer")


def sophia(p, g, m, v, *, t, h, lr=6e-2, beta1=0.96, beta2=0.99, k=10, rho=1e-2, eps=1e-12):
    """Sophia. Liu et al. 2023, Algorithm 3: `h` is an estimate of the Hessian's diagonal."""
    m = beta1 * m + (1 - beta1) * g
    if t % k == 1:
        v = beta2 * v + (1 - beta2) * h
    p -= lr * clip(m / maximum(v, eps), -rho, rho)
    return p, m, v


def adahessian(p, g, m, v, *, t, h, lr=0.1, beta1=0.9, beta2=0.999, eps=1e-16):
    """AdaHessian. Yao et al. 2021, Algorithm 1, without averaging `h` in space."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * h**2
    p -= lr * m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)
    return p, m, v


def beside(
    make: Any, names: dict[str, str], every: int, p: Array, grads: list[Array], seconds: Any,
    hypers: Hypers,
) -> Trace:  # fmt: skip
    """The package's optimizer, which is handed the second array every so many steps."""
    x, trace = torch.tensor(p), []
    betas: dict[str, Any] = {"beta1": ("betas", 0), "beta2": ("betas", 1), "rho": "p"}
    given = {name: value for name, value in hypers.items() if name != "k"}
    optimizer = make([x], **spell(given, betas))
    for t, (g, h) in enumerate(zip(grads, seconds, strict=True)):
        x.grad = torch.tensor(g)
        optimizer.step(hessian=[torch.tensor(h)] if t % every == 0 else None)
        trace.append({"p": copied(x)})
        trace[-1] |= {name: copied(optimizer.state[x][theirs]) for name, theirs in names.items()}
    return trace


# It would estimate the Hessian itself in other steps.
SOPHIA = partial(beside, partial(peers.SophiaH, update_period=10**9))
CASES: list[tuple[Any, Any, Hypers]] = [
    (
        sophia,
        partial(SOPHIA, {"m": "momentum", "v": "hessian_moment"}, 4),
        {"lr": 0.05, "beta1": 0.9, "beta2": 0.8, "k": 4, "rho": 0.1},
    ),
    (
        adahessian,
        partial(beside, peers.AdaHessian, {"m": "exp_avg", "v": "exp_hessian_diag_sq"}, 1),
        {"lr": 0.05, "beta1": 0.8, "beta2": 0.9, "eps": 1e-4},
    ),
]
