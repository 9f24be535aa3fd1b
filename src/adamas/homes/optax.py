"""What each function of optax takes: optax's names, in optax's order, and the rule they choose.

Defaults are those of the formulas, under optax's names, so that a rule is the same at home and
here; where optax has another formula by the same name, its own option chooses the dialect. What
optax lacks follows after what it has.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from adamas import dialects, rules
from adamas.classes import hypers
from adamas.homes.known import identity
from adamas.homes.signature import Function, Options, Rule, Signature, decoupled_rule
from adamas.kernel.formula import Formula

# What optax calls the hyper-parameters that most rules have.
NAMES = {"lr": "learning_rate", "beta1": "b1", "beta2": "b2", "beta3": "b3"}
# Options that say how a state is kept, and of which states.
STORED = {"mu_dtype": ("m", "m1", "m2"), "accumulator_dtype": ("m",), "state_dtype": ("z",)}
# Options that say where a state starts.
STARTS = {"initial_accumulator_value": "v", "initial_scale": "v"}
# Options of optax that leave a parameter without decay.
MASKS = ("mask", "weight_decay_mask")
HOW: dict[str, Any] = {"state": "float32", "weight_decay_mask": None, "seed": 0}
# The first of those keywords that no function of optax has.
FIRST = "state"
TAKEN = frozenset({*HOW, *STORED, *MASKS, "count"})

# Why an argument of optax cannot have another value than its default here.
FIXED = {
    "eps_root": "eps stands after the root here; write a rule with it, and adamas.jax.transform",
    "bias_correction_mu": "the formula corrects both moments",
    "bias_correction_nu": "the formula corrects both moments",
    "nesterov": "the formula looks ahead or it does not; see the function nesterov",
    "centered": "the function rmsprop has the choice",
    "eps": "the ratio of LARS is 1 where a norm is 0, and has no eps",
    "trust_ratio_mask": "every tensor has its ratio; step others by another transformation",
    "bias_correction": "rmsprop has no bias correction; adam(b1=0.0) is rmsprop with one",
}
# Rules that are trained at another point than they are evaluated at.
AVERAGED = tuple(rule.__name__ for rule in rules.AVERAGES)
# Those of them that other functions have as an option or a number.
CHOSEN = {"nesterov", "centered", "eps"}
ADAM: dict[str, str] = {"m": "mu", "v": "nu", "v_max": "nu_max"}
MOMENTS: dict[str, dict[str, str]] = {
    "momentum": {"m": "trace"},
    "nesterov": {"m": "trace"},
    "adagrad": {"v": "sum_of_squares"},
    "rmsprop": {"v": "nu", "m": "trace", "g_mean": "mu"},
    "rmsprop_centered": {"v": "nu", "m": "mu"},
    "adadelta": {"v": "e_g", "d": "e_x"},
    **dict.fromkeys(["adam", "adamw", "amsgrad", "amsgradw", "lion", "lamb"], ADAM),
    **dict.fromkeys(["cautious_adamw", "masked_adamw", "stable_adamw"], ADAM),
    **dict.fromkeys(["adopt", "adoptw"], ADAM),
    **dict.fromkeys(["nadam", "nadamw", "nadamw_constant", "radam", "radamw"], ADAM),
    **{name: {"m": "mu", "u": "nu"} for name in ("adamax", "adamaxw")},
    "adabelief": {"m": "mu", "s": "nu"},
    "signum": {"m": "ema"},
    "ademamix": {"v": "nu"},
    "adan": {"g_prev": "g"},
    **{name: {"v": "nu", "lr_max": "max_lr"} for name in AVERAGED},
    "lars": {"m": "trace"},
}

# Rules that optax does not have, or computes otherwise and with other arguments.
OTHERS: tuple[Function, ...] = (
    rules.mars,
    rules.masked_adamw,
    rules.cautious_adamw,
    rules.adamh,
    rules.stable_adamw,
    rules.adafactor,
    rules.came,
    rules.prodigy,
    rules.muon,
    rules.normuon,
    rules.adamuon,
)

# Hyper-parameters that the state keeps too, as optax's does: who evaluates must know them.
REMEMBERED: dict[str, dict[str, str]] = {name: {"beta1": "b1"} for name in AVERAGED}

# A dialect has the names of what it is one of.
MOMENTS |= {
    dialect: MOMENTS["rmsprop" if "centered_momentum" in dialect else max(known, key=len)]
    for dialect in dialects.__all__
    if (known := [name for name in MOMENTS if dialect.startswith(f"{name}_")])
}


def remembered(formula: Formula) -> dict[str, str]:
    """The fields of those hyper-parameters of a rule that its state keeps."""
    return REMEMBERED.get(identity(formula), {})


def moments(formula: Formula) -> dict[str, str]:
    """The names that optax has for the states of a rule; none for one that is not of adamas."""
    return MOMENTS.get(identity(formula), {})


def _sgd(o: Options) -> Rule:
    if o["momentum"] is None:
        return rules.sgd
    return rules.nesterov if o["nesterov"] else rules.momentum


def _adagrad(o: Options) -> Rule:
    return dialects.adagrad_eps_inside if o["eps_in_sqrt"] else rules.adagrad


def _rmsprop(o: Options) -> Rule:
    plain: dict[tuple[bool, bool], Rule] = {
        (False, False): rules.rmsprop,
        (False, True): dialects.rmsprop_eps_inside,
        (True, False): rules.rmsprop_centered,
        (True, True): dialects.rmsprop_centered_eps_inside,
    }
    moving: dict[tuple[bool, bool], Rule] = {
        (False, False): dialects.rmsprop_momentum_lr_inside,
        (False, True): dialects.rmsprop_momentum_eps_lr_inside,
        (True, False): dialects.rmsprop_centered_momentum_lr_inside,
        (True, True): dialects.rmsprop_centered_momentum_eps_lr_inside,
    }
    found = plain if o["momentum"] is None else moving
    return found[bool(o["centered"]), bool(o["eps_in_sqrt"])]


def _adam(o: Options) -> Rule:
    return dialects.nadam_constant if o["nesterov"] else rules.adam


def _adamw(o: Options) -> Rule:
    return decoupled_rule(dialects.nadam_constant) if o["nesterov"] else rules.adamw


def _radam(o: Options) -> Rule:
    return rules.radam if o["threshold"] is None else dialects.radam_eps_outside


def of_rule(rule: Rule, name: str, doc: str) -> Signature:
    """The signature of a rule that optax does not have: its own names, but for `NAMES`.

    Raises ValueError for a hyper-parameter that is called what this home calls something else.
    """
    given = rule.hypers if isinstance(rule, Formula) else hypers(getattr(rule, "function", rule))
    if taken := TAKEN & given.keys():
        raise ValueError(
            f"rule {name!r} has a hyper-parameter {min(taken)!r}, which means something else in "
            "adamas.jax; give it another name."
        )
    sources: dict[str, tuple[str, int | None]] = {
        old: (new, None) for old, new in NAMES.items() if old in given and new not in given
    }
    defaults = {sources.get(key, (key,))[0]: value for key, value in given.items()}
    return Signature(name, {**defaults, **HOW}, lambda options: rule, doc, sources)


def ours(rule: Function) -> Signature:
    """The signature of a rule that ships and that optax does not have."""
    return of_rule(rule, rule.__name__, rule.__doc__ or "")


def _made(
    name: str,
    rule: Function,
    order: str,
    choose: Callable[[Options], Rule] | None = None,
    sources: Mapping[str, str] = MappingProxyType({}),
    fixed: frozenset[str] = frozenset(),
    **extra: Any,
) -> Signature:
    """One function of optax, with `order` as its arguments in its order.

    `extra` has the defaults of those that are not the formula's; what else the formula has comes
    after. `fixed` are those that optax may change elsewhere.
    """
    plain = of_rule(rule, name, rule.__doc__ or "")
    renamed: dict[str, tuple[str, int | None]] = {old: (new, None) for old, new in sources.items()}
    given = {renamed.get(k, (NAMES.get(k, k),))[0]: v for k, v in hypers(rule).items()}
    known = {**dict.fromkeys(FIXED), **dict.fromkeys(STORED), **dict.fromkeys(MASKS), **HOW}
    named = [*order.split(), *(key for key in given if key not in order.split())]
    defaults = {key: {**known, **given, **extra}[key] for key in named}
    return Signature(
        name,
        {**defaults, **{key: value for key, value in HOW.items() if key not in defaults}},
        choose or (lambda options: rule),
        plain.doc,
        {**plain.sources, **renamed},
        frozenset(FIXED.keys() - CHOSEN & defaults.keys()) | fixed,
    )


def _signatures() -> dict[str, Signature]:
    step, pair = "learning_rate", "learning_rate b1 b2 eps"
    rms = f"{step} decay eps initial_scale eps_in_sqrt centered momentum nesterov bias_correction"
    decay = {"beta2": "decay", "beta": "momentum"}
    begin: dict[str, Any] = {"initial_scale": 0.0, "eps_in_sqrt": False, "momentum": None}
    begin |= {"nesterov": False, "bias_correction": False}
    still = frozenset({"nesterov"})
    flat = {"beta": "momentum"}
    looking: dict[str, Any] = {"nesterov": False}
    corrected: dict[str, Any] = {"bias_correction_mu": True, "bias_correction_nu": True}
    descent = f"{step} momentum nesterov accumulator_dtype"
    rows = [
        _made("sgd", rules.sgd, descent, _sgd, sources=flat, momentum=None, **looking),
        _made("momentum", rules.momentum, descent, _sgd, flat, still, **looking),
        _made("nesterov", rules.nesterov, descent, _sgd, flat, still, nesterov=True),
        _made(
            "adagrad", rules.adagrad, f"{step} initial_accumulator_value eps eps_in_sqrt", _adagrad,
            initial_accumulator_value=0.0, eps_in_sqrt=False,
        ),
        _made("rmsprop", rules.rmsprop, rms, _rmsprop, decay, still, centered=False, **begin),
        _made(
            "rmsprop_centered", rules.rmsprop_centered, rms, _rmsprop, decay,
            still | {"centered"}, centered=True, **begin,
        ),
        _made("adadelta", rules.adadelta, f"{step} rho eps weight_decay weight_decay_mask"),
        _made("adam", rules.adam, f"{pair} eps_root mu_dtype nesterov", _adam, **looking),
        _made(
            "adamw", rules.adamw, f"{pair} eps_root mu_dtype weight_decay mask nesterov", _adamw,
            **looking,
        ),
        _made(
            "amsgrad", rules.amsgrad,
            f"{pair} eps_root mu_dtype bias_correction_mu bias_correction_nu", **corrected,
        ),
        _made("adamax", rules.adamax, pair),
        _made(
            "adamaxw", rules.adamax, f"{pair} weight_decay mask",
            lambda o: decoupled_rule(rules.adamax), weight_decay=1e-2,
        ),
        _made("nadam", rules.nadam, f"{pair} eps_root mu_dtype"),
        _made(
            "nadamw", rules.nadam, f"{pair} eps_root mu_dtype weight_decay mask",
            lambda o: decoupled_rule(rules.nadam), weight_decay=1e-2,
        ),
        _made(
            "radam", rules.radam, f"{pair} eps_root threshold nesterov", _radam, fixed=still,
            threshold=None, **looking,
        ),
        _made(
            "adabelief", rules.adabelief, f"{pair} eps_root nesterov", fixed=still, **looking
        ),
        ours(rules.adam_atan2),
        ours(rules.adamc),
        ours(rules.cautious_decay_adamw),
        ours(rules.laprop),
        _made("adopt", rules.adopt, f"{pair} mu_dtype weight_decay mask"),
        ours(rules.grams),
        _made("signum", rules.signum, f"{step} beta accumulator_dtype weight_decay mask"),
        _made("lion", rules.lion, f"{step} b1 b2 mu_dtype weight_decay mask"),
        _made(
            "ademamix", rules.ademamix,
            f"{step} b1 b2 b3 alpha eps eps_root mu_dtype weight_decay mask",
        ),
        _made("adan", rules.adan, f"{step} b1 b2 b3 eps eps_root weight_decay mask"),
        _made(
            "schedule_free_sgd", rules.schedule_free_sgd,
            f"{step} warmup_steps b1 weight_decay weight_lr_power state_dtype", warmup_steps=None,
        ),
        _made(
            "schedule_free_adamw", rules.schedule_free_adamw,
            f"{step} warmup_steps b1 b2 eps weight_decay weight_lr_power state_dtype",
            warmup_steps=None,
        ),
        ours(rules.schedule_free_radam),
        _made(
            "lars", rules.lars,
            f"{step} weight_decay weight_decay_mask trust_coefficient eps trust_ratio_mask momentum"
            " nesterov",
            sources=flat, fixed=still | {"eps"}, eps=None, trust_ratio_mask=True, **looking,
        ),
        _made("lamb", rules.lamb, f"{pair} eps_root weight_decay mask"),
        *map(ours, OTHERS),
    ]  # fmt: skip
    return {one.name: one for one in rows}


SIGNATURES = _signatures()
