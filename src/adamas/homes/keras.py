"""What each class of Keras takes: Keras' names, in Keras' order, and the rule they choose.

`SIGNATURES` are the classes of `adamas.keras`: the formulas and defaults of `adamas.rules` under
Keras' words, but for those that make outputs rows. `OWN` are `keras.optimizers` as they are: their
defaults, and the dialect that each computes. In both `weight_decay` is decoupled whatever the rule,
as Keras has it for every optimizer.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from adamas import dialects, rules
from adamas.classes import CLASSES, hypers
from adamas.homes.known import identity, shipped, split
from adamas.homes.signature import Function, Options, Rule, Signature, decoupled_rule
from adamas.kernel.bound import refuse
from adamas.kernel.formula import Formula, parse
from adamas.kernel.scopes import SECOND
from adamas.rules import matrices

# What every optimizer of Keras takes, in its order; `name` comes last.
COMMON: dict[str, Any] = {
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
    "name": None,
}
# What adamas.keras takes besides.
MORE: dict[str, Any] = {
    "exclude_from_weight_decay": None,
    "state": "float32",
    "seed": 0,
    "strict": True,
}
TAKEN = frozenset({*COMMON, *MORE, "self", "variables"})

NAMES = {"lr": "learning_rate", "eps": "epsilon"} | {f"beta{k}": f"beta_{k}" for k in range(1, 10)}

_MOMENT, _ADAM = {"m": "momentum"}, {"m": "momentum", "v": "velocity", "v_max": "velocity_hat"}
_MEAN = "average_gradient"
MOMENTS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("momentum", "nesterov", "lion"), _MOMENT),
    **dict.fromkeys(("adam", "amsgrad", "nadam"), _ADAM),
    "adagrad": {"v": "accumulator"},
    "rmsprop": {"v": "velocity", "m": "momentum"},
    "rmsprop_centered": {"v": "velocity", "m": _MEAN},
    "rmsprop_centered_momentum": {"v": "velocity", "m": "momentum", "g_mean": _MEAN},
    "adadelta": {"v": "accumulated_grad", "d": "accumulated_delta_var"},
    "adamax": {"m": "momentum", "u": "norm"},
}
"""Keras' names of states, by how the name of a rule begins."""


def moments(formula: Formula) -> dict[str, str]:
    """Keras' names of the states of a rule; none for one that is not of adamas."""
    rule = identity(formula)
    plain = split(rule)[0] if shipped(rule) else ""
    begins = [name for name in MOMENTS if f"{plain}_".startswith(f"{name}_")]
    return MOMENTS[max(begins, key=len)] if begins else {}


def check(formula: Formula) -> None:
    """Raise TypeError or ValueError for a rule that Keras has no place for."""
    refuse(formula, "in Keras")
    if SECOND in formula.given:
        raise TypeError(
            f"{formula.name} reads a second array beside the gradient, for which an "
            "optimizer of Keras has no place; step NumPy arrays with adamas.Optimizer."
        )
    if formula.orthogonalizes:
        raise ValueError(
            f"{formula.name} orthogonalizes matrices whose rows are outputs, and a kernel "
            "of Keras has its outputs in columns, a convolution's in the last of four "
            "dimensions; use keras.optimizers.Muon, or adamas.torch."
        )


@functools.lru_cache(maxsize=64)
def _begun(rule: Rule, value: float) -> Formula:
    """The rule whose sum of squares begins at `value`."""
    formula = rule if isinstance(rule, Formula) else parse(rule)
    return replace(formula, initial={**formula.initial, "v": value})


def _decays(rule: Function) -> Callable[[Options], Rule]:
    """Choose the rule; where there is decay, with Keras' own in place of the L2 penalty."""
    return lambda o: decoupled_rule(rule) if o["weight_decay"] else rule


def _either(option: str, yes: Callable[[Options], Rule], no: Callable[[Options], Rule]) -> Any:
    return lambda o: yes(o) if o[option] else no(o)


def _adagrad(rule: Function) -> Callable[[Options], Rule]:
    chosen = _decays(rule)
    return lambda o: _begun(chosen(o), float(o["initial_accumulator_value"]))


def _adam(adam: Function, amsgrad: Function) -> Callable[[Options], Rule]:
    chosen: Callable[[Options], Rule] = _either("amsgrad", _decays(amsgrad), _decays(adam))
    return chosen


def _sgd(momentum: Function, nesterov: Function) -> Callable[[Options], Rule]:
    moved = _either("nesterov", _decays(nesterov), _decays(momentum))
    chosen: Callable[[Options], Rule] = _either("momentum", moved, _decays(rules.sgd))
    return chosen


def _rmsprop(plain: Function, mean: Function, moved: Function, both: Function) -> Any:
    with_mean = _either("momentum", _decays(both), _decays(mean))
    return _either("centered", with_mean, _either("momentum", _decays(moved), _decays(plain)))


def _adamw(o: Options) -> Rule:
    return decoupled_rule(rules.amsgrad) if o["amsgrad"] else rules.adamw


def _adamw_eps_hat(o: Options) -> Rule:
    return decoupled_rule(dialects.amsgrad_eps_hat if o["amsgrad"] else dialects.adam_eps_hat)


ADAM = _adam(rules.adam, rules.amsgrad)
SGD = _sgd(rules.momentum, rules.nesterov)
RMSPROP = _rmsprop(
    rules.rmsprop,
    rules.rmsprop_centered,
    dialects.rmsprop_momentum,
    dialects.rmsprop_centered_momentum,
)
PAIR: dict[str, Any] = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
BETAS = {name: (NAMES[name], None) for name in ("beta1", "beta2", "beta3")}
LR: dict[str, tuple[str, int | None]] = {"lr": ("learning_rate", None), "eps": ("epsilon", None)}
FLAT: dict[str, tuple[str, int | None]] = {**LR, "beta": ("momentum", None)}
RMS: dict[str, tuple[str, int | None]] = {**FLAT, "beta2": ("rho", None)}
ADAMS: dict[str, tuple[str, int | None]] = {**LR, **BETAS}

Row = tuple[dict[str, Any], Callable[[Options], Rule], dict[str, tuple[str, int | None]], set[str]]


def _special() -> dict[str, Row]:
    """Defaults in Keras' order, choice, sources and fixed keys of the classes that Keras has."""
    adam = {"learning_rate": 1e-3, **PAIR, "amsgrad": False, "weight_decay": 0.0}
    adamw = {"learning_rate": 1e-3, "weight_decay": 1e-2, **PAIR, "amsgrad": False}
    sgd = {"learning_rate": 1e-3, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
    rms = {"learning_rate": 1e-2, "rho": 0.99, "momentum": 0.0, "epsilon": 1e-8}
    rms |= {"centered": False, "weight_decay": 0.0}
    moved, ahead = {**sgd, "momentum": 0.9}, {**sgd, "momentum": 0.9, "nesterov": True}
    adagrad = {"learning_rate": 1e-2, "initial_accumulator_value": 0.0, "epsilon": 1e-10}
    adadelta = {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-6, "weight_decay": 0.0}
    two = {"learning_rate": 2e-3, **PAIR, "weight_decay": 0.0}
    lion = {"learning_rate": 1e-4, "beta_1": 0.9, "beta_2": 0.99, "weight_decay": 0.0}
    return {
        "SGD": (sgd, SGD, FLAT, set()),
        "Momentum": (moved, SGD, FLAT, {"nesterov"}),
        "Nesterov": (ahead, SGD, FLAT, {"nesterov"}),
        "Adagrad": ({**adagrad, "weight_decay": 0.0}, _adagrad(rules.adagrad), LR, set()),
        "RMSprop": (rms, RMSPROP, RMS, set()),
        "CenteredRMSprop": ({**rms, "centered": True}, RMSPROP, RMS, {"centered"}),
        "Adadelta": (adadelta, _decays(rules.adadelta), LR, set()),
        "Adam": (adam, ADAM, ADAMS, set()),
        "AdamW": (adamw, _adamw, ADAMS, set()),
        "AMSGrad": ({**adam, "amsgrad": True}, ADAM, ADAMS, {"amsgrad"}),
        "Adamax": (two, _decays(rules.adamax), ADAMS, set()),
        "NAdam": ({**two, "momentum_decay": 4e-3}, _decays(rules.nadam), ADAMS, set()),
        "Lion": (lion, lambda o: rules.lion, ADAMS, set()),
    }


def of_rule(rule: Any, name: str, doc: str) -> Signature:
    """The signature of a rule that Keras does not have: `learning_rate`, `beta_1`, ..., `epsilon`.

    Its decay is what it says itself. Raises ValueError for a rule without lr, which every Keras
    optimizer has, and for a hyper-parameter that is called what Keras calls something else.
    """
    given = rule.hypers if isinstance(rule, Formula) else hypers(getattr(rule, "function", rule))
    if "lr" not in given:
        raise ValueError(f"rule {name!r} has no lr, and every Keras optimizer has a learning_rate.")
    defaults = {NAMES.get(key, key): value for key, value in given.items()}
    if taken := TAKEN & defaults.keys() or {k for k in given if k in NAMES.values()}:
        raise ValueError(
            f"rule {name!r} has a hyper-parameter {min(taken)!r}, which means something else in a "
            "Keras optimizer; give it another name."
        )
    sources: dict[str, tuple[str, int | None]] = {k: (NAMES.get(k, k), None) for k in given}
    return Signature(name, defaults, lambda options: rule, doc, sources)


def constructor(signature: Signature) -> inspect.Signature:
    """The constructor as Keras writes it, then the options of adamas by name."""
    kind = inspect.Parameter
    placed = {k: v for k, v in signature.defaults.items() if k not in signature.fixed} | COMMON
    shown = [kind("self", kind.POSITIONAL_OR_KEYWORD)]
    shown += [kind(k, kind.POSITIONAL_OR_KEYWORD, default=v) for k, v in placed.items()]
    shown += [kind(k, kind.KEYWORD_ONLY, default=v) for k, v in MORE.items()]
    return inspect.Signature(shown)


def _signatures() -> dict[str, Signature]:
    special, made = _special(), {}
    for name, rule in CLASSES.items():
        if rule.__name__ in matrices.__all__:
            continue
        doc = rule.__doc__ or ""
        if name in special:
            defaults, choose, sources, fixed = special[name]
            made[name] = Signature(name, defaults, choose, doc, sources, frozenset(fixed))
        else:
            plain = of_rule(rule, name, doc)
            adds = name == "RAdam"
            made[name] = replace(plain, choose=_decays(rule)) if adds else plain
    return made


def _own() -> dict[str, Signature]:
    """`keras.optimizers`: their defaults, and the dialects that they compute."""
    d, special = dialects, _special()
    eps, none = {"epsilon": 1e-7}, {"weight_decay": None}
    rmsprop = _rmsprop(
        d.rmsprop_eps_inside,
        d.rmsprop_centered_eps_inside,
        d.rmsprop_momentum_eps_lr_inside,
        d.rmsprop_centered_momentum_eps_lr_inside,
    )
    started = {"initial_accumulator_value": 0.1}
    changes: dict[str, tuple[str, dict[str, Any], Callable[[Options], Rule]]] = {
        "SGD": ("SGD", {**none, "learning_rate": 1e-2},
                _sgd(d.momentum_lr_inside, d.nesterov_lr_inside)),
        "Adagrad": ("Adagrad", {**eps, **none, **started, "learning_rate": 1e-3},
                    _adagrad(d.adagrad_eps_inside)),
        "RMSprop": ("RMSprop", {**eps, **none, "learning_rate": 1e-3, "rho": 0.9}, rmsprop),
        "Adadelta": ("Adadelta", {**eps, **none, "learning_rate": 1e-3, "rho": 0.95},
                     _decays(rules.adadelta)),
        "Adam": ("Adam", eps | none, _adam(d.adam_eps_hat, d.amsgrad_eps_hat)),
        "AdamW": ("AdamW", {**eps, "weight_decay": 0.004}, _adamw_eps_hat),
        "Adamax": ("Adamax", {**eps, **none, "learning_rate": 1e-3}, _decays(d.adamax_eps_outside)),
        "Nadam": ("NAdam", {**eps, **none, "learning_rate": 1e-3, "momentum_decay": 1.0},
                  _decays(rules.nadam)),
        "Lion": ("Lion", {**none, "learning_rate": 1e-3}, lambda o: rules.lion),
    }  # fmt: skip
    made = {}
    for name, (ours, new, choose) in changes.items():
        defaults, _, sources, _ = special[ours]
        doc = f"`keras.optimizers.{name}`."
        made[name] = Signature(name, {**defaults, **new}, choose, doc, sources)
    return made


SIGNATURES = _signatures()
OWN = _own()
