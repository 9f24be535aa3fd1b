"""What takes part in a comparison, whoever wrote it, and how its text is read.

A text, because it goes into the plan, into every record and to worker processes; each of them finds
the same optimizer behind it. After the optimizer come what is fixed of it and of the run, such as
`adamw:weight_decay=0.1,schedule=cosine,warmup=0.1`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from adamas import rules
from adamas.kernel.formula import Formula
from adamas.lab.course import COURSE, Course, Further, value_of
from adamas.lab.needs import LabError
from adamas.lab.problems import Params
from adamas.lab.stepping import Stepping

# Where the grid of learning rates is centred; other rules at their own default. Two decades to
# either side held the optimum of these four on every built-in problem or led to an extension.
CENTRES = {"sgd": 1e-1, "momentum": 3e-2, "rmsprop": 1e-3, "adam": 1e-3, "adagrad": 1e-2}
Pairs = Sequence[tuple[str, str]]
# A comma that is not between brackets: `betas=(0.9,0.99)` is one pair.
BETWEEN = re.compile(r",(?![^(]*\))")


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
    def kind(self) -> str:
        """Return whose words it is called in: "rule", "torch", "optax" or "numpy"."""
        return "rule"

    @property
    def asks(self) -> bool:
        """Return whether a step may ask for further gradients, as a line search does."""
        return False

    @property
    @abstractmethod
    def default_lr(self) -> float:
        """Return the learning rate that the optimizer itself declares."""

    @property
    @abstractmethod
    def free(self) -> dict[str, Any]:
        """Return what can be fixed or searched but lr: hyper-parameters with their defaults."""

    @property
    @abstractmethod
    def code(self) -> str:
        """Return what is computed, as a text that changes with it."""

    @abstractmethod
    def begin(self, params: Params, grads: Params, lr: float, further: Further = ()) -> Stepping:
        """Return the optimizer on arrays that it steps, with arrays that will hold gradients.

        `further` are hyper-parameters that a search chose; what belongs to the course is passed
        over. Raises `StepError` where somebody else's optimizer cannot be made with them.
        """

    def apart(self, seed: int) -> AbstractContextManager[None]:
        """Keep a run with this seed apart: what it changes of the process is put back."""
        return nullcontext()

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


def own_settings(further: Further) -> dict[str, Any]:
    """Return the part of searched hyper-parameters that is the optimizer's own."""
    return {name: value for name, value in further if name not in COURSE}


def parts_of(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return what a text names, and what it fixes.

    >>> parts_of("mine.py:rule:beta1=0.8,schedule=cosine")
    ('mine.py:rule', [('beta1', '0.8'), ('schedule', 'cosine')])
    """
    parts = text.split(":")
    # A file or a module is followed by a name in it.
    most = 1 if parts[0] in rules.__all__ else 2
    size = next((place for place, part in enumerate(parts[:most]) if "=" in part), most)
    pairs = [_pair(pair) for part in parts[size:] for pair in BETWEEN.split(part)]
    return ":".join(parts[:size]), pairs


def _pair(pair: str) -> tuple[str, str]:
    name, _, value = (piece.strip() for piece in pair.partition("="))
    return name, value


def split(
    text: str,
    pairs: Pairs,
    name: str,
    free: Sequence[str],
    read: Callable[[str, str], Any] = value_of,
) -> tuple[dict[str, Any], Course]:
    """Return what a text fixes of an optimizer, whose hyper-parameters are `free`, and of the run.

    `read(name, value)` returns what is behind a hyper-parameter's `name=`. Raises `LabError` for
    what is fixed twice, and for what neither has.
    """
    told: dict[str, str] = dict(pairs)
    if len(told) < len(pairs):
        raise LabError("error.hyper_twice", text=text)
    unknown = [f"{key}={value}" if value else key for key, value in told.items()
               if key not in (*free, *COURSE)]  # fmt: skip
    if unknown:
        names = ", ".join([*free, *COURSE])
        raise LabError("error.hyper_unknown", rule=name, pair=unknown[0], names=names)
    of_course = {key for key in told if key in COURSE and key not in free}
    moves: dict[str, Any] = {key: value_of(key, told[key]) for key in of_course}
    return {key: read(key, told[key]) for key in told if key not in of_course}, Course(**moves)
