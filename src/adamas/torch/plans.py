"""What the param groups of an optimizer ask for, together and now.

Options of torch choose the formula (`momentum`, `nesterov`, `amsgrad`, ...), and schedulers and
users change them between two steps: a `OneCycleLR` gives momentum to an SGD that was made without.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch

from adamas.engine.options import formula_of
from adamas.homes.signature import Options, Rule, Signature
from adamas.kernel.formula import Formula
from adamas.kernel.variants import with_average
from adamas.torch import arguments, cuts, options, scheduled
from adamas.torch.called import Groups, names
from adamas.torch.formulas import TensorFormula
from adamas.torch.states import Names, begun_anew, steps_of

Entries = Mapping[torch.Tensor, Any]


@dataclass(frozen=True)
class Plan:
    """One formula for all groups, what its states are called, and which way is down.

    `given` are the options of the optimizer.
    """

    signature: Signature
    rule: Rule
    formula: Formula
    names: Names
    maximize: bool
    given: Options

    @cached_property
    def formats(self) -> options.Formats:
        """The function that tells how the states of a parameter are stored."""
        return options.formats(self.given, self.formula)

    def numbers(self, group: Mapping[str, Any]) -> dict[str, float]:
        """The hyper-parameters of a group; raises what `arguments.numbers` raises."""
        return arguments.numbers(self.signature, self.formula, group)

    def strangers(self, groups: Groups, state: Entries) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Each parameter that has an entry in the state, with what others keep in it."""
        for group in groups:
            for p in group["params"]:
                if entry := state.get(p):
                    yield p, self.names.foreign(entry)

    def switched(self, entries: Entries) -> Entries:
        """The live state of another rule as that of this one; ValueError for what it never kept."""
        made = dict(entries)
        for p, entry in entries.items():
            lacking = self.names.lacking(entry) if isinstance(entry, dict) and entry else None
            if lacking and self.signature.late:
                made[p] = self.begun(p, entry)
            elif lacking:
                raise ValueError(
                    f"{self.signature.name}: param groups were changed to {self.formula.name} "
                    f"after steps without its {lacking!r}; change them before the first step."
                )
        return made

    def begun(self, p: torch.Tensor, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        """State without a momentum as that in which it begins; the steps go on.

        From zeros, but for a rule whose first step is another than that of zeros.
        """
        if self._asks_first or not steps_of(entry):
            return begun_anew(entry)
        begins = (key for state, key in self.names.torch.items() if state in self.formula.states)
        return {**{key: torch.zeros_like(p.detach()) for key in begins}, **entry}

    @cached_property
    def _asks_first(self) -> bool:
        return TensorFormula(self.formula).asks_first


class Plans:
    """Reads each rule of a signature once, for the defaults and options of one optimizer."""

    def __init__(self, signature: Signature, defaults: Options, given: Options) -> None:
        self.signature, self.given, self._defaults = signature, given, defaults
        start = defaults.get("initial_accumulator_value", 0.0)
        self._initial = arguments.number(signature, "initial_accumulator_value", start, 0.0)
        self._known: dict[tuple[Rule, bool], Plan] = {}

    def of(self, groups: Sequence[Mapping[str, Any]]) -> Plan:
        """The plan of these groups; raises ValueError if they ask for more than one.

        Raises TypeError or ValueError for an option that cannot choose any.
        """
        for group in groups:
            arguments.refuse_choice(self.signature, group)
        given = [arguments.choosing(self.signature, group) for group in groups]
        wanted = [(self.signature.choose(one), bool(one["maximize"])) for one in given]
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
            whole = with_average(formula) if self.given["ema"] is not None else formula
            kept = (*whole.states, *whole.rows, *whole.columns)
            called = Names(self.signature, formula, kept, formula.scalars)
            self._known[key] = Plan(self.signature, key[0], formula, called, key[1], self.given)
        return self._known[key]

    def check_group(self, group: Mapping[str, Any]) -> None:
        """Raise ValueError or TypeError unless an optimizer can do what a group says."""
        arguments.refuse(self.signature, group)
        arguments.check_keys(self.signature, group, options.OPTIONS)
        scheduled.check(self.signature, group)
        plan = self.of([group])
        plan.numbers(group)
        if "state" in group:
            options.check_state(group["state"], plan.formula, self.given["master"])
        name = "initial_accumulator_value"
        if name in self._defaults and group.get(name) != self._defaults[name]:
            raise ValueError(f"{name} must be the same for all groups; make two optimizers.")

    def check_parameters(self, groups: Groups, first: int, formats: options.Formats) -> None:
        """Raise TypeError or ValueError for a parameter that cannot be stepped as it is asked for.

        Of the groups from `first` on; frozen parameters may be of any kind.
        """
        for k, group in enumerate(groups[first:], first):
            computes, plan = set(), self.of([group])
            for p, name in zip(group["params"], names(groups, k), strict=True):
                if p.requires_grad and not torch.nn.parameter.is_lazy(p):
                    options.refuse_dtype(p, name)
                    cuts.check(p, name, plan.formula)
                    computes.add(options.computed(p, formats(group, p, name)))
            options.refuse_numbers(plan.formula, plan.numbers(group), computes)
