"""The form that every state goes through: the engine's own state dict, with its rule per group.

Arrays are NumPy's, under the rule's names of its states, by the name of their parameter. What an
optimizer of adamas keeps in few bits stays as it is until somebody asks for numbers.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.engine.loading import FORMAT

Array = NDArray[Any]
Key = str | int
Entry = dict[str, Any]
# A name, or a pair of one and a function that turns arrays into the layout of the target; None for
# a parameter that is left out.
Renamed = Key | tuple[Key, Callable[[Any], Any]] | None
Names = Mapping[Any, Renamed] | Callable[[Any], Renamed] | None


@dataclass
class Group:
    """Parameters that are stepped by one rule with the same hyper-parameters, as far as known.

    `takes` are those hyper-parameters that the home keeps in its state, `fixed` those that it has
    no argument for; `writer` names the class, `averages` that it averages parameters, if known,
    and `schedules` that a state says schedules by their texts and hands them on.
    """

    names: list[Key]
    rule: str
    hypers: dict[str, Any]
    writer: str
    takes: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    averages: bool | None = False
    schedules: bool = False


@dataclass
class Neutral:
    """A whole state; `shapes` are those of the parameters, where they are known.

    `together` says that steps are counted, and once for all parameters.
    """

    groups: list[Group]
    state: dict[Key, Entry] = field(default_factory=dict)
    shapes: dict[Key, tuple[int, ...]] = field(default_factory=dict)
    seed: int | None = None
    steps: int | None = None
    together: bool = False

    @property
    def names(self) -> list[Key]:
        """The names of all parameters, in order."""
        return [name for group in self.groups for name in group.names]

    def as_dict(self) -> dict[str, Any]:
        """The engine's state dict, each group with the `dialect` that continues it exactly."""
        rules = {one.rule for one in self.groups}
        return {
            "format": FORMAT,
            "rule": rules.pop() if len(rules) == 1 else None,
            "steps": self.counted(),
            "seed": self.seed or 0,
            "state": {name: {"step": 1, **entry} for name, entry in self.state.items()},
            "param_groups": [
                {"params": list(one.names), "dialect": one.rule, **one.hypers}
                for one in self.groups
            ],
        }

    def counted(self) -> int:
        """The steps of the whole: the most that any parameter had."""
        each = (int(entry.get("step", 1)) for entry in self.state.values())
        return max(self.steps or 0, *each, 0)


def numbers(what: str, value: Any) -> Array:
    """A copy of a tensor or array of any home, as float32, or float64 where it is that.

    Integers and truth values stay. Raises TypeError naming what cannot be read.
    """
    try:
        for name in ("numbers", "full_tensor", "detach", "cpu"):
            value = getattr(value, name, lambda value=value: value)()
        if str(getattr(value, "dtype", "")) == "torch.bfloat16":
            value = value.float()
        array = np.array(value.numpy() if hasattr(value, "numpy") else value)
        if array.dtype.kind == "c":
            raise TypeError("homes split complex numbers differently")
        plain = array.dtype.kind in "iub" or array.dtype == np.float64
        return array if plain else array.astype(np.float32)
    except Exception as error:
        raise TypeError(f"{what} cannot be read as an array of numbers: {error}") from error


def scalar(what: str, value: Any) -> Any:
    """One number, from whatever holds it; raises ValueError naming what holds more."""
    if isinstance(value, int | float):
        return value
    array = numbers(what, value)
    if array.size != 1:
        raise ValueError(f"{what} has shape {array.shape}; it is one number.")
    return array.item()


def renamed(found: Neutral, names: Names, here: list[Key], few: Collection[Key] = ()) -> Neutral:
    """The same under the names that its parameters have at the target, which are `here`.

    Raises TypeError for other `names`, and ValueError that lists those without a partner, those
    that several would have, and those that the source has not; and for another layout of one of
    `few`, which have numbers for rows and columns.
    """
    find: Any = {} if names is None else names
    if not (callable(find) or isinstance(find, Mapping)):
        raise TypeError(f"names= is a dict or a function, not {type(find).__name__}.")
    new: dict[Key, Key] = {}
    turns: dict[Key, Any] = {}
    for name in dict.fromkeys([*found.names, *found.state]):
        given = find(name) if callable(find) else find.get(name, name)
        if given is None:
            continue
        new[name], turns[name] = given if _pair(given) else (given, None)
        if isinstance(new[name], bool) or not isinstance(new[name], str | int):
            raise TypeError(
                f"names= gives {given!r} for {name!r}; a name, or a pair (a tuple) of a name and a "
                "function of arrays, or None for one to leave out."
            )
        if turns[name] is not None and name in few:
            raise ValueError(
                f"names= turns {name!r} round, whose state has numbers for rows and columns, which "
                "would change places."
            )
    # Rules without state have no names in optax.
    known = {*found.names, *found.state}
    if known and (strange := [] if callable(find) else [n for n in find if n not in known]):
        raise ValueError(f"names= has {strange[0]!r}, which is no parameter of the source.")
    there = list(new.values())
    if twice := sorted({str(name) for name in there if there.count(name) > 1}):
        raise ValueError(f"names= gives {', '.join(twice)} to several parameters.")
    lost, left = ([n for n in a if n not in b] for a, b in ((there, here), (here, there)))
    if here and there and (lost or left):
        raise ValueError(
            f"parameters without a partner: {lost} of the source, {left} of the target; give "
            "names= a dict or a function from the source's names to the target's."
        )
    groups = [
        replace(one, names=[new[name] for name in one.names if name in new]) for one in found.groups
    ]
    state = {new[n]: _turned(one, turns[n]) for n, one in found.state.items() if n in new}
    return replace(found, groups=groups, state=state)


def _pair(given: Any) -> bool:
    return isinstance(given, tuple) and len(given) == 2 and callable(given[1])


def _turned(entry: Entry, turn: Callable[[Array], Array] | None) -> Entry:
    if turn is None:
        return entry
    return {k: turn(v) if isinstance(v, np.ndarray) and v.ndim else v for k, v in entry.items()}


def checked(
    found: Neutral,
    shapes: Mapping[Key, tuple[int, ...]],
    few: Mapping[Key, tuple[set[str], set[str]]],
) -> None:
    """Raise ValueError for an array that has not the shape of its parameter at the target.

    `few` are the states that have a number for each row, and for each column.
    """
    for name, entry in found.state.items():
        rows, columns = few.get(name, ((), ()))
        for state, value in entry.items():
            wanted = shapes.get(name)
            if wanted is not None and state in (*rows, *columns):
                wanted = wanted[:1] if state in rows else wanted[1:]
            if not isinstance(value, np.ndarray) or wanted in (None, value.shape):
                continue
            hint = f"; if it lies otherwise there, say so: names={{...: ({name!r}, np.transpose)}}"
            same = value.size == math.prod(wanted or ())
            raise ValueError(
                f"{state} of {name!r} has shape {value.shape}, the target's parameter {wanted}"
                f"{hint if same else ''}."
            )
