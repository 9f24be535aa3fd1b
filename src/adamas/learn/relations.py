"""Which optimizer of which library computes which rule, found by asking the tables of `homes`.

Each library's class is given every combination of those of its options that choose a formula, the
fewest first; what it then computes is said by its signature.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations
from typing import NamedTuple

from adamas import rules
from adamas.homes import keras, own, torch
from adamas.homes.known import KNOWN, split
from adamas.homes.signature import Signature
from adamas.kernel.formula import Formula

# The classes that torch itself has; adamas.torch has one for each rule.
TORCH = (
    *("SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "Adamax", "NAdam", "RAdam"),
    "Adafactor",
)
LIBRARIES: Mapping[str, Mapping[str, Signature]] = {
    "torch.optim": {name: torch.SIGNATURES[name] for name in TORCH},
    "optax": own.OPTAX,
    "keras.optimizers": keras.OWN,
    "schedulefree": own.SCHEDULEFREE,
}
# Calls that are compared with a rule in the tests, and whose states no converter reads.
COMPARED = {
    "keras.optimizers.Adafactor": "adafactor_eps_inside",
    "optax.adafactor(min_dim_size_to_factor=1)": "adafactor_eps_inside_constant_lr",
    "optax.contrib.prodigy": "prodigy_corrected",
    "optax.contrib.muon": "muon_corrected",
    "keras.optimizers.Muon": "muon_moonlight",
}
# Calls that are compared, too, and whose products are of bfloat16 numbers whatever they are given.
ROUNDED = {
    "torch.optim.Muon": "muon",
    'torch.optim.Muon(adjust_lr_fn="match_rms_adamw")': "muon_match_rms_adamw",
}
# Options that choose a formula by being more than 0; others do by being true.
AMOUNTS = {"momentum": 0.9, "dampening": 0.5, "lr_decay": 0.1}
CHOICES = ("nesterov", "centered", "amsgrad", "eps_in_sqrt", "decoupled_weight_decay")
TOGETHER = 3


class Computed(NamedTuple):
    """A call that computes a rule, or the rule with its decay `decoupled`, or `rounded`."""

    call: str
    rule: str
    decoupled: bool = False
    rounded: bool = False


def base(rule: str) -> str:
    """Return the rule that a dialect is one of; a rule that is none is its own.

    >>> base("rmsprop_momentum_lr_inside"), base("adam")
    ('rmsprop', 'adam')
    """
    while rule not in rules.__all__:
        # What a dialect differs from is in its first sentence.
        found = re.match(r"`(\w+)`", KNOWN[rule].__doc__ or "")
        assert found is not None, rule
        rule = found[1]
    return rule


@cache
def computed() -> tuple[Computed, ...]:
    """Return every call of a library that computes a rule of adamas, each rule once a class."""
    found: dict[tuple[str, str], Computed] = {}
    for library, classes in LIBRARIES.items():
        for name, signature in classes.items():
            for rule, shown in _chosen(signature):
                plain, decoupled = (rule, False) if rule in KNOWN else split(rule)
                call = Computed(f"{library}.{name}{shown}", plain, decoupled)
                found.setdefault((f"{library}.{name}", rule), call)
    compared = (Computed(call, rule) for call, rule in COMPARED.items())
    rounded = (Computed(call, rule, rounded=True) for call, rule in ROUNDED.items())
    return (*found.values(), *compared, *rounded)


def _chosen(signature: Signature) -> Iterator[tuple[str, str]]:
    """The rules that a class computes, with the options for it as they are written."""
    defaults = signature.defaults
    other = {k: v for k, v in AMOUNTS.items() if k in defaults}
    other |= {k: not defaults[k] for k in CHOICES if k in defaults}
    free = [key for key in other if key not in signature.fixed]
    for count in range(TOGETHER + 1):
        for keys in combinations(free, count):
            options = {key: other[key] for key in keys}
            try:
                chosen = signature.choose({**defaults, **options})
            except ValueError:
                continue
            name = chosen.name if isinstance(chosen, Formula) else chosen.__name__
            words = [f"{k}={'...' if k in AMOUNTS else v}" for k, v in options.items()]
            yield name, f"({', '.join(words)})" if words else ""
