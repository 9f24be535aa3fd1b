"""Each rule with sums, whose optimizer it is compared with, and under which hyper-parameters."""

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from adamas import dialects, rules
from foreign import Foreign, Hypers, of_optax, of_torch
from reduction_foreign import (
    BETAS,
    MOMENTS,
    as_matrix,
    came_state,
    factors,
    hyperball,
    optax_adafactor,
    prodigy_of_optax,
    prodigy_state,
    stable,
    steps_of,
    timm_cautious,
    timm_lamb,
    timm_lars,
    timm_mars,
    torch_adafactor,
)
from reduction_rules import cautious_lion

optax: Any = importlib.import_module("optax")
peers: Any = importlib.import_module("pytorch_optimizer")
came_pytorch: Any = importlib.import_module("came_pytorch")
prodigyopt: Any = importlib.import_module("prodigyopt")

# In float32 each of fifty steps rounds the parameter by at most half a last digit; 1.6e-6 was
# measured. In float64 6.9e-15 was, but for StableAdamW, whose betas are rounded otherwise: 7e-14.
NEAR = {"float64": 2e-13, "float32": 50 * 2.0**-24}
# Prodigy's d hangs on the difference p0 - p, of which float32 has few digits while steps are
# small: 7e-12 and 3.9e-3 were measured.
DIFFERENCES = {"float64": 1e-10, "float32": 1e-2}


class Case(NamedTuple):
    """A rule, somebody else's optimizer, what both are run with, and how close they come.

    `near` is relative to each element's largest value.
    """

    rule: Callable[..., Any]
    foreign: Foreign
    sets: tuple[Hypers, ...]
    near: Mapping[str, float] = NEAR


PLAIN = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-6, "weight_decay": 0.0}
FAST = {"lr": 0.05, "beta1": 0.5, "beta2": 0.8, "eps": 1e-4, "weight_decay": 0.1}
LAMBS = (PLAIN, FAST)
FACTORS = (
    {"lr": 1e-2, "beta2_decay": -0.8, "eps1": 1e-7, "eps2": 1e-3, "d": 1.0},
    {"lr": 0.3, "beta2_decay": -0.5, "eps1": 1e-3, "eps2": 1e-1, "d": 1.25, "weight_decay": 0.1},
)
LARSES = (
    {"lr": 1.0, "beta": 0.9, "trust_coefficient": 1e-3, "weight_decay": 0.0},
    {"lr": 0.5, "beta": 0.5, "trust_coefficient": 0.1, "weight_decay": 0.1},
)
PRODIGIES = (
    {"lr": 1.0, "beta1": 0.9, "beta2": 0.999},
    {"lr": 0.5, "beta1": 0.5, "beta2": 0.9, "d_coef": 2.0, "d0": 1e-4, "weight_decay": 0.1},
)
CASES = {
    "lamb-optax": Case(
        rules.lamb,
        of_optax(
            optax.lamb, {"beta1": "b1", "beta2": "b2"}, lambda s: {"m": s[0].mu, "v": s[0].nu}
        ),
        LAMBS,
    ),
    "lamb-timm": Case(rules.lamb, of_torch(timm_lamb, BETAS, MOMENTS), LAMBS),
    "adafactor-torch": Case(
        rules.adafactor, as_matrix(of_torch(torch_adafactor, {}, factors)), FACTORS
    ),
    "adafactor-optax": Case(
        dialects.adafactor_eps_inside_constant_lr,
        as_matrix(of_optax(optax_adafactor, {}, lambda state: {})),
        (
            {"lr": 1e-2},
            {"lr": 0.3, "beta2_decay": -0.5, "eps1": 1e-6, "d": 0.5, "weight_decay": 0.01},
        ),
    ),
    "lars-timm": Case(
        rules.lars,
        of_torch(timm_lars, {"beta": "momentum", "trust_coefficient": "trust_coeff"}, steps_of),
        LARSES,
    ),
    "lars-optax": Case(
        dialects.lars_joint_norm,
        of_optax(optax.lars, {"beta": "momentum"}, lambda s: {"m": -s[3].trace}),
        LARSES,
    ),
    "stable-pytorch_optimizer": Case(rules.stable_adamw, of_torch(stable, BETAS, MOMENTS), LAMBS),
    "mars-timm": Case(
        rules.mars,
        of_torch(timm_mars, BETAS, {**MOMENTS, "g_prev": "last_grad"}),
        (PLAIN | {"gamma": 0.025}, FAST | {"gamma": 0.1}),
    ),
    "came": Case(
        rules.came,
        as_matrix(
            of_torch(
                came_pytorch.CAME,
                BETAS | {"eps1": ("eps", 0), "eps2": ("eps", 1), "d": "clip_threshold"},
                came_state,
            )
        ),
        (
            {"lr": 2e-4, "beta1": 0.9, "beta2": 0.999, "beta3": 0.9999},
            {
                "lr": 1e-2,
                "beta1": 0.5,
                "beta2": 0.8,
                "beta3": 0.9,
                "eps1": 1e-6,
                "eps2": 1e-8,
                "d": 0.5,
                "weight_decay": 0.1,
            },
        ),
    ),
    "adamh": Case(
        rules.adamh,
        hyperball,
        tuple({k: v for k, v in one.items() if k != "weight_decay"} for one in LAMBS),
    ),
    "prodigy-prodigyopt": Case(
        rules.prodigy,
        of_torch(prodigyopt.Prodigy, BETAS, prodigy_state),
        PRODIGIES,
        DIFFERENCES,
    ),
    "prodigy-optax": Case(
        dialects.prodigy_corrected,
        of_optax(
            prodigy_of_optax,
            {"beta1": "b1", "beta2": "b2", "d_coef": "estim_lr_coef"},
            lambda s: {
                "m": s.exp_avg,
                "v": s.exp_avg_sq,
                "s": s.grad_sum,
                "p0": s.params0,
                "d": s.estim_lr,
                "d_numerator": s.numerator_weighted,
            },
        ),
        PRODIGIES,
        DIFFERENCES,
    ),
    "cautious-timm": Case(rules.cautious_adamw, of_torch(timm_cautious, BETAS, MOMENTS), LAMBS),
    "cautious-lion": Case(
        cautious_lion,
        of_torch(partial(peers.Lion, cautious=True), BETAS, {"m": "exp_avg"}),
        ({"lr": 0.01, "beta1": 0.9, "beta2": 0.99}, {"lr": 0.1, "beta1": 0.5, "beta2": 0.8}),
    ),
}
