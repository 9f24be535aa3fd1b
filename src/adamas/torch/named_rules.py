"""Groups that name their rules: what each such rule takes, in torch's words.

A rule that has a class here has that class's arguments and states, so that a group of AdamW is one
whatever the optimizer's own rule is.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from adamas.engine.options import formula_of
from adamas.engine.several import rule_of
from adamas.homes.signature import Signature
from adamas.homes.torch import HOW, SIGNATURES, of_rule
from adamas.kernel.formula import Formula
from adamas.kernel.scopes import SECOND

RULE = "rule"


@functools.cache
def _classes() -> dict[Any, Signature]:
    """The signature of each class by the rule that its defaults choose; the first of several."""
    found: dict[Any, Signature] = {}
    for signature in SIGNATURES.values():
        found.setdefault(signature.choose(signature.defaults), signature)
    return found


@functools.cache
def _own(rule: Callable[..., Any] | Formula, name: str) -> Signature:
    return of_rule(rule, name, rule.__doc__ or "")


def signature_of(rule: Any) -> Signature:
    """What a rule takes, which is given as a function, a formula or the name of one of adamas.

    Raises TypeError or ValueError for what is no rule, for one that reads a second array, and for
    one whose optimizer has modes of its own.
    """
    given = rule_of(rule)
    signature = _classes().get(getattr(given, "function", given))
    if signature is None:
        signature = _own(given, formula_of(given).name)
    if signature.average:
        raise ValueError(
            f"rule {formula_of(given).name!r} needs the train() and eval() of its own class; make "
            "an optimizer of that class, whose other groups may name other rules."
        )
    if SECOND in formula_of(given).given:
        raise TypeError(
            f"rule {formula_of(given).name!r} reads a second array beside the gradient, which a "
            "step of torch.optim has no place for; use adamas.Optimizer."
        )
    return signature


class NamedRules:
    """The rules that groups of one optimizer name, by their names; `own` is that of its class.

    `given` are the rules as they were handed in, by which copies find them again.
    """

    def __init__(self, own: Signature, given: Mapping[str, Any]) -> None:
        self.own, self.given = own, dict[str, Any]()
        self._known: dict[str, Signature] = {}
        for rule in given.values():
            self.add(rule)

    def add(self, rule: Any) -> str:
        """The name under which a group keeps a rule; raises ValueError for two of one name."""
        if isinstance(rule, str) and rule in self._known:
            return rule
        default = self.own.choose(self.own.defaults)
        given = rule_of(rule)
        mine = getattr(given, "function", given) is getattr(default, "function", default)
        signature = self.own if mine else signature_of(given)
        name = formula_of(given).name
        if self._known.setdefault(name, signature) is not signature:
            raise ValueError(
                f"two different rules are called {name!r}; name one of them otherwise, groups and "
                "files tell rules apart by their names."
            )
        self.given.setdefault(name, rule)
        return name

    def taken(self, group: Mapping[str, Any]) -> Signature:
        """The signature of a group that has just named its rule, or names none."""
        return self._known[group[RULE]] if RULE in group else self.own

    def of(self, group: Mapping[str, Any]) -> Signature:
        """The signature of a group; raises ValueError for a rule that no group was made with."""
        if (name := group.get(RULE)) is None:
            return self.own
        if name not in self._known:
            raise ValueError(
                f"a param group has rule={name!r}, set after it was made; add a group with that "
                "rule, or make a new optimizer."
            )
        if lost := self._known[name].defaults.keys() - group.keys():
            raise TypeError(f"a param group has rule={name!r} and lacks its {min(lost)!r}.")
        return self._known[name]

    def keys(self, group: Mapping[str, Any]) -> Iterable[str]:
        """The settings of a group, in torch's words."""
        return self.of(group).defaults

    def base(self, signature: Signature, defaults: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a group has that says nothing else: `defaults` are those of the optimizer."""
        if signature is self.own:
            return defaults
        return {**signature.defaults, **{key: defaults[key] for key in HOW}}
