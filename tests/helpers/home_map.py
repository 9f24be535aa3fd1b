"""Run every row of the map of states between every two homes; prints what came of it as JSON.

It is a process of its own, because Keras takes its backend from the environment and JAX its width.
Each home is given the same numbers; `eps` is large enough to tell where it stands.
"""

import importlib
import json
import sys
import warnings
from typing import Any

import keras
import schedulefree
import torch

import adamas.keras
from adamas import dialects, rules
from adamas.classes import CLASSES
from adamas.homes.keras import SIGNATURES
from adamas.kernel.formula import parse
from adamas.kernel.variants import decoupled
from exact_muon import of_torch_itself
from home_keras import cases
from home_runs import MATRICES, Adamas, Keras, Optax, Run, Torch, Trained, forty, going_on

# Exact in float32, in which Keras keeps it.
LR = 2.0**-7
EPS = 1e-3
BETAS = {"lr": LR, "betas": (0.9, 0.999), "eps": EPS}
PAIR = {"learning_rate": LR, "beta_1": 0.9, "beta_2": 0.999, "epsilon": EPS}
OURS = {"lr": LR, "beta1": 0.9, "beta2": 0.999, "eps": EPS}
B = f"{LR}, b1=0.9, b2=0.999, eps={EPS}"
RMS = {"lr": LR, "alpha": 0.9, "eps": EPS}
MOVED = {"lr": LR, "beta2": 0.9, "beta": 0.9, "eps": EPS}
torch_, kr = torch.optim, keras.optimizers


def rms(**more: Any) -> dict[str, Any]:
    """Keras' RMSprop."""
    return {"learning_rate": LR, "rho": 0.9, "epsilon": EPS, **more}


Row = dict[str, tuple[Run, Any, dict[str, Any]]]


def row(torch: Any = None, optax: Any = None, keras: Any = None) -> dict[str, Any]:
    """The homes that have a rule."""
    given = {"torch": torch, "optax": optax, "Keras": keras}
    return {name: one for name, one in given.items() if one is not None}


def rows() -> dict[str, dict[str, Any]]:
    """For each rule, each home: its optimizer, and the rule of adamas that computes the same."""
    momentum = {"lr": LR, "beta": 0.9}
    k_mom = {"learning_rate": LR, "momentum": 0.9}
    free = {"lr": LR, "betas": (0.9, 0.999), "eps": EPS, "weight_decay": 0.01}
    d, r = dialects, rules
    rp = f"optax.rmsprop({LR}, decay=0.9, eps={EPS}"
    return {
        "sgd": row(
            (Torch(torch_.SGD, lr=LR), r.sgd, {"lr": LR}),
            (Optax(f"optax.sgd({LR})"), r.sgd, {"lr": LR}),
            (Keras(kr.SGD, learning_rate=LR), r.sgd, {"lr": LR}),
        ),
        "momentum": row(
            (Torch(torch_.SGD, lr=LR, momentum=0.9), r.momentum, momentum),
            (Optax(f"optax.sgd({LR}, momentum=0.9)"), r.momentum, momentum),
            (Keras(kr.SGD, **k_mom), d.momentum_lr_inside, momentum),
        ),
        "nesterov": row(
            (Torch(torch_.SGD, lr=LR, momentum=0.9, nesterov=True), r.nesterov, momentum),
            (Optax(f"optax.sgd({LR}, momentum=0.9, nesterov=True)"), r.nesterov, momentum),
            (Keras(kr.SGD, **k_mom, nesterov=True), d.nesterov_lr_inside, momentum),
        ),
        "momentum, dampened": row(
            (
                Torch(torch_.SGD, lr=LR, momentum=0.9, dampening=0.5),
                d.momentum_damped,
                {**momentum, "dampening": 0.5},
            ),
        ),
        "adagrad": row(
            (Torch(torch_.Adagrad, lr=LR, eps=EPS), r.adagrad, {"lr": LR, "eps": EPS}),
            (Optax(f"optax.adagrad({LR}, eps={EPS})"), d.adagrad_eps_inside,
             {"lr": LR, "eps": EPS}),
            (Keras(kr.Adagrad, learning_rate=LR, epsilon=EPS), d.adagrad_eps_inside,
             {"lr": LR, "eps": EPS}),
        ),
        "adagrad, lr decayed": row(
            (Torch(torch_.Adagrad, lr=LR, eps=EPS, lr_decay=0.1), d.adagrad_decayed,
             {"lr": LR, "eps": EPS, "lr_decay": 0.1}),
        ),
        "rmsprop": row(
            (Torch(torch_.RMSprop, **RMS), r.rmsprop, {"lr": LR, "beta2": 0.9, "eps": EPS}),
            (Optax(f"{rp})"), d.rmsprop_eps_inside, {"lr": LR, "beta2": 0.9, "eps": EPS}),
            (Keras(kr.RMSprop, **rms()), d.rmsprop_eps_inside,
             {"lr": LR, "beta2": 0.9, "eps": EPS}),
        ),
        "rmsprop, eps outside": row(
            (Torch(torch_.RMSprop, **RMS), r.rmsprop, {"lr": LR, "beta2": 0.9, "eps": EPS}),
            (Optax(f"{rp}, eps_in_sqrt=False)"), r.rmsprop,
             {"lr": LR, "beta2": 0.9, "eps": EPS}),
        ),
        "rmsprop, centered": row(
            (Torch(torch_.RMSprop, **RMS, centered=True), r.rmsprop_centered,
             {"lr": LR, "beta2": 0.9, "eps": EPS}),
            (Optax(f"{rp}, centered=True)"), d.rmsprop_centered_eps_inside,
             {"lr": LR, "beta2": 0.9, "eps": EPS}),
            (Keras(kr.RMSprop, **rms(centered=True)), d.rmsprop_centered_eps_inside,
             {"lr": LR, "beta2": 0.9, "eps": EPS}),
        ),
        "rmsprop, momentum": row(
            (Torch(torch_.RMSprop, **RMS, momentum=0.9), d.rmsprop_momentum, MOVED),
            (Optax(f"{rp}, momentum=0.9)"), d.rmsprop_momentum_eps_lr_inside, MOVED),
            (Keras(kr.RMSprop, **rms(momentum=0.9)), d.rmsprop_momentum_eps_lr_inside, MOVED),
        ),
        "rmsprop, momentum, eps outside": row(
            (Torch(torch_.RMSprop, **RMS, momentum=0.9), d.rmsprop_momentum, MOVED),
            (Optax(f"{rp}, momentum=0.9, eps_in_sqrt=False)"), d.rmsprop_momentum_lr_inside,
             MOVED),
        ),
        "rmsprop, centered, momentum": row(
            (Torch(torch_.RMSprop, **RMS, momentum=0.9, centered=True),
             d.rmsprop_centered_momentum, MOVED),
            (Optax(f"{rp}, momentum=0.9, centered=True)"),
             d.rmsprop_centered_momentum_eps_lr_inside, MOVED),
            (Keras(kr.RMSprop, **rms(momentum=0.9, centered=True)),
             d.rmsprop_centered_momentum_eps_lr_inside, MOVED),
        ),
        "rmsprop, centered, momentum, eps outside": row(
            (Torch(torch_.RMSprop, **RMS, momentum=0.9, centered=True),
             d.rmsprop_centered_momentum, MOVED),
            (Optax(f"{rp}, momentum=0.9, centered=True, eps_in_sqrt=False)"),
             d.rmsprop_centered_momentum_lr_inside, MOVED),
        ),
        "adadelta": row(
            (Torch(torch_.Adadelta, lr=LR, rho=0.9, eps=EPS), r.adadelta,
             {"lr": LR, "rho": 0.9, "eps": EPS}),
            (Optax(f"optax.adadelta({LR}, rho=0.9, eps={EPS})"), r.adadelta,
             {"lr": LR, "rho": 0.9, "eps": EPS}),
            (Keras(kr.Adadelta, learning_rate=LR, rho=0.9, epsilon=EPS), r.adadelta,
             {"lr": LR, "rho": 0.9, "eps": EPS}),
        ),
        "adam": row(
            (Torch(torch_.Adam, **BETAS), r.adam, OURS),
            (Optax(f"optax.adam({B})"), r.adam, OURS),
            (Keras(kr.Adam, **PAIR), d.adam_eps_hat, OURS),
        ),
        "adam, L2": row(
            (Torch(torch_.Adam, **BETAS, weight_decay=0.1), r.adam, {**OURS, "weight_decay": 0.1}),
        ),
        "adamw": row(
            (Torch(torch_.AdamW, **BETAS, weight_decay=0.1), r.adamw,
             {**OURS, "weight_decay": 0.1}),
            (Optax(f"optax.adamw({B}, weight_decay=0.1)"), r.adamw, {**OURS, "weight_decay": 0.1}),
            (Keras(kr.AdamW, **PAIR, weight_decay=0.1), decoupled(parse(d.adam_eps_hat)),
             {**OURS, "weight_decay": 0.1}),
        ),
        "amsgrad": row(
            (Torch(torch_.Adam, **BETAS, amsgrad=True), r.amsgrad, OURS),
            (Optax(f"optax.amsgrad({B})"), d.amsgrad_corrected_max, OURS),
            (Keras(kr.Adam, **PAIR, amsgrad=True), d.amsgrad_eps_hat, OURS),
        ),
        "adamax": row(
            (Torch(torch_.Adamax, **BETAS), r.adamax, OURS),
            (Optax(f"optax.adamax({B})"), r.adamax, OURS),
            (Keras(kr.Adamax, **PAIR), d.adamax_eps_outside, OURS),
        ),
        "nadam": row(
            (Torch(torch_.NAdam, **BETAS), r.nadam, OURS),
            (Optax(f"optax.nadam({B})"), d.nadam_constant, OURS),
            (Keras(kr.Nadam, **PAIR), r.nadam, {**OURS, "momentum_decay": 1.0}),
        ),
        "nadam, momentum_decay=1": row(
            (Torch(torch_.NAdam, **BETAS, momentum_decay=1.0), r.nadam,
             {**OURS, "momentum_decay": 1.0}),
            keras=(Keras(kr.Nadam, **PAIR), r.nadam, {**OURS, "momentum_decay": 1.0}),
        ),
        "radam": row(
            (Torch(torch_.RAdam, **BETAS), r.radam, OURS),
            (Optax(f"optax.radam({B})"), d.radam_eps_outside, OURS),
        ),
        "adabelief": row(
            optax=(Optax(f"optax.adabelief({LR}, eps=1e-8, eps_root=1e-8)"), r.adabelief,
                   {**OURS, "eps": 1e-8}),
        ),
        "lion": row(
            optax=(Optax(f"optax.lion({LR}, b1=0.9, b2=0.99, weight_decay=0.1)"), r.lion,
                   {"lr": LR, "weight_decay": 0.1}),
            keras=(Keras(kr.Lion, learning_rate=LR, beta_1=0.9, beta_2=0.99, weight_decay=0.1),
                   r.lion, {"lr": LR, "weight_decay": 0.1}),
        ),
        "ademamix": row(
            optax=(Optax(f"optax.ademamix({B}, b3=0.99, weight_decay=0.1)"), r.ademamix,
                   {**OURS, "beta3": 0.99, "weight_decay": 0.1}),
        ),
        "schedule_free_adamw": row(
            (Torch(schedulefree.AdamWScheduleFree, **free), r.schedule_free_adamw,
             {**OURS, "weight_decay": 0.01}),
            (Optax(f"optax.schedule_free_adamw({B}, weight_decay=0.01)"), r.schedule_free_adamw,
             {**OURS, "weight_decay": 0.01}),
            (Keras(kr.ScheduleFreeAdamW, **PAIR), None, {}),
        ),
        "schedule_free_sgd": row(
            (Torch(schedulefree.SGDScheduleFree, lr=LR, momentum=0.9, weight_decay=0.01),
             r.schedule_free_sgd, {"lr": LR, "beta1": 0.9, "weight_decay": 0.01}),
            (Optax(f"optax.schedule_free_sgd({LR}, b1=0.9, weight_decay=0.01)"),
             r.schedule_free_sgd, {"lr": LR, "beta1": 0.9, "weight_decay": 0.01}),
        ),
        "schedule_free_radam": row(
            (Torch(schedulefree.RAdamScheduleFree, **free), r.schedule_free_radam,
             {**OURS, "weight_decay": 0.01}),
        ),
        "signum": row(
            optax=(Optax(f"optax.signum({LR}, beta=0.9)"), r.signum, {"lr": LR, "beta": 0.9}),
        ),
        "adopt": row(
            optax=(Optax(f"optax.adopt({B})"), r.adopt, OURS),
        ),
        "lamb": row(
            optax=(Optax(f"optax.lamb({B}, weight_decay=0.1)"), r.lamb,
                   {**OURS, "weight_decay": 0.1}),
        ),
        "lars": row(
            optax=(Optax(f"optax.lars({LR}, weight_decay=0.1, trust_coefficient=0.1)"),
                   d.lars_joint_norm,
                   {"lr": LR, "weight_decay": 0.1, "trust_coefficient": 0.1, "beta": 0.9}),
        ),
        "adafactor": row(
            (Torch(torch_.Adafactor, lr=LR, weight_decay=0.1), r.adafactor,
             {"lr": LR, "weight_decay": 0.1, "eps1": 2.0**-52}),
            (Optax(f"optax.adafactor({LR})"), None, {}),
        ),
        "muon": row(
            (Torch(torch_.Muon, MATRICES, lr=LR, weight_decay=0.1), r.muon,
             {"lr": LR, "weight_decay": 0.1}),
            (Optax(f"optax.muon({LR})", MATRICES), None, {}),
        ),
        "muon, match_rms_adamw": row(
            (Torch(torch_.Muon, MATRICES, lr=LR, adjust_lr_fn="match_rms_adamw"),
             d.muon_match_rms_adamw, {"lr": LR}),
        ),
        "adan": row(
            optax=(Optax(f"optax.adan({LR})"), None, {}),
        ),
    }  # fmt: skip


def tried(first: Trained, second: Run) -> dict[str, Any]:
    """The difference if it converts, else why not and the difference if one insists."""
    try:
        return {"difference": going_on(first, second)}
    except ValueError as error:
        found = {"refused": str(error)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            return {**found, "ignored": going_on(first, second, dialect="ignore")}
        except ValueError as error:
            return {**found, "never": str(error)}


def faces() -> dict[str, float]:
    """Every rule of Keras from NumPy to adamas.jax and to adamas.keras, and back."""
    found = {}
    for name in SIGNATURES:
        rule = CLASSES[name]
        # Refused by name in both, and what rows and columns keep by its shape.
        if rule is rules.prodigy or parse(rule).rows:
            continue
        text = f"adamas.jax.{rule.__name__}({LR})"
        kept = Keras(getattr(adamas.keras, name), learning_rate=LR)
        numpy = Adamas(rule, lr=LR)
        ours = forty(numpy)
        for face, run in (("jax", Optax(text)), ("keras", kept)):
            found[f"{name}: adamas -> {face}"] = going_on(ours, run)
            found[f"{name}: {face} -> adamas"] = going_on(forty(run), numpy)
    return found


def main() -> dict[str, Any]:
    """All rows, all ordered pairs, adamas being each home's own rule there."""
    # What bfloat16 rounds would hide what a wrong number does.
    muon: Any = importlib.import_module("torch.optim._muon")
    muon._zeropower_via_newtonschulz = of_torch_itself()
    every: dict[str, Any] = {}
    for name, homes in rows().items():
        every[name] = found = {}
        for one, (run, rule, hypers) in homes.items():
            theirs = forty(run)
            for two in homes.keys() - {one}:
                found[f"{one} -> {two}"] = tried(theirs, homes[two][0])
            there = Adamas(rule or rules.sgd, run.shapes, **hypers)
            called = getattr(rule, "name", getattr(rule, "__name__", None))
            found[f"{one} -> adamas"] = {**tried(theirs, there), "rule": called}
            found[f"adamas -> {one}"] = {**tried(forty(there), run), "rule": called}
    return every


if __name__ == "__main__":
    json.dump({"keras": cases(), "map": main(), "faces": faces()}, sys.stdout, indent=1)
