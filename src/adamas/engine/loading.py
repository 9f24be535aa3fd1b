"""A saved state is read and checked as a whole, before any of it is taken over.

Everything here raises TypeError or ValueError that names what does not fit, and changes nothing.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from typing import Any, Protocol

import numpy as np

from adamas.engine.identity import alike, identity
from adamas.engine.settings import Settings, real, seeded
from adamas.engine.tensors import Array, Key
from adamas.engine.threads import Action
from adamas.kernel.layout import MEMORY_ORDER

FORMAT = 1
# Kernels compute with the step as a float64, which counts so far.
MOST_STEPS = 1 << 53
PARTS = ("format", "rule", "steps", "seed", "state", "param_groups", "train_mode")

Group = Mapping[str, Any]


@dataclass(frozen=True)
class Saved:
    """A state dict whose outside is checked; `seed` is None where it has none."""

    steps: int
    seed: int | None
    state: Mapping[Key, Any]
    groups: Sequence[Group]


def unpacked(saved: Any, rules: Sequence[str], strict: bool) -> Saved:
    """The parts of a saved dict; of several `rules`, each group must have its own."""
    if not isinstance(saved, Mapping):
        raise TypeError(f"a state dict is a dict, not {type(saved).__name__}.")
    form, name = _plain(saved.get("format")), _plain(saved.get("rule"))
    same = isinstance(form, Integral) and form == FORMAT and isinstance(name, str)
    if not (same and (len(rules) > 1 or name == rules[0])):
        raise ValueError(
            f"this is the state of rule {name!r} (format {form!r})"
            f", not of {', '.join(rules)!r} (format {FORMAT})."
        )
    if lost := [part for part in ("steps", "state", "param_groups") if part not in saved]:
        raise ValueError(f"the state dict lacks {lost[0]!r}.")
    if strict and (extra := sorted(saved.keys() - set(PARTS), key=str)):
        raise ValueError(f"the state dict has {extra[0]!r}, unknown here; or use strict=False.")
    state, groups = saved["state"], saved["param_groups"]
    if not isinstance(state, Mapping):
        raise TypeError(f"the saved 'state' is a dict, not {type(state).__name__}.")
    if not isinstance(groups, list | tuple):
        raise TypeError(f"the saved 'param_groups' are a list, not {type(groups).__name__}.")
    seed = seeded(_plain(saved["seed"])) if "seed" in saved else None
    found = [{"rule": name, **_group(one)} for one in groups]
    return Saved(count("steps", saved["steps"]), seed, state, found)


def _plain(value: Any) -> Any:
    """What files of arrays make an array without axes of."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _group(saved: Any) -> Group:
    if not isinstance(saved, Mapping):
        raise TypeError(f"a saved param group is a dict, not {type(saved).__name__}.")
    names = saved.get("params", ())
    if not (isinstance(names, list | tuple) and all(isinstance(n, str | Integral) for n in names)):
        raise TypeError(f"the 'params' of a saved group are a list of names, not {names!r}.")
    return saved


def paired(groups: Sequence[Group], saved: Sequence[Group], strict: bool) -> list[Group | None]:
    """For each group the saved one with its parameters, in whatever order the groups come.

    If not `strict`, the saved one that has any of them, or None.
    """
    pairs: list[Group | None] = []
    empty = (old for old in saved if not old.get("params", ()))
    for group in groups:
        names = set(group["names"])
        if not names:
            # Nothing tells groups without parameters apart but their order.
            pairs.append(next(empty, None))
            continue
        same = [old for old in saved if names == set(old.get("params", ()))]
        if not same and not strict:
            same = [old for old in saved if names & set(old.get("params", ()))]
        if strict and len(same) != 1:
            count = "no saved param group holds" if not same else "several saved param groups hold"
            raise ValueError(f"{count} {group['names']}; or use strict=False.")
        pairs.append(same[0] if same else None)
    if strict and len(saved) != len(groups):
        raise ValueError(
            f"{len(saved)} saved param groups for {len(groups)} here; or use strict=False."
        )
    return pairs


def described(settings: Settings, group: Group, steps: int) -> dict[str, Any]:
    """A param group as a plain dict can hold it: names, numbers, and schedules as texts."""
    hypers = {name: _text(group[name], steps) for name in settings.names}
    rule = {"rule": settings.rule} if "rule" in group else {}
    return {"params": list(group["names"]), **rule, **hypers}


def _text(value: Any, steps: int) -> float | str:
    return identity(value, steps) if callable(value) else float(value)


def merged(settings: Settings, group: Group, saved: Group, steps: int) -> dict[str, float]:
    """The hyper-parameters that `group` takes from `saved`; schedules must be the same ones."""
    taken: dict[str, float] = {}
    if (rule := _plain(saved["rule"])) != settings.rule:
        raise ValueError(
            f"the saved param group of {_listed(group['names'])} is of rule {rule!r}, and here "
            f"these are stepped by {settings.rule!r}."
        )
    for name in settings.names:
        if name not in saved:
            raise ValueError(f"saved param group lacks {name!r}.")
        live, value = group[name], saved[name]
        if callable(live) or isinstance(value, str):
            here = _text(live, steps)
            if not (isinstance(value, str) and isinstance(here, str) and alike(value, here)):
                raise ValueError(
                    f"saved {name} is {value!r}, this optimizer has {here!r}; make the optimizer "
                    f"with the same {name} before loading, or put {here!r} into the saved group."
                )
        else:
            taken[name] = settings.number(name, value)
    if extra := sorted(set(saved) - {"params", "rule", *settings.names}, key=str):
        raise ValueError(f"saved param group: {settings.unknown(str(extra[0]))}")
    return taken


class Grouped(Protocol):
    """Param groups, each with the settings of its rule."""

    @property
    def groups(self) -> Sequence[Any]:
        """All of them, in their order."""

    def of(self, k: int, /) -> tuple[Settings, int]:
        """The settings of the rule of group k, and its place there."""


def _listed(names: Sequence[Key]) -> str:
    """Some of many names."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(map(repr, names[:8])) + more


def regrouping(settings: Grouped, found: Saved, strict: bool) -> list[Action]:
    """The actions that give the groups what is saved of them."""
    actions: list[Action] = []
    pairs = zip(settings.groups, paired(settings.groups, found.groups, strict), strict=True)
    for k, (group, old) in enumerate(pairs):
        if old:
            own, place = settings.of(k)
            new = merged(own, group, old, found.steps)
            own.hear(place, new, {**group, **new})
            actions.append(partial(dict.update, group, new))
    return actions


def entry(
    key: Key,
    live: Mapping[str, Any],
    saved: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
    other: Set[str],
) -> dict[str, Any]:
    """What is saved of one tensor, as arrays of `shapes` in the dtypes of `live`, and numbers.

    What is named in `other`, and may be missing, is checked elsewhere.
    """
    other = other | {MEMORY_ORDER}
    if wrong := sorted((live.keys() ^ saved.keys()) - other, key=str):
        coded = any(str(name).endswith(".scale") or name == "rounding" for name in wrong)
        cure = "; it was kept with another state=, which is to be given here" if coded else ""
        raise ValueError(f"saved state of {key!r} differs from this rule's in {wrong}{cure}.")
    found: dict[str, Any] = {}
    for name, value in live.items():
        what = f"saved {name} of {key!r}"
        if name in ("step", "rounding"):
            found[name] = count(what, saved[name])
        elif name not in other:
            alone = not isinstance(value, np.ndarray)
            found[name] = (
                _number(what, saved[name])
                if alone
                else _array(what, saved[name], shapes[name], value.dtype)
            )
    return found


def _number(what: str, value: Any) -> float:
    number = _plain(value)
    if isinstance(number, bool | np.bool) or not isinstance(number, Real):
        raise TypeError(f"{what} must be a number, not {value!r}.")
    return real(what, number, "a number")


def _array(what: str, given: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    if hasattr(given, "mask"):
        raise TypeError(f"{what} is masked, and adamas sees no masks; use .filled(0).")
    try:
        found = np.asarray(given)
    except (TypeError, ValueError):
        raise
    except Exception as error:
        raise TypeError(f"{what} cannot be read as a NumPy array: {error}") from error
    if (found.shape, found.dtype) != (shape, dtype):
        raise ValueError(
            f"{what} is {found.dtype}{list(found.shape)}, here it is {dtype}{list(shape)}."
        )
    return found


def count(what: str, value: Any) -> int:
    """`value` as a number of steps; raises TypeError or ValueError naming it."""
    number = whole(what, value)
    if number >= MOST_STEPS:
        raise ValueError(f"{what} is {value!r}, and must be at least 0 and below 2**53.")
    return number


def whole(what: str, value: Any) -> int:
    """`value` as a whole number from 0 on; raises TypeError or ValueError naming it."""
    number = _plain(value)
    if isinstance(number, bool | np.bool) or not isinstance(number, Integral):
        raise TypeError(f"{what} must be a whole number, not {value!r}.")
    if number < 0:
        raise ValueError(f"{what} is {value!r}, and must be at least 0.")
    return int(number)
