"""What a run fixes besides its learning rate: hyper-parameters, and how the rate moves along it.

The course of the rate is told in shares of a run, so that a short run of a search has the same one
as the long run that it stands for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from adamas.lab.needs import LabError
from adamas.schedule import Schedule, constant, cosine, linear, warmup

# Hyper-parameters besides lr, by name; sorted, so that equal ones are equal.
Further = tuple[tuple[str, float | str], ...]

SCHEDULES = ("constant", "cosine", "wsd")
# The share of a run that warm-up, stay and decay (WSD) gives to its decay: Hägele et al. 2024
# (arXiv 2405.18392) found 10 to 20 % enough.
DECAY = 0.2
LONGEST_WARMUP = 0.5


@dataclass(frozen=True)
class Course:
    """How a run goes: a schedule of the rate, the share of the run that it takes to rise, a batch.

    `schedule` is "constant", "cosine" (half a cosine to 0) or "wsd" (constant, then over the last
    fifth in a straight line to 0). `batch` is how many samples a gradient is of, None for as many
    as the problem says. Raises `LabError` for another schedule, for a `warmup` that is not from 0
    to 0.5, and for a batch that is no count.
    """

    schedule: str = "constant"
    warmup: float = 0.0
    batch: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is no course."""
        if self.schedule not in SCHEDULES:
            names = ", ".join(SCHEDULES)
            raise LabError("error.schedule", schedule=self.schedule, names=names)
        good = isinstance(self.warmup, int | float) and 0 <= self.warmup <= LONGEST_WARMUP
        if not good:
            raise LabError("error.warmup", warmup=self.warmup, most=LONGEST_WARMUP)
        if self.batch is not None:
            if not (self.batch >= 1 and float(self.batch).is_integer()):
                raise LabError("error.batch_count", batch=self.batch)
            object.__setattr__(self, "batch", int(self.batch))

    def changed(self, further: Further) -> "Course":
        """Return this course with what `further` says of it."""
        return replace(self, **{name: value for name, value in further if name in COURSE})  # type: ignore[arg-type]

    def factor(self, steps: int) -> Schedule | None:
        """Return what the rate is multiplied by at step t, 1 the first; None if always by 1.

        >>> factor = Course("cosine", 0.25).factor(8)
        >>> [round(factor(t), 3) for t in range(1, 9)]
        [0.333, 0.667, 1.0, 0.933, 0.75, 0.5, 0.25, 0.067]
        """
        rising = round(self.warmup * steps)
        if self.schedule == "constant" and not rising:
            return None
        falling = _falling(self.schedule, max(steps - rising, 1), max(1, round(DECAY * steps)))
        if not rising:
            return falling
        return warmup(1.0, steps=rising, fraction=1 / (rising + 1)).then(falling, at=rising)


# The names that belong to the course, and not to an optimizer.
COURSE = tuple(Course.__dataclass_fields__)


def _falling(schedule: str, steps: int, decay: int) -> Schedule:
    """Return what follows the rise: `steps` long, with a decay of `decay` where it is "wsd"."""
    if schedule == "constant":
        return constant(1.0)
    if schedule == "cosine":
        return cosine(1.0, steps=steps)
    fall = linear(1.0, 0.0, steps=min(decay, steps))
    return constant(1.0).then(fall, at=steps - decay) if steps > decay else fall


def further_of(settings: Mapping[str, Any]) -> Further:
    """Return settings in the order of their names.

    >>> further_of({"weight_decay": 0.1, "beta2": 0.99})
    (('beta2', 0.99), ('weight_decay', 0.1))
    """
    return tuple(sorted(settings.items()))


def members(name: str, values: Sequence[Any]) -> dict[str, Any]:
    """Return the members of a tuple, as a search names them.

    >>> members("betas", (0.9, 0.999))
    {'betas[0]': 0.9, 'betas[1]': 0.999}
    """
    return {f"{name}[{place}]": value for place, value in enumerate(values)}


def gathered(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with members put into their tuples, beside the `defaults` of the others.

    >>> gathered({"betas[1]": 0.99, "eps": 1e-6}, {"betas": (0.9, 0.999)})
    {'eps': 1e-06, 'betas': (0.9, 0.99)}
    """
    found = {name: value for name, value in settings.items() if "[" not in name}
    for name in dict.fromkeys(key.partition("[")[0] for key in settings if "[" in key):
        found[name] = tuple(
            settings.get(key, default) for key, default in members(name, defaults[name]).items()
        )
    return found


def value_of(name: str, text: str) -> float | str:
    """Return what stands behind `name=`: a word for a schedule, else a finite number.

    Raises `LabError` for a number that is none.
    """
    if name == "schedule":
        return text
    try:
        number = float(text)
    except ValueError:
        number = inf
    if not -inf < number < inf:
        raise LabError("error.hyper_number", name=name, value=text)
    return number
