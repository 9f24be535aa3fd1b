"""`adamas.Adam` and its family: one class per rule, with a real signature for editors and `help()`.

The classes are made from the rules when the package is imported; `classes.pyi` beside this file is
written from them by `tools/write_stubs.py`, so that type checkers see the same names and defaults.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from adamas import rules
from adamas.engine.optimizer import Optimizer
from adamas.engine.routing import listed
from adamas.rules import matrices

CLASSES: dict[str, Callable[..., Any]] = {
    "SGD": rules.sgd,
    "Momentum": rules.momentum,
    "Nesterov": rules.nesterov,
    "Adagrad": rules.adagrad,
    "RMSprop": rules.rmsprop,
    "CenteredRMSprop": rules.rmsprop_centered,
    "Adadelta": rules.adadelta,
    "Adam": rules.adam,
    "AdamW": rules.adamw,
    "AMSGrad": rules.amsgrad,
    "Adamax": rules.adamax,
    "NAdam": rules.nadam,
    "RAdam": rules.radam,
    "AdaBelief": rules.adabelief,
    "AdamAtan2": rules.adam_atan2,
    "AdamC": rules.adamc,
    "CautiousDecayAdamW": rules.cautious_decay_adamw,
    "LaProp": rules.laprop,
    "Adopt": rules.adopt,
    "Grams": rules.grams,
    "Signum": rules.signum,
    "Lion": rules.lion,
    "AdEMAMix": rules.ademamix,
    "Adan": rules.adan,
    "Mars": rules.mars,
    "ScheduleFreeSGD": rules.schedule_free_sgd,
    "ScheduleFreeAdamW": rules.schedule_free_adamw,
    "ScheduleFreeRAdam": rules.schedule_free_radam,
    "MaskedAdamW": rules.masked_adamw,
    "CautiousAdamW": rules.cautious_adamw,
    "Lars": rules.lars,
    "Lamb": rules.lamb,
    "AdamH": rules.adamh,
    "StableAdamW": rules.stable_adamw,
    "Adafactor": rules.adafactor,
    "Came": rules.came,
    "Prodigy": rules.prodigy,
    "Muon": rules.muon,
    "NorMuon": rules.normuon,
    "AdaMuon": rules.adamuon,
}

_MORE = """
Updates `params` in place: one array, a list, a dict of names or a list of groups of float32 or
float64 arrays of any shape. `lr` and the other hyper-parameters are plain numbers without a unit,
or schedules (functions of the step); further keywords are those of `adamas.Optimizer`. The
formula is `adamas.rules.{rule}`. Raises TypeError or ValueError that names the argument.
"""


def hypers(rule: Callable[..., Any]) -> dict[str, float]:
    """The hyper-parameters of a rule with their defaults, in the order of its signature."""
    parameters = inspect.signature(rule).parameters.values()
    return {
        p.name: p.default
        for p in parameters
        if p.kind is p.KEYWORD_ONLY and p.default is not p.empty
    }


def _signature(rule: Callable[..., Any]) -> inspect.Signature:
    kind = inspect.Parameter
    shown = [kind("self", kind.POSITIONAL_OR_KEYWORD), kind("params", kind.POSITIONAL_OR_KEYWORD)]
    for name, default in hypers(rule).items():
        where = kind.POSITIONAL_OR_KEYWORD if name == "lr" else kind.KEYWORD_ONLY
        shown.append(kind(name, where, default=default, annotation="Hyper"))
    return inspect.Signature([*shown, kind("options", kind.VAR_KEYWORD)])


def _make(name: str, rule: Callable[..., Any]) -> type[Optimizer]:
    signature = _signature(rule)
    first = next(iter(hypers(rule)))

    def __init__(self: Optimizer, params: Any, *lr: Any, **settings: Any) -> None:  # noqa: N807
        if len(lr) > 1 or (lr and first in settings):
            raise TypeError(f"{name} takes params and {first} by position; name the others.")
        if lr:
            settings[first] = lr[0]
        if rule.__name__ in matrices.__all__ and settings.get("routes") is None:
            _undecided(name, params)
        Optimizer.__init__(self, rule, params, **settings)

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    body = {
        "__init__": __init__,
        "__doc__": inspect.cleandoc(rule.__doc__ or "") + "\n" + _MORE.format(rule=rule.__name__),
        "__module__": "adamas",
    }
    return type(name, (Optimizer,), body)


def _undecided(name: str, params: Any) -> None:
    """Raise ValueError for names that do not say which matrices are of hidden layers."""
    if not isinstance(params, Mapping):
        return
    raise ValueError(
        f"{name}: from its name alone an embedding or a last layer is a matrix like any other: "
        f"{listed(list(params))}. Say what goes where: routes={{'embed|head|norm|bias': 'adamw', "
        f"'': '{CLASSES[name].__name__}'}}, or groups, [{{'params': matrices}}, "
        "{'params': others, 'rule': 'adamw'}]."
    )


globals().update({name: _make(name, rule) for name, rule in CLASSES.items()})

__all__ = list(CLASSES)
