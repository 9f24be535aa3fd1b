"""Whose optimizers the rules of whole matrices are compared with, in the precision of ours.

Theirs run the Newton-Schulz steps in bfloat16, whatever the parameters are; here the same functions
run in the dtype of what they are given. Of four dimensions theirs, too, see the first against the
rest.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from unittest.mock import patch

from adamas import dialects, rules
from exact_muon import of_torch_itself
from foreign import Array, Foreign, Hypers, Trace, of_optax, of_torch
from reduction_foreign import matrix, timm

torch: Any = importlib.import_module("torch")
optax: Any = importlib.import_module("optax")
peers: Any = importlib.import_module("pytorch_optimizer")

# Tall, wide, square, a vector, and four dimensions.
SHAPES: list[tuple[int, ...]] = [(200, 3), (3, 200), (64, 64), (257,), (8, 4, 3, 3)]
# Newton-Schulz steps make the rounding of small singular values up to 500 times larger: 1.5e-14 and
# 9.1e-6 were measured.
NEAR = {"float64": 1e-13, "float32": 5e-5}
# pytorch_optimizer corrects the second moment for its zero start, which makes eps count more at
# first: 1.3e-9 was measured.
EPS_CORRECTED = {"float64": 1e-8, "float32": 5e-5}
BUFFER = {"m": "momentum_buffer"}
BETAS: Mapping[str, str | tuple[str, int]] = {"beta1": ("betas", 0), "beta2": ("betas", 1)}


class Case(NamedTuple):
    """A rule, somebody else's optimizer, what both are run with, and how close they come.

    `vectors` says whether theirs takes vectors; `near` is relative to each element's largest value.
    """

    rule: Callable[..., Any]
    foreign: Foreign
    sets: tuple[Hypers, ...]
    vectors: bool = False
    near: Mapping[str, float] = NEAR


def kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """A Newton-Schulz function that takes a dtype, with that of the matrix."""
    return lambda matrix, *given, **named: function(matrix, *given, **named, dtype=matrix.dtype)


def inside(foreign: Foreign, place: str, function: Callable[..., Any] | None = None) -> Foreign:
    """The same optimizer, whose Newton-Schulz function of this name keeps the dtype."""
    module, _, name = place.rpartition(".")

    def run(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
        found = function or kept(getattr(importlib.import_module(module), name))
        with patch(place, found):
            return foreign(p, grads, hypers)

    return run


def as_matrix(foreign: Foreign) -> Foreign:
    """The same optimizer, which takes matrices only, on the matrix of four dimensions."""

    def run(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
        found = foreign(matrix(p), [matrix(g) for g in grads], hypers)
        return [{k: v.reshape(p.shape) for k, v in step.items()} for step in found]

    return run


def transposed(foreign: Foreign) -> Foreign:
    """The same optimizer, whose matrices have their outputs in columns."""

    def run(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
        found = foreign(p.T, [g.T for g in grads], hypers)
        return [{k: v.T for k, v in step.items()} for step in found]

    return run


def peer(name: str, **fixed: Any) -> Callable[..., Any]:
    """Make an optimizer of pytorch_optimizer, all of whose parameters are matrices to it."""

    def make(params: list[Any], **hypers: Any) -> Any:
        group = {"params": params, "use_muon": True}
        return getattr(peers, name)([group], foreach=False, **fixed, **hypers)

    return make


def timm_muon(algo: str, read: Mapping[str, str], scale: str, **fixed: Any) -> Foreign:
    """Timm's Muon or AdaMuon, whose parameters are all matrices to it."""

    def make(params: list[Any], beta: float, beta2: float = 0.0, **hypers: Any) -> Any:
        group = {"params": params, "use_muon": True}
        return timm("muon").Muon(
            [group], algo=algo, momentum=beta, betas=(0.0, beta2), adjust_lr_fn=scale,
            ns_coefficients="original", **fixed, **hypers,
        )  # fmt: skip

    def run(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
        module = timm("muon").__name__
        found = of_torch(make, {"beta1": "beta"}, read)
        return inside(found, f"{module}.zeropower_via_newtonschulz")(p, grads, hypers)

    return run


def rowwise(optimizer: Any, parameter: Any) -> dict[str, Any]:
    """The states of NorMuon, of rows with as many dimensions as the parameter."""
    state = optimizer.state[parameter]
    rows = (len(parameter), *(1 for _ in parameter.shape[1:]))
    return {"m": state["momentum_buffer"], "v": state["second_momentum_buffer"].reshape(rows)}


def squares(optimizer: Any, parameter: Any) -> dict[str, Any]:
    """The states of AdaMuon in pytorch_optimizer, of which the second is flat."""
    state = optimizer.state[parameter]
    return {"m": state["m"], "v": state["v"].reshape(parameter.shape)}


def of_optax_muon(learning_rate: float, beta: float, weight_decay: float, **fixed: Any) -> Any:
    """Make optax's Muon for matrices, without its parts for other parameters."""
    return optax.chain(
        optax.contrib.scale_by_muon(beta=beta, eps=0.0),
        optax.contrib._muon.scale_by_shape(
            weight_dimension_numbers=optax.contrib.MuonDimensionNumbers(), **fixed
        ),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(learning_rate),
    )


UTILS = "pytorch_optimizer.optimizer.muon"
STEPS = "zero_power_via_newton_schulz_5"
BASE, NORMUON, ADAMUON = (f"{UTILS}.{name}.{STEPS}" for name in ("base", "normuon", "adamuon"))
TORCH = "torch.optim._muon._zeropower_via_newtonschulz"
SLOW = {"lr": 0.02, "beta": 0.95, "weight_decay": 0.0}
FAST = {"lr": 0.1, "beta": 0.5, "weight_decay": 0.1}
# They add eps to the norm of the step where the papers do not: here it is too small to be seen.
PAIRS = (
    {"lr": 1e-2, "beta1": 0.95, "beta2": 0.95, "eps": 1e-14, "weight_decay": 0.1},
    {"lr": 0.1, "beta1": 0.5, "beta2": 0.8, "eps": 1e-14, "weight_decay": 0.0},
)
MOMENTUM: Mapping[str, str | tuple[str, int]] = {"beta": "momentum"}
MATCHED = "match_rms_adamw"


def torch_muon(scale: str) -> Foreign:
    """Torch's Muon, of matrices only."""

    def make(params: list[Any], **hypers: Any) -> Any:
        return torch.optim.Muon(params, adjust_lr_fn=scale, **hypers)

    return as_matrix(inside(of_torch(make, MOMENTUM, BUFFER), TORCH, of_torch_itself()))


CASES = {
    "muon-torch": Case(rules.muon, torch_muon("original"), (SLOW, FAST), vectors=False),
    "matched-torch": Case(dialects.muon_match_rms_adamw, torch_muon(MATCHED), (SLOW, FAST)),
    "muon-pytorch_optimizer": Case(
        rules.muon,
        inside(of_torch(peer("Muon"), MOMENTUM, BUFFER), BASE),
        (SLOW, FAST),
        vectors=True,
    ),
    "matched-pytorch_optimizer": Case(
        dialects.muon_match_rms_adamw,
        inside(of_torch(peer("Muon", use_adjusted_lr=True), MOMENTUM, BUFFER), BASE),
        (SLOW, FAST),
        vectors=True,
    ),
    "normuon-pytorch_optimizer": Case(
        rules.normuon,
        inside(
            of_torch(
                peer("NorMuon", nesterov=False, update_scale="match_rms"),
                {"beta1": "momentum"},
                rowwise,
            ),
            NORMUON,
        ),
        PAIRS,
        vectors=True,
    ),
    "adamuon-pytorch_optimizer": Case(
        rules.adamuon,
        inside(of_torch(peer("AdaMuon"), BETAS, squares), ADAMUON),
        PAIRS,
        near=EPS_CORRECTED,
    ),
    "muon-timm": Case(
        rules.muon,
        timm_muon("muon", BUFFER, "original", nesterov=True),
        (SLOW, FAST),
    ),
    "matched-timm": Case(
        dialects.muon_match_rms_adamw,
        timm_muon("muon", BUFFER, MATCHED, nesterov=True),
        (SLOW, FAST),
    ),
    "adamuon-timm": Case(
        rules.adamuon,
        timm_muon("adamuon", {**BUFFER, "v": "exp_avg_sq"}, MATCHED),
        PAIRS,
    ),
    "corrected-optax": Case(
        dialects.muon_corrected,
        as_matrix(transposed(of_optax(of_optax_muon, {}, lambda s: {"m": s[0].mu}))),
        (SLOW, FAST),
    ),
}
