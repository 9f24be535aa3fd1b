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
from adamas.kernel.observing import with_observation
from adamas.kernel.variants import with_average
from adamas.torch import arguments, cuts, options, scheduled
from adamas.torch.called import Groups, names
from adamas.torch.formulas import TensorFormula
from adamas.torch.named_rules import NamedRules
from adamas.torch.states import Names, begun_anew, steps_of

Entries = Mapping[torch.Tensor, Any]
INITIAL = "initial_accumulator_value"


@dataclass(frozen=True, eq=False)
class Plan:
    """One formula, what its states are called, and which way is down.

    `given` are the options of the optimizer.
    """

    signature: Signature
    rule: Rule
    formula: Formula
    names: Names
    maximize: bool
    given: Options

    @property
    def late(self) -> bool:
        """Whether a momentum may begin at any step."""
        return self.signature.late

    @cached_property
    def formats(self) -> options.Formats:
        """The function that tells how the states of a parameter are stored."""
        return options.formats(self.given, self.formula)

    @cached_property
    def stepped(self) -> Formula:
        """The formula as it is stepped, with what options make it sum up."""
        return with_observation(self.formula) if self.given["observe"] else self.formula

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


@dataclass(frozen=True, eq=False)
class GroupPlans:
    """The plan of every group: `each[k]` is that of group k, the same object for all of a rule."""

    each: tuple[Plan, ...]

    @property
    def first(self) -> Plan:
        """That of the first group."""
        return self.each[0]

    @cached_property
    def rules(self) -> dict[Plan, list[int]]:
        """The groups of each rule."""
        return {one: [k for k, other in enumerate(self.each) if other is one] for one in self.each}

    def formats(self, groups: Groups, k: int, p: torch.Tensor, name: str) -> dict[str, str]:
        """How the states of a parameter of group k are stored."""
        return self.each[k].formats(groups[k], p, name)

    def strangers(self, groups: Groups, state: Entries) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Each parameter that has an entry in the state, with what others keep in it."""
        for plan, group in zip(self.each, groups, strict=True):
            yield from plan.strangers([group], state)

    def switched(self, entries: Entries, groups: Groups, before: "GroupPlans") -> Entries:
        """The live state of groups that had other rules `before` as that of these.

        Raises ValueError for what those rules never kept.
        """
        known = {plan.rule for plan in before.each}
        for k, (plan, group) in enumerate(zip(self.each, groups, strict=True)):
            was = {before.each[k].rule} if k < len(before.each) else known
            if plan.rule not in was:
                own = {p: entries[p] for p in group["params"] if p in entries}
                entries = {**entries, **plan.switched(own)}
        return entries


class Plans:
    """Reads each rule once, for the defaults and options of one optimizer.

    `rules` are the rules that its groups name.
    """

    def __init__(
        self, signature: Signature, defaults: Options, given: Options, rules: NamedRules
    ) -> None:
        self.signature, self.given, self._defaults = signature, given, defaults
        self.rules = rules
        start = defaults.get(INITIAL, 0.0)
        self._initial = arguments.number(signature, INITIAL, start, 0.0)
        self._known: dict[tuple[str, Rule, bool], Plan] = {}
        self._groups: dict[tuple[int, ...], GroupPlans] = {}

    def of(self, groups: Sequence[Mapping[str, Any]]) -> GroupPlans:
        """The plans of these groups; ValueError if two of one rule ask for different formulas.

        Raises TypeError or ValueError for an option that cannot choose any.
        """
        wanted: dict[str, tuple[Signature, Rule, bool]] = {}
        each, up = list[Plan](), list[bool]()
        for group in groups:
            takes = self.rules.of(group)
            arguments.refuse_choice(takes, group)
            given = arguments.choosing(takes, group)
            key = takes, takes.choose(given), bool(given["maximize"])
            first = wanted.setdefault(takes.name, key)
            if key[1] is not first[1]:
                one, other = (self._plan(*which).formula.name for which in (first, key))
                raise ValueError(
                    f"a param group asks for another rule than the first: {other}, not {one}; make "
                    "two optimizers."
                )
            each.append(self._plan(*key))
            up.append(key[2])
        if len(set(up)) > 1:
            raise ValueError("maximize must be the same for all groups; make two optimizers.")
        return self.whole(each)

    def whole(self, each: Sequence[Plan]) -> GroupPlans:
        """The same object for the same plans in the same order."""
        places = tuple(map(id, each))
        if places not in self._groups:
            self._groups[places] = GroupPlans(tuple(each))
        return self._groups[places]

    def _plan(self, takes: Signature, rule: Rule, up: bool) -> Plan:
        key = takes.name, rule, up
        if key not in self._known:
            formula, given = formula_of(rule), dict(self.given)
            if takes is self.signature and self._initial:
                formula = replace(formula, initial={**formula.initial, "v": self._initial})
            whole = with_average(formula) if given["ema"] is not None else formula
            kept = (*whole.states, *whole.rows, *whole.columns)
            if takes is not self.signature and isinstance(given["state"], Mapping):
                # What the optimizer's own rule does not have has been refused.
                given["state"] = {k: v for k, v in given["state"].items() if k in formula.initial}
            called = Names(takes, formula, kept, formula.scalars)
            self._known[key] = Plan(takes, rule, formula, called, up, given)
        return self._known[key]

    def check_group(self, group: Mapping[str, Any]) -> None:
        """Raise ValueError or TypeError unless an optimizer can do what a group says."""
        takes = self.rules.of(group)
        arguments.refuse(takes, group)
        arguments.check_keys(takes, group, options.OPTIONS)
        scheduled.check(takes, group)
        plan = self.of([group]).first
        plan.numbers(group)
        if "state" in group:
            options.check_state(group["state"], plan.formula, self.given["master"])
        start = self._defaults.get(INITIAL, 0.0) if takes is self.signature else 0.0
        if INITIAL in takes.defaults and group.get(INITIAL, start) != start:
            raise ValueError(f"{INITIAL} must be the same for all groups; make two optimizers.")

    def check_parameters(self, groups: Groups, first: int) -> None:
        """Raise TypeError or ValueError for a parameter that cannot be stepped as it is asked for.

        Of the groups from `first` on; frozen parameters may be of any kind.
        """
        for k, group in enumerate(groups[first:], first):
            computes, plan = set(), self.of([group]).first
            for p, name in zip(group["params"], names(groups, k), strict=True):
                if p.requires_grad and not torch.nn.parameter.is_lazy(p):
                    options.refuse_dtype(p, name)
                    cuts.check(p, name, plan.stepped)
                    computes.add(options.computed(p, plan.formats(group, p, name)))
            options.refuse_numbers(plan.formula, plan.numbers(group), computes)
