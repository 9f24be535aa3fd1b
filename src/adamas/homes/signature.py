"""What a class of some home takes, as data: its argument names and the rule that they choose.

Every framework has its own words for the same numbers (`beta1`, `betas[0]`, `b1`, `beta_1`) and its
own options that change the formula. One `Signature` says both of one class, so that an optimizer
made here, a state that is converted and a page that compares homes read the same line.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adamas.kernel.formula import Formula, parse
from adamas.kernel.variants import decoupled

Function = Callable[..., Any]
Rule = Function | Formula
Options = Mapping[str, Any]


@dataclass(frozen=True)
class Signature:
    """One class: `defaults` in the order of positional arguments, and `choose` -> the rule.

    `sources` maps hyper-parameters of the rule to arguments, an entry of a tuple where a number
    follows; `fixed` are arguments whose default cannot be changed; `moments` the names that the
    home gives to the states of a rule. `late` says that a state may begin at any step; `average`
    gives the point to evaluate at of a rule that trains at another.
    """

    name: str
    defaults: dict[str, Any]
    choose: Callable[[Options], Rule]
    doc: str
    sources: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    moments: dict[str, str] = field(default_factory=dict)
    late: bool = False
    average: Function | None = None

    def hyper(self, name: str, group: Options) -> Any:
        """The value of a rule's hyper-parameter among the arguments, or in a param group."""
        key, place = self.sources.get(name, (name, None))
        value = group[key]
        return value if place is None else value[place]


@functools.cache
def decoupled_rule(rule: Function) -> Formula:
    """A rule of adamas with decoupled decay: one object, however often it is chosen."""
    return decoupled(parse(rule))
