"""Which arguments have no effect, and which are refused: each is changed alone, bit for bit.

An argument that does nothing by itself may need another, or other sizes of numbers: those are tried
before it is said that an argument has no effect. What is not told is what no value could be thought
of for.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints

from adamas.check.hypers import BETAS, DECAY, EPS, argument, real
from adamas.check.plan import CHOICES, Path, Plan, varied
from adamas.check.quiet import attempt, said, seeded
from adamas.check.running import same_bits, same_path
from adamas.check.subject import Subject
from adamas.check.tables import table

# Sizes of parameters and gradients beside those of the plan.
SIZES = (2.0**-12, 2.0**8)
DEEP = ((4, 3, 2, 2), (8, 8))


@dataclass
class Effects:
    """The arguments by what changing them does; entries of tuples as `betas[0]`.

    `with_others` maps to the argument that must be set too, `without` to the values that were
    tried, `refused` to the reason. `random` says that two runs of the same differ.
    """

    changes: list[str] = field(default_factory=list)
    with_others: dict[str, str] = field(default_factory=dict)
    state_only: list[str] = field(default_factory=list)
    without: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)
    random: bool = False


@dataclass
class Changed:
    """An argument, or one entry of it, with other values, those of them taken, and the verdict."""

    name: str
    argument: str
    values: list[Any]
    guessed: bool = False
    taken: list[Any] = field(default_factory=list)
    verdict: str = "untold"
    why: str = ""


class Ends:
    """Where an optimizer goes under arguments, and its state in the end."""

    def __init__(self, subject: Subject, base: dict[str, Any], plan: Plan, dtype: str) -> None:
        self.subject, self.base, self.plan, self.dtype = subject, base, plan, dtype

    def __call__(self, **more: Any) -> tuple[Path, dict[str, Any]]:
        """The parameters after all steps and the state."""
        seeded()
        run = self.subject.run(**{**self.base, **more})
        with run.scope():
            run.start(self.plan.starts, self.dtype)
            return run.onward(self.plan), run.state()

    def places(self) -> Iterator["Ends"]:
        """The same where numbers are small, or large, with defaults alone, in four dimensions."""
        plans = [*(self.plan.scaled(size) for size in SIZES), varied(DEEP)]
        for plan, base in [*((plan, self.base) for plan in plans), (self.plan, {})]:
            yield Ends(self.subject, base, plan, self.dtype)


def effects(subject: Subject, dtype: str) -> Effects:
    """Change every argument alone and see whether any parameter changes in any bit."""
    how = [name for name in subject.defaults if name in table("names")["arguments"]["how"]]
    found = Effects(untold=how)
    ends = _ends(subject, dtype)
    if ends is None:
        return Effects(untold=list(subject.defaults))
    base = ends()
    found.random = not same_path(ends()[0], base[0])
    every = [
        one for one in _changed(subject, ends.base) if one.argument not in {*how, *subject.given}
    ]
    for one in every:
        _alone(one, ends, base)
    for one in every:
        if one.verdict == "untold" or (found.random and one.verdict != "refused"):
            found.untold.append(one.name)
        elif one.verdict == "changes":
            found.changes.append(one.name)
        elif needed := _needed(ends, every, one):
            found.with_others[one.name] = needed
        elif one.verdict == "refused":
            found.refused[one.name] = one.why
        elif one.verdict == "state_only":
            found.state_only.append(one.name)
        else:
            found.without[one.name] = [repr(value) for value in one.taken]
    return found


def _ends(subject: Subject, dtype: str) -> Ends | None:
    """With telling numbers if those are taken, in the first shapes that are."""
    for shapes in CHOICES:
        for base in (subject.telling(), {}):
            ends = Ends(subject, base, varied(shapes), dtype)
            if attempt(ends)[0] is not None:
                return ends
    return None


def _changed(subject: Subject, base: dict[str, Any]) -> Iterator[Changed]:
    for name, default in subject.defaults.items():
        value = base.get(name, default)
        if not isinstance(value, tuple | list):
            others = list(alternatives(subject, name, value))
            yield Changed(name, name, others, guessed=value is None)
            continue
        for i, entry in enumerate(value):
            some = alternatives(subject, name, float(entry)) if real(entry) else ()
            made = [(*value[:i], other, *value[i + 1 :]) for other in some]
            yield Changed(f"{name}[{i}]", name, made)


def _alone(one: Changed, ends: Ends, base: tuple[Path, dict[str, Any]]) -> None:
    """Change one argument by itself until a parameter changes."""
    for value in one.values:
        try:
            path, state = ends(**{one.argument: value})
        except Exception as error:
            one.why = one.why or f"{value!r}: {said(error)}"
            continue
        if not same_path(path, base[0]):
            # The value that did something is the one that may help others.
            one.taken, one.verdict = [value], "changes"
            return
        one.taken.append(value)
        same = state.keys() == base[1].keys() and same_bits([*state.values()], [*base[1].values()])
        one.verdict = "still" if same and one.verdict != "state_only" else "state_only"
    if one.verdict == "untold" and one.values and not one.guessed:
        one.verdict = "refused"
    if one.taken and _elsewhere(one, ends):
        one.verdict = "changes"


def _elsewhere(one: Changed, ends: Ends) -> bool:
    """Whether an argument matters somewhere else, as bounds do, and what is for convolutions."""
    for place in ends.places():
        with contextlib.suppress(Exception):
            base = place()[0]
            if any(not same_path(place(**{one.argument: v})[0], base) for v in one.taken):
                return True
    return False


def _needed(ends: Ends, every: list[Changed], one: Changed) -> str:
    """The argument beside which this one changes parameters, with its value; empty without one."""
    decay = argument(ends.subject.defaults, "weight_decay")
    decayed = {decay: DECAY} if decay and decay not in (one.argument, *ends.subject.given) else {}
    for other in every:
        if other.argument == one.argument or not other.taken:
            continue
        beside = {**decayed, other.argument: other.taken[0]}
        for value in (one.taken or one.values)[:2]:
            with contextlib.suppress(Exception):
                both = ends(**beside, **{one.argument: value})[0]
                if not same_path(both, ends(**beside)[0]):
                    return ", ".join(f"{key}={number!r}" for key, number in beside.items())
    return ""


def alternatives(subject: Subject, name: str, value: Any) -> Iterator[Any]:
    """Other values for an argument, or an entry of it, that has this one."""
    names = table("names")
    if callable(value) or any(word in name for word in names["arguments"]["untold"]):
        return
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (0.5, 2.0**-4) if value == 0 else (max(value // 2, 1), 2 * value + 3)
        yield from (value + 1, value + 3)
    elif isinstance(value, float):
        yield from _numbers(name, value)
    elif isinstance(value, str):
        yield from (one for one in _literals(subject, name) if one != value)
    elif value is None:
        yield from next(values for word, values in names["hints"].items() if word in name)


def _numbers(name: str, value: float) -> tuple[float, ...]:
    if name.startswith("eps"):
        return (EPS / 8 if value == EPS else EPS, 0.5, 64.0)
    if value == 0.0:
        return (2.0**-4, 0.5, 2.0)
    if 0.5 < value < 1:
        return (1 - 2 * (1 - value) if value > 0.6 else 0.75, BETAS[2], 0.25)
    return (value / 2, 2 * value, 2.0**-4 * value, 0.0, 64.0)


def _literals(subject: Subject, name: str) -> list[str]:
    owner = vars(subject.make).get("__init__", subject.make)
    hints = attempt(lambda: get_type_hints(owner))[0] or {}
    return [one for one in get_args(hints.get(name)) if isinstance(one, str)]
