"""Hyper-parameters that are schedules: a group has the number of the step, and the text beside it.

`group["lr"]` is a number, as loggers and `torch.optim` expect it, set before each step; the texts
of the schedules are in `group["schedules"]`, by the names of hyper-parameters, so that a state dict
holds nothing but numbers, texts and tensors. What they have put there is in `group["scheduled"]`,
by which a number of somebody else's is known, whoever copied or saved the group. A schedule has no
state of its own: the step is that of the parameters.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from adamas.homes.signature import Signature
from adamas.schedule import Schedule, parse

KEY, PUT = "schedules", "scheduled"
# What torch's schedulers leave in every group of an optimizer that they were made for.
INITIAL = "initial_lr"

TORCHS = (
    "a scheduler of torch was made for it (where a trainer makes one anyway, hand it lr=1.0 and "
    "LambdaLR(optimizer, lambda k: schedule(k + 1)))"
)

read = lru_cache(parse)


def lifted(
    takes: Signature, given: Mapping[str, Any], base: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`given` with its first number for each schedule, and the texts of all under `KEY`.

    Those of `base` hold for hyper-parameters that `given` does not set.
    """
    found, base = dict(given), base or {}
    texts = {n: text for n, text in base.get(KEY, {}).items() if _place(takes, n)[0] not in given}
    texts |= given.get(KEY, {})
    for name in _names(takes):
        key, place = _place(takes, name)
        value = takes.hyper(name, given) if _has(given, key, place) else None
        if isinstance(value, Schedule):
            texts[name] = repr(value)
            _put(found, key, place, value(1))
    return {**found, KEY: texts} if texts or KEY in base else found


def check(takes: Signature, group: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError for what `group` has under `KEY` and is no schedule."""
    texts = group.get(KEY, {})
    for key, held, what in ((KEY, texts, "texts"), (PUT, group.get(PUT, {}), "numbers")):
        if not isinstance(held, Mapping):
            raise TypeError(f"{key!r} of a param group is {held!r}, not a dict of {what} by name.")
    for name, text in texts.items():
        if name not in (known := _names(takes)):
            raise ValueError(
                f"{KEY!r} of a param group has {name!r}; schedules of {takes.name} may be "
                f"{', '.join(known)}."
            )
        read(text)


def taking(takes: Signature, group: Mapping[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
    """What a group takes over of a saved one.

    Raises ValueError where both have schedules that differ, and where somebody has set a number
    over a saved one. What is saved of a torch scheduler is not of a group that has a schedule.
    """
    mine, theirs = group.get(KEY, {}), saved.get(KEY, {})
    for name in mine.keys() & theirs.keys():
        if read(mine[name]) != read(theirs[name]):
            raise ValueError(
                f"saved {name} is {theirs[name]}, and here it is {mine[name]}: make the optimizer "
                f"with the same {name}, or with a number to take over what was saved; or delete "
                f"{KEY!r} from the saved group to go on with this one."
            )
    for name, number in saved.get(PUT, {}).items():
        now = takes.hyper(name, saved) if _has(saved, *_place(takes, name)) else number
        if name in theirs and now not in (0, number):
            raise ValueError(
                f"saved {name} is the schedule {theirs[name]}, which had put {number} there, "
                f"and the number {now}, which somebody has set since. Have one of them: delete "
                f"{name!r} from the saved group[{KEY!r}], or set the number back."
            )
    if not mine and not theirs:
        return saved
    kept = {key: value for key, value in saved.items() if key != INITIAL or key in group}
    return {**kept, KEY: {**mine, **theirs}}


class Scheduled:
    """Puts the numbers of schedules into groups, and sees whether somebody else does, too."""

    def __init__(self, takes: Callable[[Mapping[str, Any]], Signature]) -> None:
        self._takes = takes

    def saw(self, group: dict[str, Any]) -> None:
        """Take what a group has now for what its schedules have put there."""
        if texts := group.get(KEY):
            takes = self._takes(group)
            group[PUT] = {name: takes.hyper(name, group) for name in texts}

    def lift(self, group: dict[str, Any]) -> bool:
        """Whether somebody has set a schedule in a group, whose text is now where it belongs."""
        found = lifted(self._takes(group), group)
        if some := any(found[key] is not value for key, value in group.items() if key != KEY):
            group.update(found)
            self.saw(group)
        return some

    def set(self, groups: Sequence[dict[str, Any]], t: int) -> None:
        """Put the numbers of step t into the groups that have schedules.

        Raises ValueError for a group whose number somebody else has set. A 0 stays there: tools
        that make state before loading some do so by a step that moves nothing.
        """
        due, seen = [], list[tuple[dict[str, Any], dict[str, float]]]()
        for k, group in enumerate(groups):
            if not (texts := group.get(KEY)):
                continue
            left: dict[str, float] = {}
            takes = self._takes(group)
            seen.append((group, left))
            for name, text in texts.items():
                (key, place), now = _place(takes, name), takes.hyper(name, group)
                before = group.get(PUT, {}).get(name, now)
                if key == "lr" and INITIAL in group:
                    raise ValueError(_twice(k, name, text, TORCHS))
                if now not in (0, before):
                    if self.lift(group):
                        return self.set(groups, t)
                    raise ValueError(_twice(k, name, text, f"it was set to {now}"))
                if now == before:
                    before = read(text)(t)
                    due.append((group, key, place, before))
                left[name] = before
        # With an error none was set.
        for one in due:
            _put(*one)
        for group, left in seen:
            group[PUT] = left


def _twice(k: int, name: str, text: str, other: str) -> str:
    return (
        f"{name} of param group {k} is the schedule {text}, and {other}. Have one of them: "
        "schedules of adamas are joined by .then and multiplied; to set numbers, take the text out "
        f"of group[{KEY!r}]."
    )


def _names(takes: Signature) -> list[str]:
    """The hyper-parameters that may be schedules: all that are numbers while stepping."""
    paired = {name: key for name, (key, place) in takes.sources.items() if place is not None}
    plain = [
        key
        for key, default in takes.defaults.items()
        if type(default) in (int, float) and key != "initial_accumulator_value"
    ]
    return [*plain, *(name for name, key in paired.items() if key in takes.defaults)]


def _place(takes: Signature, name: str) -> tuple[str, int | None]:
    return takes.sources.get(name, (name, None))


def _has(group: Mapping[str, Any], key: str, place: int | None) -> bool:
    value = group.get(key)
    return key in group and (
        place is None or isinstance(value, list | tuple) and place < len(value)
    )


def _put(group: dict[str, Any], key: str, place: int | None, number: float) -> None:
    if place is not None:
        number = (*group[key][:place], number, *group[key][place + 1 :])  # type: ignore[assignment]
    group[key] = number
