"""Which foreign implementation each rule is compared with, and under which hyper-parameters."""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from adamas import rules
from foreign import Array, Foreign, Hypers, Trace, hypers_of, of_optax, of_torch
from reduction_foreign import alone, timm

torch: Any = importlib.import_module("torch")
optax: Any = importlib.import_module("optax")
peers: Any = importlib.import_module("pytorch_optimizer")
schedulefree: Any = importlib.import_module("schedulefree")

BETAS: dict[str, str | tuple[str, int]] = {
    "beta1": ("betas", 0),
    "beta2": ("betas", 1),
    "beta3": ("betas", 2),
}
MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}
DEFAULTS: Hypers = {}


class Case(NamedTuple):
    """A foreign implementation of a rule, and the hyper-parameters to compare it under.

    DEFAULTS passes nothing to either side, so that their defaults must be the same. `rtol` is
    relative to each coordinate's largest value.
    """

    name: str
    foreign: Foreign
    sets: tuple[Hypers, ...]
    rtol: float = 1e-12


def of_moments(**more: float) -> tuple[Hypers, ...]:
    """Make sets for a rule with two betas: the defaults, one that forgets fast, one with large eps.

    With beta1 = 0 there is no momentum at all, and with beta2 = 0.5 RAdam never rectifies.
    """
    fast = {"lr": 0.05, "beta1": 0.5, "beta2": 0.8, "weight_decay": 0.1}
    damped = {"lr": 0.3, "beta1": 0.0, "beta2": 0.5, "eps": 1e-2, "weight_decay": 0.0}
    return DEFAULTS, fast | more, damped | more


def of_step(**more: float) -> tuple[Hypers, ...]:
    """Make sets for a rule without betas: the defaults, and two with weight decay."""
    return DEFAULTS, {"lr": 0.05, "weight_decay": 0.1}, {"lr": 2e-3, "weight_decay": 1.0} | more


def explicit(rule: Callable[..., Any], foreign: Foreign) -> Foreign:
    """Hand our defaults over by name, to an implementation that has others or none."""
    return lambda p, grads, hypers: foreign(p, grads, {**hypers_of(rule), **hypers})


def one_tensor(optimizer: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    """Keep a torch optimizer on its plain path, one tensor at a time."""
    return partial(optimizer, foreach=False, **fixed)


def schedule_free(*args: Any, kind: str = "AdamW", **hypers: Any) -> Any:
    """Make one of the authors' optimizers, ready to train."""
    optimizer = getattr(schedulefree, f"{kind}ScheduleFree")(*args, foreach=False, **hypers)
    optimizer.train()
    return optimizer


def schedule_free_state(optimizer: Any, p: Any) -> dict[str, Any]:
    """Take z and v, if there is one, from the parameter's state, the two numbers from its group."""
    group, own = optimizer.param_groups[0], optimizer.state[p]
    numbers = {"lr_max": group["lr_max"], "weight_sum": group["weight_sum"]}
    return {"z": own["z"], **numbers} | ({"v": own["exp_avg_sq"]} if "exp_avg_sq" in own else {})


def adan_state(optimizer: Any, p: Any) -> dict[str, Any]:
    """Take Adan's states, of which the previous gradient is kept with the other sign."""
    own = optimizer.state[p]
    means = {"m": own["exp_avg"], "v": own["exp_avg_diff"], "n": own["exp_avg_sq"]}
    return {**means, "g_prev": -own["previous_grad"]}


def atan2(*args: Any, **hypers: Any) -> Any:
    """Make lucidrains' Adam-atan2, of a package whose other optimizers need more packages."""
    return alone("adam_atan2_pytorch", ".", "adam_atan2").AdamAtan2(*args, **hypers)


def timm_laprop(*args: Any, **hypers: Any) -> Any:
    """Make timm's LaProp."""
    return timm("laprop").LaProp(*args, foreach=False, **hypers)


def timm_adopt(*args: Any, **hypers: Any) -> Any:
    """Make timm's ADOPT, cut off as its authors do."""
    return timm("adopt").Adopt(*args, clip_exp=0.25, foreach=False, **hypers)


def peaking(params: list[Any], *, lr: float, max_lr: float, **hypers: Any) -> Any:
    """Make timm's AdamW with a corrected decay at the peak of a schedule, then lower its lr."""
    made = timm("adamw").AdamWLegacy(
        params, lr=max_lr, corrected_weight_decay=True, foreach=False, **hypers
    )
    made.param_groups[0]["lr"] = lr
    return made


def peak_state(optimizer: Any, p: Any) -> dict[str, Any]:
    """Take Adam's moments and the lr that the optimizer was made with."""
    own, group = optimizer.state[p], optimizer.param_groups[0]
    return {k: own[v] for k, v in MOMENTS.items()} | {"lr_max": group["max_lr_snapshot"]}


def laprop_state(optimizer: Any, p: Any) -> dict[str, Any]:
    """Take LaProp's moments, the first without the lr that is inside it there."""
    own, lr = optimizer.state[p], optimizer.param_groups[0]["lr"]
    return {"m": own["exp_avg"] / lr, "v": own["exp_avg_sq"]}


def decaying_cautiously(params: list[Any], *, eps: float, **hypers: Any) -> Any:
    """Make Adam-atan2 with cautious decay, of so narrow angles that they are quotients.

    a * atan2(m, a * d) is m / d to the last digit where a is 1e8. It has no eps.
    """
    assert eps < 1e-100
    return atan2(params, a=1e8, b=1e8, cautious_wd=True, **hypers)


def zeros_decayed(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
    """Run it, and torch's AdamW for the coordinates without any gradient.

    The paper decays where the update is 0, as AdamW does; adam-atan2-pytorch does not.
    """
    still = ~np.any(grads, axis=0)
    cautious = of_torch(decaying_cautiously, BETAS, MOMENTS)(p, grads, hypers)
    plain = of_torch(one_tensor(torch.optim.AdamW), BETAS, MOMENTS)(p, grads, hypers)
    return [
        {k: np.where(still, b[k], a[k]) for k in a} for a, b in zip(cautious, plain, strict=True)
    ]


def cautious_alone(params: list[Any], *, lr: float, weight_decay: float, **hypers: Any) -> Any:
    """Make AdEMAMix with alpha = 0, which is AdamW, with its cautious mask, for one element.

    It rescales by n / (kept + 1), which is 1/2 for a kept element alone in its tensor: with lr
    doubled and the decay halved only the mask remains.
    """
    mask = {"alpha": 0.0, "cautious": True, "weight_decouple": True, "foreach": False}
    hypers["betas"] = (*hypers["betas"], 0.9999)
    return peers.AdEMAMix(params, lr=2 * lr, weight_decay=weight_decay / 2, **mask, **hypers)


def element_by_element(foreign: Foreign) -> Foreign:
    """Give every coordinate a tensor of its own."""

    def run(p: Array, grads: list[Array], hypers: Hypers) -> Trace:
        places = [slice(i, i + 1) for i in range(p.size)]
        traces = [foreign(p[i], [g[i] for g in grads], hypers) for i in places]
        joined = zip(*traces, strict=True)
        return [{k: np.concatenate([one[k] for one in step]) for k in step[0]} for step in joined]

    return run


def adam_with_l2(*, weight_decay: float, **hypers: Any) -> Any:
    """Make optax's Adam behind an L2 penalty."""
    return optax.chain(optax.add_decayed_weights(weight_decay), optax.adam(**hypers))


def belief(*, learning_rate: float, weight_decay: float, eps: float, b1: float, b2: float) -> Any:
    """Make optax's AdaBelief with eps in both places, and decoupled weight decay."""
    return optax.chain(
        optax.scale_by_belief(b1, b2, eps=eps, eps_root=eps),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(learning_rate),
    )


def adopt_with_l2(*, weight_decay: float, **hypers: Any) -> Any:
    """Make optax's ADOPT behind an L2 penalty."""
    return optax.chain(optax.add_decayed_weights(weight_decay), optax.contrib.adopt(**hypers))


def averaging_sgd(*, r: float, **hypers: Any) -> Any:
    """Make optax's schedule-free SGD, which weights all iterates alike."""
    assert r == 0
    return optax.contrib.schedule_free_sgd(**hypers)


def undecayed(*, weight_decay: float, **hypers: Any) -> Any:
    """Make optax's Signum, which has no decay."""
    assert weight_decay == 0
    return optax.signum(**hypers)


def slow_fast(*, alpha_warmup: float, beta3_warmup: float, **hypers: Any) -> Any:
    """Make optax's AdEMAMix, which knows no warm-up."""
    assert alpha_warmup == beta3_warmup == 0
    return optax.contrib.ademamix(**hypers)


def from_optax(rule: Callable[..., Any], make: Callable[..., Any], **states: str) -> Foreign:
    """Wrap an optax rule whose state, somewhere in its chain, keeps ours under the names given."""

    def read(state: Any) -> dict[str, Any]:
        return {ours: optax.tree.get(state, theirs) for ours, theirs in states.items()}

    names = {"lr": "learning_rate", "beta1": "b1", "beta2": "b2", "beta3": "b3"}
    return explicit(rule, of_optax(make, names, read))


def case_of_torch(name: str, names: Any, read: Any, sets: tuple[Hypers, ...], **fixed: Any) -> Case:
    """Make the case of an optimizer in `torch.optim`."""
    make = one_tensor(getattr(torch.optim, name), **fixed)
    return Case(f"torch {name}", of_torch(make, names, read), sets)


def case_of_peers(name: str, read: Any, sets: tuple[Hypers, ...], **fixed: Any) -> Case:
    """Make the case of an optimizer in pytorch_optimizer, whose warm-ups share one length."""
    names: dict[str, str | tuple[str, int]] = {
        **BETAS,
        "beta": "momentum",
        "alpha_warmup": "t_alpha_beta3",
        "beta3_warmup": "t_alpha_beta3",
    }
    make = one_tensor(getattr(peers, name), **fixed)
    return Case(f"pytorch_optimizer {name}", of_torch(make, names, read), sets)


MOMENTUM = {"beta": "momentum"}
RATE = {"lr": 1e-4}
SIGNED = {"lr": 0.05, "beta": 0.5}
HALF = {"lr": 0.05, "beta": 0.5, "weight_decay": 0.1}
ALPHA = {"beta2": "alpha"}
RHO = {"lr": 0.5, "rho": 0.5, "eps": 1e-3, "weight_decay": 0.1}
SIGNS = {"lr": 0.05, "beta1": 0.5, "beta2": 0.8, "weight_decay": 0.1}
MIX = {"lr": 0.05, "beta1": 0.5, "beta2": 0.8, "beta3": 0.99, "alpha": 8.0, "weight_decay": 0.1}
WARM = {"alpha_warmup": 40, "beta3_warmup": 40}
ADAN = {"lr": 0.05, "beta1": 0.5, "beta2": 0.7, "beta3": 0.8, "weight_decay": 0.1}
FREE_SGD = {"lr": 0.05, "beta1": 0.5, "weight_decay": 0.1}
FREE = {"lr": 0.05, "beta1": 0.5, "beta2": 0.8, "weight_decay": 0.1}

CASES: dict[str, list[Case]] = {
    "sgd": [case_of_torch("SGD", {}, {}, of_step())],
    "momentum": [
        case_of_torch("SGD", MOMENTUM, {"m": "momentum_buffer"}, ({"beta": 0.9}, HALF)),
    ],
    "nesterov": [
        case_of_torch(
            "SGD", MOMENTUM, {"m": "momentum_buffer"}, ({"beta": 0.9}, HALF), nesterov=True
        )
    ],
    "adagrad": [case_of_torch("Adagrad", {}, {"v": "sum"}, of_step(eps=1e-2))],
    "rmsprop": [case_of_torch("RMSprop", ALPHA, {"v": "square_avg"}, of_step(beta2=0.5, eps=1e-2))],
    "rmsprop_centered": [
        case_of_torch(
            "RMSprop",
            ALPHA,
            {"m": "grad_avg", "v": "square_avg"},
            of_step(beta2=0.5, eps=1e-2),
            centered=True,
        )
    ],
    "adadelta": [
        case_of_torch("Adadelta", {}, {"v": "square_avg", "d": "acc_delta"}, (DEFAULTS, RHO))
    ],
    "adam": [
        case_of_torch("Adam", BETAS, MOMENTS, of_moments()),
        Case("optax adam", from_optax(rules.adam, adam_with_l2, m="mu", v="nu"), of_moments()),
    ],
    "adamw": [
        case_of_torch("AdamW", BETAS, MOMENTS, of_moments()),
        Case("optax adamw", from_optax(rules.adamw, optax.adamw, m="mu", v="nu"), of_moments()),
    ],
    "amsgrad": [
        case_of_torch(
            "Adam", BETAS, {**MOMENTS, "v_max": "max_exp_avg_sq"}, of_moments(), amsgrad=True
        )
    ],
    "adamax": [case_of_torch("Adamax", BETAS, {"m": "exp_avg", "u": "exp_inf"}, of_moments())],
    "nadam": [
        case_of_torch(
            "NAdam",
            BETAS,
            {**MOMENTS, "mu_product": "mu_product"},
            of_moments(momentum_decay=0.1),
        )
    ],
    "radam": [case_of_torch("RAdam", BETAS, MOMENTS, of_moments())],
    "adabelief": [
        case_of_peers("AdaBelief", {"m": "exp_avg", "s": "exp_avg_var"}, of_moments()),
        Case("optax adabelief", from_optax(rules.adabelief, belief, m="mu", s="nu"), of_moments()),
    ],
    "adam_atan2": [
        Case(
            "adam_atan2_pytorch AdamAtan2",
            explicit(rules.adam_atan2, of_torch(atan2, BETAS, MOMENTS)),
            (DEFAULTS, SIGNS, SIGNS | {"beta1": 0.0, "a": 2.0, "b": 0.5}),
        )
    ],
    "adamc": [
        Case(
            "timm AdamWLegacy(corrected_weight_decay=True)",
            explicit(rules.adamc, of_torch(peaking, BETAS, peak_state)),
            ({"max_lr": 4e-3}, SIGNS | {"max_lr": 0.2}, SIGNS | {"max_lr": 0.05, "eps": 1e-2}),
        )
    ],
    "cautious_decay_adamw": [
        Case(
            "adam_atan2_pytorch AdamAtan2(cautious_wd=True) in the limit of narrow angles",
            explicit(rules.cautious_decay_adamw, zeros_decayed),
            ({"eps": 1e-300}, SIGNS | {"eps": 1e-300}),
            # Its mask is float32, and so is the factor that decays.
            1e-6,
        )
    ],
    "laprop": [
        Case(
            "timm LaProp",
            explicit(rules.laprop, of_torch(timm_laprop, BETAS, laprop_state)),
            of_moments(),
        ),
    ],
    "adopt": [
        Case("optax adopt", from_optax(rules.adopt, adopt_with_l2, m="mu", v="nu"), of_moments()),
        Case(
            "timm Adopt(clip_exp=0.25)",
            of_torch(timm_adopt, BETAS, MOMENTS),
            of_moments(),
        ),
    ],
    "grams": [case_of_peers("Grams", MOMENTS, of_moments())],
    "signum": [
        case_of_peers("SignSGD", {"m": "momentum_buffer"}, (RATE, HALF)),
        Case("optax signum", from_optax(rules.signum, undecayed, m="ema"), (DEFAULTS, SIGNED)),
    ],
    "lion": [
        case_of_peers("Lion", {"m": "exp_avg"}, (DEFAULTS, SIGNS, SIGNS | {"beta2": 0.0})),
        Case("optax lion", from_optax(rules.lion, optax.lion, m="mu"), (DEFAULTS, SIGNS)),
    ],
    "ademamix": [
        case_of_peers(
            "AdEMAMix",
            {"m1": "exp_avg", "m2": "exp_avg_slow", "v": "exp_avg_sq"},
            (DEFAULTS, MIX, MIX | WARM),
            weight_decouple=True,
        ),
        Case(
            "optax ademamix",
            from_optax(rules.ademamix, slow_fast, m1="m1", m2="m2", v="nu"),
            (DEFAULTS, MIX, MIX | {"beta1": 0.0}),
        ),
    ],
    "adan": [case_of_peers("Adan", adan_state, (DEFAULTS, ADAN, ADAN | {"eps": 1e-2}))],
    "schedule_free_sgd": [
        Case(
            "schedulefree SGDScheduleFree",
            of_torch(
                partial(schedule_free, kind="SGD"), {"beta1": "momentum"}, schedule_free_state
            ),
            ({"lr": 0.1}, FREE_SGD, FREE_SGD | {"r": 1.0, "weight_lr_power": 0.0}),
        ),
        Case(
            "optax schedule_free_sgd",
            from_optax(
                rules.schedule_free_sgd,
                averaging_sgd,
                z="z",
                lr_max="max_lr",
                weight_sum="weight_sum",
            ),
            ({"lr": 0.1}, FREE_SGD),
        ),
    ],
    "schedule_free_adamw": [
        Case(
            "schedulefree AdamWScheduleFree",
            of_torch(schedule_free, BETAS, schedule_free_state),
            (DEFAULTS, FREE, FREE | {"eps": 1e-2, "r": 1.0, "weight_lr_power": 0.0}),
        )
    ],
    "schedule_free_radam": [
        Case(
            "schedulefree RAdamScheduleFree",
            of_torch(partial(schedule_free, kind="RAdam"), BETAS, schedule_free_state),
            (DEFAULTS, FREE, FREE | {"eps": 1e-2, "r": 1.0, "weight_lr_power": 0.0}),
        )
    ],
    "masked_adamw": [
        Case(
            "pytorch_optimizer AdEMAMix(alpha=0, cautious), tensors of one element",
            explicit(
                rules.masked_adamw,
                element_by_element(of_torch(cautious_alone, BETAS, MOMENTS)),
            ),
            of_moments(),
        )
    ],
}
