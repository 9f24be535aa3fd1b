"""The formula that the param groups of an optimizer ask for, together and now.

Options of torch choose it (`momentum`, `nesterov`, `amsgrad`, ...), and schedulers and users change
them between two steps: a `OneCycleLR` gives momentum to an SGD that was made without.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adamas.engine.options import formula_of
from adamas.kernel.formula import Formula
from adamas.kernel.variants import with_average
from adamas.torch import arguments
from adamas.torch.signatures import Home, Rule
from adamas.torch.states import Names


@dataclass(frozen=True)
class Plan:
    """One formula for all groups, what its states are called, and which way is down."""

    rule: Rule
    formula: Formula
    names: Names
    maximize: bool


class Plans:
    """Reads each rule of a home once; `average` says that states have a moving average beside."""

    def __init__(self, home: Home, defaults: Mapping[str, Any], average: bool) -> None:
        self._home, self._average = home, average
        given = defaults.get("initial_accumulator_value", 0.0)
        self._initial = arguments.number(home, "initial_accumulator_value", given, 0.0)
        self._known: dict[tuple[Rule, bool], Plan] = {}

    def of(self, groups: Sequence[Mapping[str, Any]]) -> Plan:
        """The plan of these groups; raises ValueError if they ask for more than one.

        Raises TypeError or ValueError for an option that cannot choose any.
        """
        for group in groups:
            arguments.refuse_choice(self._home, group)
        wanted = [(self._home.choose(group), bool(group["maximize"])) for group in groups]
        for rule, maximize in wanted[1:]:
            if rule is not wanted[0][0]:
                one, other = (self._plan(each).formula.name for each in (wanted[0], (rule, False)))
                raise ValueError(
                    f"a param group asks for another rule than the first: {other}, not {one}; make "
                    "two optimizers."
                )
            if maximize is not wanted[0][1]:
                raise ValueError("maximize must be the same for all groups; make two optimizers.")
        return self._plan(wanted[0])

    def _plan(self, key: tuple[Rule, bool]) -> Plan:
        if key not in self._known:
            formula = formula_of(key[0])
            if self._initial:
                formula = replace(formula, initial={**formula.initial, "v": self._initial})
            whole = with_average(formula) if self._average else formula
            names = Names(self._home, formula.name, whole.states, formula.scalars)
            self._known[key] = Plan(key[0], formula, names, key[1])
        return self._known[key]
