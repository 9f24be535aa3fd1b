"""Every update rule once, as its paper writes it, simplest first.

A rule is a formula, not a program: `p` is the parameter and `g` its gradient; the other positional
names are the state, 0 before the first step unless a default says otherwise; keyword-only names
are hyper-parameters; `t` is the step, 1 at the first, and `t == 1` asks whether an element has had
none before: rows of a table begin when they are first named. A rule returns the new parameter and
the new state. Nothing about dtypes, blocks, threads or storage may appear here, and the bodies
carry no types, because the same text runs on floats, on arrays and inside compiled kernels.

Hyper-parameters and their defaults follow `torch.optim` where torch has the rule, otherwise the
authors' code; each docstring says where its paper or a well-known library differs.
"""

from adamas.rules.adam import (
    adabelief,
    adam,
    adam_atan2,
    adamax,
    adamc,
    adamw,
    amsgrad,
    cautious_decay_adamw,
    nadam,
    radam,
)
from adamas.rules.adaptive import adadelta, adagrad, rmsprop, rmsprop_centered
from adamas.rules.averages import AVERAGES as AVERAGES
from adamas.rules.averages import schedule_free_adamw, schedule_free_radam, schedule_free_sgd
from adamas.rules.averages import schedule_free_average as schedule_free_average
from adamas.rules.descent import momentum, nesterov, sgd
from adamas.rules.masked import cautious_adamw, masked_adamw
from adamas.rules.matrices import adamuon, muon, normuon
from adamas.rules.momenta import adan, ademamix, adopt, grams, laprop, lion, mars, signum
from adamas.rules.tensors import adafactor, adamh, came, lamb, lars, prodigy, stable_adamw

__all__ = [
    "sgd",
    "momentum",
    "nesterov",
    "adagrad",
    "rmsprop",
    "rmsprop_centered",
    "adadelta",
    "adam",
    "adamw",
    "amsgrad",
    "adamax",
    "nadam",
    "radam",
    "adabelief",
    "adam_atan2",
    "adamc",
    "cautious_decay_adamw",
    "laprop",
    "adopt",
    "grams",
    "signum",
    "lion",
    "ademamix",
    "adan",
    "mars",
    "schedule_free_sgd",
    "schedule_free_adamw",
    "schedule_free_radam",
    "masked_adamw",
    "cautious_adamw",
    "lars",
    "lamb",
    "adamh",
    "stable_adamw",
    "adafactor",
    "came",
    "prodigy",
    "muon",
    "normuon",
    "adamuon",
]
