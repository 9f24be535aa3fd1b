"""adamas for JAX: `from adamas.jax import adamw` in place of `from optax import adamw`.

Every rule is an optax gradient transformation; arithmetic is float32 whatever the parameters are,
and what depends on hyper-parameters and the step alone is float64 inside the trace.
"""

from importlib.util import find_spec

if missing := [name for name in ("jax", "optax") if find_spec(name) is None]:
    raise ImportError(f"adamas.jax needs {missing[0]}; install it with: pip install 'adamas[jax]'")

from adamas.jax.evaluating import schedule_free_eval_params
from adamas.jax.factories import (
    adabelief,
    adadelta,
    adafactor,
    adagrad,
    adam,
    adam_atan2,
    adamax,
    adamaxw,
    adamc,
    adamh,
    adamuon,
    adamw,
    adan,
    ademamix,
    adopt,
    amsgrad,
    came,
    cautious_adamw,
    cautious_decay_adamw,
    grams,
    lamb,
    laprop,
    lars,
    lion,
    mars,
    masked_adamw,
    momentum,
    muon,
    nadam,
    nadamw,
    nesterov,
    normuon,
    prodigy,
    radam,
    rmsprop,
    rmsprop_centered,
    schedule,
    schedule_free_adamw,
    schedule_free_radam,
    schedule_free_sgd,
    sgd,
    signum,
    stable_adamw,
    transform,
)
from adamas.jax.files import load, save
from adamas.jax.saved import from_dict, to_dict

__all__ = [
    "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "rmsprop_centered", "adadelta", "adam",
    "adamw", "amsgrad", "adamax", "adamaxw", "nadam", "nadamw", "radam", "adabelief",
    "adam_atan2", "adamc", "cautious_decay_adamw", "laprop", "adopt", "grams", "signum", "lion",
    "ademamix", "adan", "mars", "schedule_free_sgd", "schedule_free_adamw",
    "schedule_free_radam", "masked_adamw", "cautious_adamw", "lars", "lamb", "adamh",
    "stable_adamw", "adafactor", "came", "prodigy", "muon", "normuon", "adamuon",
    "schedule_free_eval_params", "from_dict", "load", "save", "schedule", "to_dict", "transform",
]  # fmt: skip
