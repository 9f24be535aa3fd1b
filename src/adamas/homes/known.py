"""The rules that ship, told by what they compute: a name alone may be anybody's.

A rule is called by its name if it is one of adamas', and by its name and a digest of its formula if
it is not: `adam` is Kingma & Ba's, `adam@5f0c91d2` somebody's own of that name. A saved state has
names alone; one that no rule of adamas has may be of any rule that is called so.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from adamas import dialects, rules
from adamas.engine.options import formula_of
from adamas.kernel.formula import Formula, FormulaError
from adamas.kernel.variants import decoupled, without_average

KNOWN: dict[str, Callable[..., Any]] = {
    name: getattr(module, name) for module in (rules, dialects) for name in module.__all__
}
"""Every rule that ships, by name."""
OWN = "@"


@dataclass(frozen=True)
class Kin:
    """Which rule a rule differs from by the place of eps or of lr alone.

    `eps` says where its eps stands, if not where the rule has it; `lr` is the sign of the lr by
    which its momentum is multiplied, 0 for a momentum of gradients.
    """

    rule: str
    eps: str = ""
    lr: int = 0


KIN = {
    "momentum_lr_inside": Kin("momentum", lr=-1),
    "nesterov_lr_inside": Kin("nesterov", lr=-1),
    "adagrad_eps_inside": Kin("adagrad", "inside"),
    "rmsprop_eps_inside": Kin("rmsprop", "inside"),
    "rmsprop_centered_eps_inside": Kin("rmsprop_centered", "inside"),
    "rmsprop_momentum_lr_inside": Kin("rmsprop_momentum", lr=1),
    "rmsprop_momentum_eps_lr_inside": Kin("rmsprop_momentum", "inside", 1),
    "rmsprop_centered_momentum_lr_inside": Kin("rmsprop_centered_momentum", lr=1),
    "rmsprop_centered_momentum_eps_lr_inside": Kin("rmsprop_centered_momentum", "inside", 1),
    "lars_joint_norm": Kin("lars_joint_norm", lr=1),
    "adam_eps_hat": Kin("adam", "hat"),
    "amsgrad_eps_hat": Kin("amsgrad", "hat"),
    "adamax_eps_outside": Kin("adamax", "outside"),
}
# Rules that keep the same numbers and compute otherwise with them.
SAME_NUMBERS = {
    "momentum_damped": "momentum",
    "nesterov": "momentum",
    "adagrad_decayed": "adagrad",
    "radam_eps_outside": "radam",
    "muon_match_rms_adamw": "muon",
}


def kin(base: str) -> Kin:
    """What a rule differs from by a place alone; itself for one that does not."""
    return KIN.get(base, Kin(base))


def numbers_of(base: str) -> str:
    """The rule whose numbers a rule keeps."""
    rule = kin(base).rule
    return SAME_NUMBERS.get(rule, rule)


def plain(rule: str) -> str:
    """A rule as its user calls it."""
    return rule.partition(OWN)[0]


def split(rule: str) -> tuple[str, bool]:
    """The name of a rule with its decay in the gradient, and whether it decays directly instead."""
    first, *rest = rule.split("_")
    base = "_".join((first[:-1], *rest))
    return (base, True) if first.endswith("w") and _decoupled(base) else (rule, False)


@lru_cache(256)
def _decoupled(base: str) -> Formula | None:
    if base not in KNOWN:
        return None
    try:
        return decoupled(formula_of(KNOWN[base]))
    except FormulaError:
        return None


@lru_cache(256)
def shipped(rule: str) -> Formula | None:
    """The formula of a rule of adamas; None for any other."""
    return formula_of(KNOWN[rule]) if rule in KNOWN else _decoupled(split(rule)[0])


def identity(formula: Formula) -> str:
    """What a rule is called here: a name of adamas' only if it computes the same.

    Where an average is kept beside it, that is no part of the rule.
    """
    bare = without_average(formula)
    known = shipped(bare.name)
    if known is not None and known.key == bare.key:
        return bare.name
    return f"{bare.name}{OWN}{hashlib.sha256(bare.key.encode()).hexdigest()[:8]}"


def same(one: str, other: str) -> bool:
    """Whether two rules are the same, as far as their names tell."""
    told = OWN in one and OWN in other
    return one == other or (not told and plain(one) == plain(other) and shipped(plain(one)) is None)


def described(rule: str) -> str:
    """A rule in words: its name, and the first sentence of what it says of itself."""
    base, direct = split(rule)
    if base not in KNOWN:
        return f"{plain(rule)}, a user's own"
    first = (KNOWN[base].__doc__ or base).partition("\n")[0]
    return f"{rule} ({first.rstrip('.')}{'; decay decoupled' if direct else ''})"


def where(rule: str) -> str:
    """A rule by the place where one finds it."""
    base, direct = split(rule)
    if base not in KNOWN:
        return f"{plain(rule)}, your own,"
    package = "rules" if base in rules.__all__ else "dialects"
    found = f"adamas.{package}.{base}"
    if direct:
        return "adamas.rules.adamw" if base == "adam" else f"{found}, its decay decoupled,"
    return found
