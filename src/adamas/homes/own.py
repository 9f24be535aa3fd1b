"""What optax, bitsandbytes and schedulefree themselves compute, as rules of adamas.

Keras' own stands in `homes/keras.py`; torch computes what adamas.torch does, but for its Muon,
which multiplies bfloat16 numbers and has options of its own.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from adamas import dialects, rules
from adamas.homes import optax, torch
from adamas.homes.signature import Function, Options, Rule, Signature
from adamas.kernel.formula import parse
from adamas.kernel.variants import decoupled

Sources = dict[str, tuple[str, int | None]]
# Arguments that only adamas.jax has.
MORE = {"state", "seed", "momentum_decay", "alpha_warmup", "beta3_warmup", "r"}
DECAYING = ["adadelta", "adamw", "adamaxw", "nadamw", "lion", "ademamix"]
DECAYING += ["schedule_free_sgd", "schedule_free_adamw", "lamb", "lars"]
OPTAX_HAS = [
    *DECAYING,
    *["sgd", "adagrad", "rmsprop", "adam", "amsgrad", "adamax", "nadam", "radam", "adabelief"],
    *["adopt", "signum"],
]
ROOT = {"eps_root": 0.0}
SMALL = {"weight_decay": 1e-4}
INSIDE = {"eps_in_sqrt": True}
# Where optax has other defaults than adamas.jax, and where another rule.
DEFAULTS: dict[str, dict[str, Any]] = {
    "adagrad": {"initial_accumulator_value": 0.1, "eps": 1e-7, **INSIDE},
    "rmsprop": {"decay": 0.9, **INSIDE},
    "adam": ROOT,
    "adamw": {**ROOT, **SMALL},
    "nadam": ROOT,
    "nadamw": {**ROOT, **SMALL},
    "adamaxw": SMALL,
    "amsgrad": ROOT,
    "radam": {**ROOT, "threshold": 5.0},
    "adabelief": {"eps_root": 1e-16},
    "lion": {"weight_decay": 1e-3},
    "ademamix": ROOT,
    "lamb": ROOT,
}


def _always(rule: Rule, options: Options) -> Rule:
    return rule


def _belief(options: Options) -> Rule:
    if options["eps_root"] != options["eps"]:
        raise ValueError("the rule adabelief is where eps_root equals eps")
    return rules.adabelief


CHOICES: dict[str, Callable[[Options], Rule]] = {
    "nadam": lambda o: dialects.nadam_constant,
    "nadamw": lambda o: decoupled(parse(dialects.nadam_constant)),
    "amsgrad": lambda o: dialects.amsgrad_corrected_max,
    "adabelief": _belief,
    "lars": lambda o: dialects.lars_joint_norm,
}


def _moving(one: Signature) -> Signature:
    """The same, whose dialects with momentum know it by its name, too."""
    beta: Sources = {"beta": ("momentum", None)} if "momentum" in one.defaults else {}
    return replace(one, sources={**beta, **one.sources})


def _optax() -> dict[str, Signature]:
    made = {}
    for name in OPTAX_HAS:
        one = JAX[name]
        dropped = MORE if name in DECAYING else {*MORE, "weight_decay"}
        known = {**one.defaults, **DEFAULTS.get(name, {})}
        taken = {key: value for key, value in known.items() if key not in dropped}
        fixed = one.fixed - ({"eps_root"} if name == "adabelief" else set())
        choose = CHOICES.get(name, one.choose)
        made[name] = replace(one, defaults=taken, choose=choose, fixed=fixed)
    return made


def _bitsandbytes() -> dict[str, Signature]:
    """Its `Adam` decays parameters directly, as `AdamW` does, and its `SGD` has momentum."""
    pair: Sources = {**torch.BETAS}
    first = ("betas", 0)
    plain: dict[str, tuple[Function, Sources, tuple[str, ...]]] = {
        "Adam": (rules.adamw, pair, ("m", "v")),
        "AdamW": (rules.adamw, pair, ("m", "v")),
        "Lion": (rules.lion, pair, ("m",)),
        "SGD": (rules.momentum, {"beta": first}, ("m",)),
        "RMSprop": (rules.rmsprop, {"beta2": first}, ("v",)),
        "Adagrad": (rules.adagrad, {}, ("v",)),
    }
    defaults = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}
    made: dict[str, Signature] = {}
    for name, (rule, sources, states) in plain.items():
        names = {state: f"state{k}" for k, state in enumerate(states, 1)}
        one = Signature(name, defaults, partial(_always, rule), "", sources, moments=names)
        made |= {f"{a}{name}{b}": one for a in ("", "Paged") for b in ("", "8bit", "32bit")}
    return made


def _torch_muon() -> Signature:
    steps = {"nesterov": True, "ns_coefficients": (3.4445, -4.775, 2.0315), "eps": 1e-7}
    steps |= {"ns_steps": 5}
    lengths = {None: rules.muon, "original": rules.muon}
    lengths |= {"match_rms_adamw": dialects.muon_match_rms_adamw}
    own = {"lr": 1e-3, "weight_decay": 0.1, "momentum": 0.95, **steps, "adjust_lr_fn": None}
    return replace(
        torch.SIGNATURES["Muon"], defaults=own, choose=lambda o: lengths[o["adjust_lr_fn"]],
        fixed=frozenset(steps), moments={"m": "momentum_buffer"},
    )  # fmt: skip


def _schedulefree(rule: str) -> Signature:
    one = replace(torch.SIGNATURES[f"ScheduleFree{rule}"], moments={"v": "exp_avg_sq"})
    if rule != "RAdam":
        return one
    # Without it the first steps go without a root, which is another rule.
    known = {**one.defaults, "silent_sgd_phase": True}
    return replace(one, defaults=known, fixed=frozenset({"silent_sgd_phase"}))


TORCH = {**torch.SIGNATURES, "Muon": _torch_muon()}
JAX = {name: _moving(one) for name, one in optax.SIGNATURES.items()}
OPTAX = _optax()
BITSANDBYTES = _bitsandbytes()
SCHEDULEFREE = {f"{rule}ScheduleFree": _schedulefree(rule) for rule in ("SGD", "AdamW", "RAdam")}
