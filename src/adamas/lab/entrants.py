"""Who takes part: an optimizer is a text such as `adam`, `adam:beta1=0.8` or `mine.py:signum`.

A text, because it goes into the plan, into every record and to worker processes; each of them finds
the same formula behind it. After the optimizer come what is fixed of it and of the run, such as
`adamw:weight_decay=0.1,schedule=cosine,warmup=0.1`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from hashlib import sha256
from math import inf
from typing import Any

import numpy as np

import adamas
from adamas.cli_text.core_words import told as translated
from adamas.kernel.formula import Formula
from adamas.lab.course import COURSE, Course, Further, value_of
from adamas.lab.needs import LabError
from adamas.lab.problems import Params
from adamas.lab.stepping import FormulaStepping, Stepping
from adamas.show import find_rule

# Where the grid of learning rates is centred; other rules at their own default. Two decades to
# either side held the optimum of these four on every built-in problem or led to an extension.
CENTRES = {"sgd": 1e-1, "momentum": 3e-2, "rmsprop": 1e-3, "adam": 1e-3, "adagrad": 1e-2}
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Entrant(ABC):
    """An optimizer with what its text fixes; the learning rate is searched.

    `hypers` are the hyper-parameters that are fixed, `course` how the rate moves along a run, and
    `shown` what people are told it is called, if that is not its text.
    """

    text: str
    hypers: dict[str, Any]
    course: Course = field(default=Course(), kw_only=True)
    shown: str | None = field(default=None, kw_only=True)

    @property
    def formula(self) -> Formula | None:
        """Return the rule that is computed, None where only somebody else's code knows it."""
        return None

    @property
    @abstractmethod
    def default_lr(self) -> float:
        """Return the learning rate that the optimizer itself declares."""

    @property
    @abstractmethod
    def free(self) -> dict[str, float]:
        """Return what can be fixed or searched but lr: hyper-parameters with their defaults."""

    @property
    @abstractmethod
    def code(self) -> str:
        """Return what is computed, as a text that changes with it."""

    @abstractmethod
    def begin(self, params: Params, grads: Params, lr: float, further: Further = ()) -> Stepping:
        """Return the optimizer on arrays that it steps, with arrays that will hold gradients.

        `further` are hyper-parameters that a search chose; what belongs to the course is passed
        over.
        """

    def of_torch(self, params: Any, lr: float, further: Further = ()) -> Any:
        """Return the optimizer of PyTorch itself, on tensors or groups of them.

        Raises `LabError` where the optimizer is none of PyTorch.
        """
        raise LabError("error.not_of_torch", text=self.text)

    @property
    def centre(self) -> float:
        """Return the middle of the grid of learning rates."""
        return CENTRES.get(self.text.partition(":")[0], self.default_lr)

    @property
    def settings(self) -> dict[str, Any]:
        """Return every hyper-parameter but lr, as it is used."""
        return {**self.free, **self.hypers}

    @property
    def fingerprint(self) -> str:
        """Return a hash of what is computed, so that an edited rule is a new optimizer."""
        moves = [] if self.course == Course() else [sorted(asdict(self.course).items())]
        return sha256("".join(map(str, [self.code, sorted(self.settings.items()), *moves]))
                      .encode()).hexdigest()  # fmt: skip


@dataclass(frozen=True)
class FormulaEntrant(Entrant):
    """A rule of adamas or of the user, as a formula."""

    rule: Formula = field(kw_only=True)

    @property
    def formula(self) -> Formula:
        """Return the rule."""
        return self.rule

    @property
    def default_lr(self) -> float:
        """Return the learning rate that the rule itself declares."""
        return self.rule.hypers["lr"]

    @property
    def free(self) -> dict[str, float]:
        """Return the rule's hyper-parameters but lr."""
        return {name: value for name, value in self.rule.hypers.items() if name != "lr"}

    @property
    def code(self) -> str:
        """Return the formula."""
        return self.rule.key

    def begin(self, params: Params, grads: Params, lr: float, further: Further = ()) -> Stepping:
        """Return the rule's kernel on the parameters, on one thread."""
        chosen = {**self.hypers, **own_settings(further)}
        opt = adamas.Optimizer(
            self.rule, params, lr=lr, threads=1, on_nonfinite="allow", **chosen
        )  # fmt: skip
        return FormulaStepping(opt)


def own_settings(further: Further) -> dict[str, Any]:
    """Return the part of searched hyper-parameters that is the optimizer's own."""
    return {name: value for name, value in further if name not in COURSE}


# What texts mean while a comparison runs that was handed functions or files from Python.
_HANDED: dict[str, Entrant] = {}


def hand(entrants: Mapping[str, Entrant]) -> dict[str, Entrant]:
    """Let texts mean these optimizers in this process; return those that were handed before."""
    before = dict(_HANDED)
    _HANDED.clear()
    _HANDED.update(entrants)
    entrant.cache_clear()
    return before


@cache
def entrant(text: str) -> Entrant:
    """Return the optimizer that `text` names: `rule`, `rule:key=value,...`, `file.py:function`.

    Raises `LabError` for a rule or a hyper-parameter that does not exist.

    >>> entrant("adam:beta1=0.8,warmup=0.1").hypers
    {'beta1': 0.8}
    """
    if text in _HANDED:
        return _HANDED[text]
    source, pairs = parts_of(text)
    try:
        formula = find_rule(source)
    except ValueError as error:
        raise LabError("error.plain", reason=translated(error)) from error
    return entered(text, formula, pairs)


def parts_of(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return what a text names, and what it fixes.

    >>> parts_of("mine.py:rule:beta1=0.8,schedule=cosine")
    ('mine.py:rule', [('beta1', '0.8'), ('schedule', 'cosine')])
    """
    parts = text.split(":")
    # A file or a module is followed by a name in it.
    most = 2 if "." in parts[0] else 1
    size = next((place for place, part in enumerate(parts[:most]) if "=" in part), most)
    pairs = [_pair(pair) for part in parts[size:] for pair in part.split(",")]
    return ":".join(parts[:size]), pairs


def _pair(pair: str) -> tuple[str, str]:
    name, _, value = (piece.strip() for piece in pair.partition("="))
    return name, value


def entered(text: str, formula: Formula, pairs: Pairs = ()) -> FormulaEntrant:
    """Return a formula with some hyper-parameters as an optimizer called `text`.

    Raises `LabError` if there is no learning rate to search, or a value is not allowed.
    """
    if "lr" not in formula.hypers:
        raise LabError("error.no_lr", text=text)
    if not 0 < formula.hypers["lr"] < inf:
        raise LabError("error.default_lr", text=text, lr=formula.hypers["lr"])
    hypers, course = split(text, pairs, formula.name, [n for n in formula.hypers if n != "lr"])
    try:
        adamas.Optimizer(formula, np.zeros(1), **hypers)
    except (TypeError, ValueError) as error:
        raise LabError("error.plain", reason=translated(error)) from error
    return FormulaEntrant(text, hypers, course=course, rule=formula)


def split(text: str, pairs: Pairs, name: str, free: Sequence[str]) -> tuple[dict[str, Any], Course]:
    """Return what a text fixes of an optimizer, whose hyper-parameters are `free`, and of the run.

    Raises `LabError` for what is fixed twice, and for what neither has.
    """
    told: dict[str, str] = dict(pairs)
    if len(told) < len(pairs):
        raise LabError("error.hyper_twice", text=text)
    unknown = [f"{key}={value}" if value else key for key, value in told.items()
               if key not in (*free, *COURSE)]  # fmt: skip
    if unknown:
        names = ", ".join([*free, *COURSE])
        raise LabError("error.hyper_unknown", rule=name, pair=unknown[0], names=names)
    chosen: dict[str, Any] = {key: value_of(key, value) for key, value in told.items()}
    moves = {key: chosen.pop(key) for key in COURSE if key in chosen and key not in free}
    return chosen, Course(**moves)
