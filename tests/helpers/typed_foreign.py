"""Whose optimizers the rules as typed are compared with, and by which names."""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch.optim.lr_scheduler import PolynomialLR
from torch.optim.swa_utils import get_swa_avg_fn

import typed_rules as rules
import typed_sums as sums
from foreign import Array, Foreign, Hypers, Trace, copied, of_torch, spell

peers: Any = importlib.import_module("pytorch_optimizer")

BETAS: dict[str, str | tuple[str, int]] = {"beta1": ("betas", 0), "beta2": ("betas", 1)}
MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}
FAST = {"lr": 0.05, "beta1": 0.8, "beta2": 0.9}


class Typed(NamedTuple):
    """A rule, somebody else's optimizer, what both are run with, and how close they come.

    `shape` is that of the parameter, and `rtol` relative to each element's largest value.
    """

    rule: Callable[..., Any]
    foreign: Foreign
    hypers: Hypers
    shape: tuple[int, ...] = (12, 5)
    rtol: float = 1e-12


def make_adopt(parameters: Any, **hypers: Any) -> Any:
    """ADOPT, whose limit counts the step that only fills v."""
    return peers.ADOPT(parameters, clip_lambda=lambda step: (step - 1) ** 0.25, **hypers)


def in_double(optimizer: Any, parameter: Any) -> dict[str, Any]:
    """Nothing, its moments are corrected already, but weights in float64; at first they are 1."""
    state = optimizer.state[parameter]
    for name in ("beta1_weight", "beta2_weight"):
        state[name] = state[name].double()
    return {}


def make_rprop(parameters: Any, **hypers: Any) -> Any:
    """Rprop, one tensor at a time."""
    return torch.optim.Rprop(parameters, foreach=False, **hypers)


def make_lookahead(parameters: Any, k: int, alpha: float, **hypers: Any) -> Any:
    """Lookahead over torch's Adam."""
    return peers.Lookahead(torch.optim.Adam(parameters, foreach=False, **hypers), k=k, alpha=alpha)


def mini(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
    """Adam-mini of a model with one parameter; the package computes in float32."""
    model, trace = torch.nn.Module(), []
    model.weight = x = torch.nn.Parameter(torch.tensor(p))
    optimizer = peers.AdamMini(model, **spell(hypers, BETAS))
    for g in grads:
        x.grad = torch.tensor(g)
        optimizer.step()
        kept = optimizer.state[x]
        trace.append({k: copied(v) for k, v in (("p", x.detach()), ("m", kept["m"]))})
        trace[-1]["v"] = copied(kept["v_mean"])
    return trace


def polynomial(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
    """Torch's SGD under its polynomial schedule."""
    x, trace = torch.tensor(p), []
    optimizer = torch.optim.SGD([x], lr=hypers["lr"], foreach=False)
    schedule = PolynomialLR(optimizer, int(hypers["steps"]), hypers["power"])
    for g in grads:
        x.grad = torch.tensor(g)
        optimizer.step()
        schedule.step()
        trace.append({"p": copied(x)})
    return trace


def swa(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
    """Torch's running average of every third iterate of its SGD."""
    x, average, n, trace = torch.tensor(p), torch.zeros(p.shape, dtype=torch.float64), 0, []
    optimizer = torch.optim.SGD([x], lr=hypers["lr"], foreach=False)
    mean: Any = get_swa_avg_fn()
    for t, g in enumerate(grads, start=1):
        x.grad = torch.tensor(g)
        optimizer.step()
        if t % int(hypers["every"]) == 0:
            average, n = mean(average, x, n), n + 1
        trace.append({"p": copied(x), "average": copied(average)})
    return trace


def cosine(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
    """A loop with torch's own cosine."""
    x, m, beta, trace = torch.tensor(p), torch.zeros(p.size, dtype=torch.float64), 0.0, []
    beta = hypers["beta"]
    for g in grads:
        flat = torch.tensor(g).flatten()
        m = beta * m + (1 - beta) * flat
        agreement = torch.nn.functional.cosine_similarity(flat, m, dim=0, eps=1e-12)
        x = x - hypers["lr"] * (1 + agreement) / 2 * m.reshape(p.shape)
        trace.append({"p": copied(x), "m": copied(m.reshape(p.shape))})
    return trace


def centralized(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
    """Torch's momentum on what pytorch_optimizer centralizes."""
    x, trace = torch.tensor(p), []
    optimizer = torch.optim.SGD([x], lr=hypers["lr"], momentum=hypers["beta"], foreach=False)
    for g in grads:
        x.grad = torch.tensor(g)
        peers.optimizer.gradient_centralization.centralize_gradient(x.grad)
        optimizer.step()
        trace.append({"p": copied(x), "m": copied(optimizer.state[x]["momentum_buffer"])})
    return trace


def own(make: Any, read: Any = MOMENTS, **names: Any) -> Foreign:
    """An optimizer of torch's form, with betas under their usual names."""
    return of_torch(make, {**BETAS, **names}, read)


QH = {"nu1": ("nus", 0), "nu2": ("nus", 1)}
RPROP = {
    "etaminus": ("etas", 0), "etaplus": ("etas", 1), "step_min": ("step_sizes", 0),
    "step_max": ("step_sizes", 1),
}  # fmt: skip
ETAS = {"etaminus": 0.4, "etaplus": 1.3, "step_min": 1e-5, "step_max": 0.05}
PLAIN = {"foreach": False}

TYPED = [
    Typed(rules.adopt, own(make_adopt), FAST),
    Typed(rules.tiger, own(peers.Tiger, {"m": "exp_avg"}), {"lr": 0.05, "beta": 0.9}),
    Typed(rules.yogi, own(peers.Yogi), FAST),
    Typed(rules.adashift, own(partial(peers.AdaShift, keep_num=3, reduce_func=None)), FAST),
    Typed(rules.qhadam, own(peers.QHAdam, in_double, **QH), FAST | {"nu1": 0.6, "nu2": 0.8}),
    Typed(rules.adabound, own(peers.AdaBound), FAST | {"gamma": 0.05}),
    Typed(rules.rprop, own(make_rprop, {"before": "prev", "size": "step_size"}, **RPROP), ETAS),
    Typed(rules.polynomial_decay, polynomial, {"lr": 0.1, "steps": 12, "power": 2.0}),
    Typed(rules.swa, swa, {"lr": 0.1, "every": 3}),
    Typed(rules.lookahead, own(make_lookahead, lambda *_: {}), FAST | {"k": 3, "alpha": 0.4}),
    Typed(sums.mars, own(peers.MARS), FAST),
    Typed(
        sums.lars,
        own(peers.LARS, {"m": "momentum_buffer"}, beta="momentum", eta="trust_coefficient"),
        {"lr": 0.1, "beta": 0.9, "eta": 0.01, "weight_decay": 0.05},
    ),
    Typed(sums.adam_mini, mini, FAST | {"weight_decay": 0.1}, rtol=1e-5),
    Typed(sums.cosine, cosine, {"lr": 0.1, "beta": 0.9}),
    Typed(sums.centralized, centralized, {"lr": 0.1, "beta": 0.9}),
    Typed(sums.centralized, centralized, {"lr": 0.1, "beta": 0.9}, (4, 3, 2, 2)),
    Typed(sums.centralized, centralized, {"lr": 0.1, "beta": 0.9}, (9,)),
]
