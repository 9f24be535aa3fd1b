"""Groups that name their rules: one optimizer of several, for NumPy."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from adamas import rules
from adamas.engine.fixed import FixedList
from adamas.engine.options import formula_of
from adamas.engine.settings import Hyper, Settings
from adamas.engine.stepper import Stepper
from adamas.engine.tensors import Collected, collect
from adamas.engine.together import Together
from adamas.kernel.formula import Formula


def names_rules(params: Any) -> bool:
    """Whether some group names a rule."""
    return isinstance(params, list | tuple) and any(
        isinstance(group, dict) and "rule" in group for group in params
    )


def rule_of(given: Any) -> Any:
    """A rule as it is given: the text of a name stands for the rule of the family.

    Raises ValueError for a name that is none, TypeError for what cannot be a rule.
    """
    if isinstance(given, str):
        if given not in rules.__all__:
            close = difflib.get_close_matches(given.lower(), rules.__all__, 1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            listed = ", ".join(rules.__all__)
            raise ValueError(f"no rule of adamas is called {given!r}. {hint}There are {listed}.")
        return getattr(rules, given)
    if isinstance(given, type) or not (callable(given) or isinstance(given, Formula)):
        raise TypeError(
            f"rule={given!r} must be a rule: a function, what adamas.rule made of one, or the name "
            "of one of adamas.rules."
        )
    return given


class Groups:
    """The param groups of several rules, in the order in which they were given."""

    def __init__(self, settings: Sequence[tuple[Settings, int]]) -> None:
        self._of = settings
        found = [own.groups[k] for own, k in settings]
        self.groups = FixedList(found, "make a new optimizer to add or remove param groups.")
        self.names = settings[0][0].names

    def of(self, k: int) -> tuple[Settings, int]:
        """The settings of the rule of group k, and its place among the groups of that rule."""
        return self._of[k]

    def now(self, k: int) -> dict[str, float]:
        """The numbers of group k at the last step, schedules evaluated."""
        own, place = self._of[k]
        return own.now(place)


class Several(Together):
    """The rules of groups that name theirs; groups that name none have `rule`, with `hypers`.

    `rules` are those of the groups, `formula` is that of `rule`. Raises TypeError or ValueError for
    settings that no group's rule has, and for two rules of one name.
    """

    def __init__(
        self,
        rule: Any,
        params: Sequence[Mapping[str, Any]],
        hypers: Mapping[str, Hyper],
        options: Mapping[str, Any],
    ) -> None:
        self.rules = [rule_of(group.get("rule", rule)) for group in params]
        self.formula = formula_of(rule_of(rule))
        formulas = list(map(formula_of, self.rules))
        wholes = [{k: v for k, v in group.items() if k != "rule"} for group in params]
        rowwise = [formula.rowwise for formula in formulas]
        self.tensors, groups, self.form = collect(wholes, rowwise.__getitem__)
        self.keys = [tensor.key for tensor in self.tensors]
        known = {formula.key: formula for formula in formulas}
        _check(self.formula, known, hypers)
        for group, formula in zip(groups, formulas, strict=True):
            group["rule"] = formula.name
        parts, places, settings = [], [], dict[int, tuple[Settings, int]]()
        self.members = [[t for t in self.tensors if t.group == k] for k in range(len(groups))]
        groups_of = [tensor.group for tensor in self.tensors]
        for key, formula in known.items():
            mine = [k for k, one in enumerate(formulas) if one.key == key]
            own = [i for i, k in enumerate(groups_of) if k in mine]
            for i in own:
                self.tensors[i].group = mine.index(groups_of[i])
            tensors, members = [self.tensors[i] for i in own], [groups[k] for k in mine]
            found = Collected(tensors, members, self.form, mine)
            given = hypers if key == self.formula.key else {}
            state = {"state": _state(options["state"], formula, known)}
            part = Stepper(self.rules[mine[0]], found, given, {**options, **state})
            # A parameter's random numbers depend on its place among all.
            part.numbers.keys[:] = own
            parts.append(part)
            places.append(own)
            for place, k in enumerate(mine):
                settings[k] = (part.settings, place)
        super().__init__(parts, places)
        self._formulas = formulas
        self.settings = Groups([settings[k] for k in range(len(groups))])

    def step(
        self,
        values: Sequence[Any],
        clip_norm: float | None = None,
        loss_scale: float = 1.0,
        second: Sequence[Any] | None = None,
    ) -> bool:
        """The same, with gradients in the order of all parameters."""
        given = [[values[i] for i in own] for own in self.places]
        beside = second and [[second[i] for i in own] for own in self.places]
        return super().step(given, clip_norm, loss_scale, beside)

    def formula_of(self, group: int) -> Formula:
        """The rule of a group."""
        return self._formulas[group]

    def shown(self) -> str:
        """Every rule with the settings of its first group, as `repr` has it."""
        said = dict[str, str]()
        for k, group in enumerate(self.settings.groups):
            numbers = self.settings.now(k).items()
            listed = ", ".join(f"{name}={value:g}" for name, value in numbers)
            said.setdefault(group["rule"], f"{group['rule']}({listed})")
        return ", ".join(said.values())


def _check(default: Formula, known: Mapping[str, Formula], hypers: Mapping[str, Hyper]) -> None:
    names = [formula.name for formula in known.values()]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(
            f"two different rules are called {twice[0]!r}; name one of them otherwise, groups and "
            "files tell rules apart by their names."
        )
    if hypers and default.key not in known:
        name = min(hypers)
        raise TypeError(
            f"{name}={hypers[name]!r} is a setting of {default.name}, which no group has: the "
            "groups name their own rules; set it there."
        )


def _state(given: Any, formula: Formula, known: Mapping[str, Formula]) -> Any:
    """What `state=` says of one rule: of a dict, the states that it has, or that none has."""
    if not isinstance(given, Mapping):
        return given
    every = {name for one in known.values() for name in _kept(one)}
    return {k: v for k, v in given.items() if k in _kept(formula) or k not in every}


def _kept(formula: Formula) -> set[str]:
    return {*formula.initial, "average"}
