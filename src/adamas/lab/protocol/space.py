"""What a search may change besides the learning rate: names and ranges, as users ask for them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any

import numpy as np

from adamas.cli_text.core_words import told as translated
from adamas.lab.course import LONGEST_WARMUP, members
from adamas.lab.entrant_base import Entrant, parts_of
from adamas.lab.needs import LabError
from adamas.lab.protocol.cube import Dimension, Scale, Space, rounded, rounded_rest
from adamas.lab.stepping import StepError

# Names with the ranges that were given, None for the usual one.
Asked = Mapping[str, tuple[float, float] | None]

RATE, BETAS = "lr", "betas"
# What can be searched of the course of a run.
MOVES = ("schedule", "warmup")
# What is between 0 and 1 and says how long an average remembers, under the names that it has.
MEMORY = re.compile(r"(beta|betas|b)_?\d*|momentum|rho|alpha")


def space(asked: Asked, entrants: Sequence[Entrant], count: int, finalists: int) -> Space | None:
    """Return the declared search of what is `asked` for, None if that is the rate alone.

    Raises `LabError` for a name that nobody has or leaves free, and for a range that is none.
    """
    found: dict[str, list[Dimension]] = {who.text: [] for who in entrants}
    column = 0
    for name, ends in asked.items():
        if name == RATE:
            if ends is not None:
                raise LabError("error.search_rate")
            continue
        width = 0
        for who in entrants:
            taken = {*asked, *(one.name for one in found[who.text])} - {name}
            names = [key for key in meant(name, who) if key not in taken or key == name]
            own = [dimension(key, ends, who, column + k) for k, key in enumerate(names)]
            found[who.text] += own
            width = max(width, len(own))
        if not width:
            free = sorted({key for who in entrants for key in numbers_of(who)})
            raise LabError("error.search_name", name=name, names=", ".join(free))
        column += width
    if not column:
        return None
    tried(found, entrants)
    told = tuple(name if ends is None else f"{name}={ends[0]:g}..{ends[1]:g}"
                 for name, ends in asked.items())  # fmt: skip
    return Space(told, count, finalists, {name: tuple(dims) for name, dims in found.items()})


def asked_for(texts: Iterable[str]) -> dict[str, tuple[float, float] | None]:
    """Return what texts such as "lr,weight_decay" and "eps=1e-10..1e-4" ask for, by name.

    Raises `LabError` for what is no range, and for a name that is empty or given twice.

    >>> asked_for(["betas,warmup", "eps=1e-10..1e-4"])
    {'betas': None, 'warmup': None, 'eps': (1e-10, 0.0001)}
    """
    found: dict[str, tuple[float, float] | None] = {}
    parts = ((part.strip(), given) for given in texts for part in given.split(","))
    for text, given in parts:
        name, equals, ends = (part.strip() for part in text.partition("="))
        if not name:
            raise LabError("error.search_empty", text=given)
        if name in found:
            raise LabError("error.search_twice", name=name)
        try:
            found[name] = interval_in(ends) if equals else None
        except ValueError as error:
            raise LabError("error.search_range", text=text) from error
    return found


def interval_in(text: str) -> tuple[float, float]:
    """Return the ends of `low..high`; raises ValueError for anything else."""
    low, high = text.split("..")
    return float(low), float(high)


def searchable(who: Entrant) -> dict[str, Any]:
    """Return an optimizer's hyper-parameters with their defaults, a tuple of memories by member."""
    found: dict[str, Any] = {}
    for name, default in who.free.items():
        whole = isinstance(default, tuple) and all(is_memory(name, one) for one in default)
        found |= members(name, default) if whole else {name: default}
    return found


def is_memory(name: str, default: object) -> bool:
    """Return whether a hyper-parameter says how long an average remembers.

    >>> is_memory("betas[1]", 0.999), is_memory("momentum", False), is_memory("eps", 1e-8)
    (True, False, False)
    """
    known = MEMORY.fullmatch(name.partition("[")[0]) is not None
    return known and isinstance(default, int | float) and default is not False and 0 <= default < 1


def is_searched(default: object) -> bool:
    """Return whether there are numbers to try: what is None unless told may take one.

    >>> is_searched(0.1), is_searched(None), is_searched(True), is_searched((None, 1e-3))
    (True, True, False, False)
    """
    return not isinstance(default, bool | str | tuple)


def free_of(who: Entrant) -> list[str]:
    """Return what an optimizer's text leaves to be searched, the course of its rate included."""
    fixed = {*who.hypers, *(name for name, _ in parts_of(who.text)[1])}
    return [name for name in (*searchable(who), *MOVES) if name.partition("[")[0] not in fixed]


def numbers_of(who: Entrant) -> list[str]:
    """Return the names under which an optimizer can be searched, besides "lr" and "betas"."""
    defaults = searchable(who)
    return [name for name in free_of(who) if "[" not in name and is_searched(defaults.get(name))]


def meant(name: str, who: Entrant) -> list[str]:
    """Return the hyper-parameters of an optimizer that a name means; "betas" are its memories.

    The name of a tuple of memories means all its members: one alone is not searched.
    """
    free, defaults = free_of(who), searchable(who)
    if name in free and "[" not in name:
        return [name]
    return [
        key
        for key in free
        if is_memory(key, defaults.get(key)) and (name == BETAS or key.startswith(f"{name}["))
    ]


def dimension(name: str, ends: tuple[float, float] | None, who: Entrant, column: int) -> Dimension:
    """Return a hyper-parameter with the range that was given, else with the usual one."""
    if name == "schedule":
        if ends is not None:
            raise LabError("error.search_range", text=f"schedule={ends[0]:g}..{ends[1]:g}")
        return Dimension(name, "schedule", column=column)
    default = searchable(who).get(name)
    if not is_searched(default):
        whose, value = parts_of(who.text)[0], "VALUE"
        if isinstance(default, bool):
            value = "false" if default else "true"
        raise LabError("error.search_switch", name=name, default=default, whose=whose, value=value)
    memory = is_memory(name, default)
    if ends is None:
        ends = usual(name, default or 0.0, memory)
        off = name == "weight_decay"
        scale: Scale = "complement" if memory else "linear" if name == "warmup" else "log"
        return Dimension(name, scale, *ends, off, column)
    low, high = ends
    if not -inf < low < high < inf or (memory and not 0 <= low < high < 1):
        raise LabError("error.search_range", text=f"{name}={low:g}..{high:g}")
    whole = isinstance(default, int) and default != 0  # 0 stands for 0.0 in many signatures
    scale = "complement" if memory else "log" if low > 0 else "linear"
    return Dimension(name, scale, low, high, column=column, whole=whole)


def usual(name: str, default: float, memory: bool) -> tuple[float, float]:
    """Return the range that is searched unless another is given.

    A memory of a tenth to ten times the default's length, and of 100 steps at least; two decades to
    either side of a weight decay, and from 1e-5 to 0.1 where there is none by default; two decades
    below and four above eps. Raises `LabError` for a name that has none.

    >>> usual("beta2", 0.999, True), usual("beta1", 0.9, True), usual("weight_decay", 0.0, False)
    ((0.99, 0.9999), (0.0, 0.99), (1e-05, 0.1))
    """
    if memory:
        rest = 1 - default
        return rounded_rest(min(10 * rest, 1.0)), rounded_rest(min(rest / 10, 0.01))
    if name == "warmup":
        return 0.0, LONGEST_WARMUP / 2
    if name == "weight_decay":
        return (rounded(default / 100), rounded(default * 100)) if default > 0 else (1e-5, 0.1)
    if name in ("eps", "epsilon") and default > 0:
        return rounded(default / 100), rounded(default * 1e4)
    raise LabError("error.search_no_range", name=name)


def tried(found: Mapping[str, Sequence[Dimension]], entrants: Sequence[Entrant]) -> None:
    """Refuse a range whose ends an optimizer, or the course of a rate, does not accept."""
    for who in entrants:
        for one in found[who.text]:
            for share in (0.0, 1.0):
                setting = ((one.name, one.at(share)),)
                try:
                    who.course.changed(setting)
                    who.begin({"p": np.zeros(1)}, {"p": np.zeros(1)}, who.default_lr, setting)
                except LabError:
                    raise
                except StepError as error:
                    reason = str(error)
                    raise LabError("error.foreign_made", text=who.text, reason=reason) from error
                except (TypeError, ValueError) as error:
                    raise LabError("error.plain", reason=translated(error)) from error
