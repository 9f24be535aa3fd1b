"""What each class of torch takes: torch's names, in torch's order, and the rule they choose.

Its `defaults` become the keys of every param group, so that schedulers find `betas` and `momentum`
where they look for them, and a saved group is one that `torch.optim` reads. Several options of
torch choose another rule (`amsgrad`, `nesterov`, ...); they are resolved here, once, and the
formula never sees a flag.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from adamas import dialects, rules
from adamas.classes import CLASSES, hypers
from adamas.homes.signature import Options, Rule, Signature, decoupled_rule
from adamas.kernel.formula import Formula

# Options of torch that say how a step is run, not what it computes.
HOW: dict[str, Any] = {
    "foreach": None,
    "maximize": False,
    "capturable": False,
    "differentiable": False,
    "fused": None,
}


# Names that groups and constructors have already; the engine refuses its own.
TAKEN = frozenset(
    {*HOW, "betas", "zero_grad_in_step", "state_by_name", "param_names", "schedules", "scheduled"}
)


BETAS = {"beta1": ("betas", 0), "beta2": ("betas", 1), "beta3": ("betas", 2)}
# What torch's Adafactor takes for eps[0] where it is None, of float32 parameters.
SINGLE = 1.1920929e-07
ADAM_STATES = {"m": "exp_avg", "v": "exp_avg_sq", "v_max": "max_exp_avg_sq"}


def _adam(o: Options) -> Rule:
    if o["amsgrad"]:
        return decoupled_rule(rules.amsgrad) if o["decoupled_weight_decay"] else rules.amsgrad
    return rules.adamw if o["decoupled_weight_decay"] else rules.adam


def _sgd(o: Options) -> Rule:
    if not o["momentum"]:
        return rules.sgd
    if o["nesterov"]:
        if o["dampening"]:
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        return rules.nesterov
    return dialects.momentum_damped if o["dampening"] else rules.momentum


def _rmsprop(o: Options) -> Rule:
    if o["momentum"]:
        return dialects.rmsprop_centered_momentum if o["centered"] else dialects.rmsprop_momentum
    return rules.rmsprop_centered if o["centered"] else rules.rmsprop


def _adagrad(o: Options) -> Rule:
    return dialects.adagrad_decayed if o["lr_decay"] else rules.adagrad


def _nadam(o: Options) -> Rule:
    return decoupled_rule(rules.nadam) if o["decoupled_weight_decay"] else rules.nadam


def _radam(o: Options) -> Rule:
    return decoupled_rule(rules.radam) if o["decoupled_weight_decay"] else rules.radam


def moments(signature: Signature, formula: Formula) -> dict[str, str]:
    """Torch's names of the states of the rule that a class computes; its own where torch has none.

    In RMSprop a mean of gradients is `m` in the rule without momentum, `g_mean` beside one.
    """
    known = signature.moments
    alone = "g_mean" in known and "beta" not in formula.hypers
    return known | {"m": known["g_mean"]} if alone else known


def of_rule(rule: Any, name: str, doc: str) -> Signature:
    """The signature of a rule that torch.optim does not have: its own names, `betas` for beta1, ...

    Raises ValueError for a hyper-parameter that is called what torch calls something else.
    """
    given = rule.hypers if isinstance(rule, Formula) else hypers(getattr(rule, "function", rule))
    if taken := TAKEN & given.keys():
        raise ValueError(
            f"rule {name!r} has a hyper-parameter {min(taken)!r}, which means something else in a "
            "torch optimizer; give it another name."
        )
    count = next((k for k in (3, 2) if all(f"beta{i + 1}" in given for i in range(k))), 0)
    betas = [f"beta{i + 1}" for i in range(count)]
    defaults: dict[str, Any] = {}
    for key, value in given.items():
        if key not in betas:
            defaults[key] = value
        elif "betas" not in defaults:
            defaults["betas"] = tuple(given[beta] for beta in betas)
    sources: dict[str, tuple[str, int | None]] = {beta: BETAS[beta] for beta in betas}
    average = rules.AVERAGES.get(getattr(rule, "function", rule))
    return Signature(name, {**defaults, **HOW}, lambda options: rule, doc, sources, average=average)


Row = tuple[dict[str, Any], Callable[[Options], Rule], dict[str, Any], set[str], dict[str, str]]


def _special() -> dict[str, Row]:
    """Defaults, choice, sources, fixed keys and torch's moments of the classes torch has."""
    flat: dict[str, tuple[str, int | None]] = {"beta": ("momentum", None)}
    rms = {**flat, "beta2": ("alpha", None)}
    pair = {name: BETAS[name] for name in ("beta1", "beta2")}
    betas = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}
    adam = {**betas, "amsgrad": False, **HOW, "decoupled_weight_decay": False}
    sgd = {"lr": 1e-3, "momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False}
    rmsprop = {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0}
    adagrad = {"lr": 1e-2, "lr_decay": 0.0, "weight_decay": 0.0, "initial_accumulator_value": 0.0}
    nadam = {**betas, "lr": 2e-3, "momentum_decay": 4e-3, "decoupled_weight_decay": False}
    buffer, infinite = {"m": "momentum_buffer"}, {"m": "exp_avg", "u": "exp_inf"}
    mean = {"v": "square_avg", "g_mean": "grad_avg", "m": "momentum_buffer"}
    squares = {"v": "square_avg", "d": "acc_delta"}
    return {
        "SGD": (sgd, _sgd, flat, set(), buffer),
        "Momentum": ({**sgd, "momentum": 0.9}, _sgd, flat, {"nesterov"}, buffer),
        "Nesterov": ({**sgd, "momentum": 0.9, "nesterov": True}, _sgd, flat, {"nesterov"}, buffer),
        "Adagrad": ({**adagrad, "eps": 1e-10}, _adagrad, {}, set(), {"v": "sum"}),
        "RMSprop": ({**rmsprop, "centered": False}, _rmsprop, rms, set(), mean),
        "CenteredRMSprop": ({**rmsprop, "centered": True}, _rmsprop, rms, {"centered"}, mean),
        "Adadelta": (
            {"lr": 1.0, "rho": 0.9, "eps": 1e-6, "weight_decay": 0.0},
            lambda o: rules.adadelta, {}, set(), squares,
        ),
        "Adam": (adam, _adam, pair, set(), ADAM_STATES),
        "AdamW": (
            {**adam, "weight_decay": 1e-2, "decoupled_weight_decay": True},
            _adam, pair, {"decoupled_weight_decay"}, ADAM_STATES,
        ),
        "AMSGrad": ({**adam, "amsgrad": True}, _adam, pair, {"amsgrad"}, ADAM_STATES),
        "Adamax": ({**betas, "lr": 2e-3}, lambda o: rules.adamax, pair, set(), infinite),
        "NAdam": (nadam, _nadam, pair, set(), ADAM_STATES),
        "RAdam": ({**betas, "decoupled_weight_decay": False}, _radam, pair, set(), ADAM_STATES),
        "Adafactor": (
            {"lr": 1e-2, "beta2_decay": -0.8, "eps": (SINGLE, 1e-3), "d": 1.0, "weight_decay": 0.0},
            lambda o: rules.adafactor, {"eps1": ("eps", 0), "eps2": ("eps", 1)}, set(), {},
        ),
    }  # fmt: skip


# What torch and the authors call a hyper-parameter of rules that torch.optim does not have.
CALLED = dict.fromkeys(("Signum", "Muon"), ("beta", "momentum"))
CALLED |= {"ScheduleFreeSGD": ("beta1", "momentum")}


def _called(plain: Signature) -> Signature:
    """The same with the name that users of torch know."""
    ours, theirs = CALLED.get(plain.name, ("", ""))
    defaults = {theirs if key == ours else key: v for key, v in plain.defaults.items()}
    sources = {ours: (theirs, None)} if ours else {}
    return replace(plain, defaults=defaults, sources={**plain.sources, **sources})


def _signatures() -> dict[str, Signature]:
    special = _special()
    made = {}
    for name, rule in CLASSES.items():
        if name not in special:
            made[name] = _called(of_rule(rule, name, rule.__doc__ or ""))
            continue
        defaults, choose, sources, fixed, states = special[name]
        defaults = {**defaults, **{k: v for k, v in HOW.items() if k not in defaults}}
        doc = rule.__doc__ or ""
        late = choose is _sgd
        fixing = frozenset(fixed)
        made[name] = Signature(name, defaults, choose, doc, dict(sources), fixing, states, late)
    return made


SIGNATURES = _signatures()
