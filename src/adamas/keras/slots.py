"""What an optimizer keeps beside Keras' own attributes, which Keras and TensorFlow would track."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from adamas.codecs import FLOAT32, stored
from adamas.engine.options import formula_of
from adamas.homes.keras import check, moments
from adamas.homes.keras_paths import pattern_of
from adamas.homes.signature import Rule
from adamas.keras.steps import Step
from adamas.kernel.formula import Formula
from adamas.kernel.kinds import kinds
from adamas.kernel.variants import of_vectors

FEW = ("bfloat16", "float16")
# The name of a variable's own count, where its first step is not everybody's.
STEPS = "steps"
MOST = 8
"""Formulas that one optimizer keeps read; its options choose one of them."""


@dataclass
class Slot:
    """What belongs to one variable: its state, its own count of steps, whether it decays."""

    state: dict[str, Any] = field(default_factory=dict)
    steps: Any = None
    decays: bool = True


@dataclass
class Slots:
    """The slots of all variables, by Keras' index; `names` are the options that choose the rule.

    `patterns` and `listed` say what does not decay; `made` are the states that there are; `waiting`
    is a saved state that came before there were variables; `dtype` see `kept_as`.
    """

    names: tuple[str, ...]
    patterns: tuple[str, ...]
    listed: dict[Any, str] = field(default_factory=dict)
    of: list[Slot] = field(default_factory=list)
    dtype: str | None = None
    made: frozenset[str] = frozenset()
    waiting: Any = None
    formulas: dict[int, tuple[Rule, Formula]] = field(default_factory=dict)
    steps: dict[tuple[int, bool], Step] = field(default_factory=dict)

    @contextmanager
    def kept_as(self, dtype: str | None) -> Iterator[None]:
        """Make variables of this dtype: what Keras offers takes that of the model's variable."""
        self.dtype = dtype
        try:
            yield
        finally:
            self.dtype = None

    def check_made(self, formula: Formula, option: str, value: Any) -> None:
        """Raise ValueError if an option asks for states that were not made."""
        if missing := [name for name in formula.initial if name not in self.made]:
            raise ValueError(
                f"{option}={value!r} comes too late: {formula.name} keeps {', '.join(missing)}, "
                "and the state of this optimizer is made already. Make a new optimizer."
            )

    def formula(self, rule: Rule) -> Formula:
        """The formula of a rule; raises for one that Keras has no place for."""
        if id(rule) not in self.formulas:
            if len(self.formulas) == MOST:
                # Each value of an option may make a rule of its own.
                self.formulas.clear()
                self.steps.clear()
            formula = formula_of(rule)
            check(formula)
            self.formulas[id(rule)] = rule, formula
        return self.formulas[id(rule)][1]

    def step(self, formula: Formula, dimensions: int) -> Step:
        """The step of variables of so many dimensions."""
        key = id(formula), dimensions < 2
        if key not in self.steps:
            self.steps[key] = Step(of_vectors(formula) if dimensions < 2 else formula)
        return self.steps[key]

    def wanted(
        self, step: Step, shape: tuple[int, ...], state: Any
    ) -> Iterator[tuple[str, str, tuple[int, ...], bool]]:
        """Of each state its name, Keras' name, its shape, and whether it is of 16 bits."""
        names, kind = moments(step.formula), kinds(step.formula)
        for name, size in step.shapes(shape).items():
            format_ = state if isinstance(state, str) else state.get(name, "float32")
            few = name in kind and stored(format_, kind[name].name) is not FLOAT32
            yield name, names.get(name, name), size, few

    def exclusions(self) -> list[str] | None:
        """What does not decay as patterns, which another process understands."""
        return [*self.patterns, *map(pattern_of, self.listed.values())] or None
