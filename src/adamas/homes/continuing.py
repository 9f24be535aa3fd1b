"""Whether another home goes on exactly, and what to do about it where it does not.

Numbers that fit are not enough: the next step must be the one that would have been taken at home.
Two rules are taken for the same if they are, if their difference is a number that is 0, or if it is
an lr inside a momentum while lr stays as it is.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any

from adamas.homes.known import described, kin, numbers_of, same, split, where
from adamas.homes.neutral import Entry, Group, Neutral
from adamas.schedule import parse

CLOSE = 1e-6


def continued(found: Neutral, target: Neutral, ignore: bool) -> Neutral:
    """`found` as the numbers of the target's rules, with the hyper-parameters that it will have.

    Raises ValueError where the target would not go on as the source, unless `ignore`, and where its
    numbers are of another kind. Warns of hyper-parameters that differ.
    """
    state: dict[Any, Entry] = {}
    differing: dict[str, str] = {}
    if target.together:
        _one_count(found, target.groups[0].writer, ignore)
    for group in target.groups:
        names = set(group.names)
        # Without names a rule has no state, and its groups have an order.
        mine = [one for one in found.groups if names & set(one.names)] or (
            [] if target.names and found.names else found.groups
        )
        _check_groups(mine, group)
        for one in mine:
            group.hypers |= _carried(one, group)
            _check_rule(one, group, ignore, differing)
            lr = group.hypers.get("lr", one.hypers.get("lr"))
            for name in names & found.state.keys() & set(one.names):
                entry = _averaged(name, found.state[name], group, differing)
                state[name] = _rescaled(entry, one.rule, group.rule, lr)
    if differing:
        warnings.warn(
            f"the target goes on with {', '.join(differing.values())}; make it with the same "
            "numbers to go on exactly.",
            stacklevel=4,
        )
    return Neutral(
        target.groups, state, found.shapes, found.seed, found.steps, together=target.together
    )


def _carried(one: Group, group: Group) -> dict[str, Any]:
    """The hyper-parameters that go along.

    A schedule is no number: it stays with whoever has it, but where a state says it by its text.
    """
    taken = {}
    for name, value in one.hypers.items():
        text, there = (isinstance(v, str) for v in (value, group.hypers.get(name)))
        if name in group.takes and (text == there or (group.schedules and text and known(value))):
            taken[name] = value
    return taken


def known(text: str) -> bool:
    """Whether it is the text of a schedule of adamas."""
    try:
        return bool(parse(text))
    except ValueError:
        return False


def _averaged(name: Any, entry: Entry, group: Group, differing: dict[str, str]) -> Entry:
    if group.averages in (None, "average" in entry):
        return entry
    if group.averages:
        raise ValueError(
            f"{group.writer} keeps an average of the parameters, and the source has none of "
            f"{name!r}; make the target without one."
        )
    differing["average"] = "no average of the parameters"
    return {key: value for key, value in entry.items() if key != "average"}


def _check_groups(groups: Sequence[Group], target: Group) -> None:
    """Refuse groups of different hyper-parameters for one group."""
    for one in groups[1:]:
        for name in one.hypers.keys() & groups[0].hypers.keys() & target.hypers.keys():
            if one.hypers[name] != groups[0].hypers[name]:
                raise ValueError(
                    f"param groups with {name}={groups[0].hypers[name]} and {one.hypers[name]} "
                    "meet in one group of the target; make groups there, too, or leave the numbers "
                    f'out of its name ("{target.writer}") where something else, such as a mask, '
                    "does what the groups did."
                )


def _check_rule(one: Group, group: Group, ignore: bool, differing: dict[str, str]) -> None:
    here, there = one.hypers, group.hypers
    (base, direct), (other, directly) = split(one.rule), split(group.rule)
    mine, theirs = kin(base), kin(other)
    eps = mine.eps == theirs.eps or here.get("eps") == there.get("eps") == 0
    known = same(mine.rule, theirs.rule) and eps
    decays = direct == directly or 0 in (here.get("weight_decay"), there.get("weight_decay"))
    if not (known and decays):
        related = same(numbers_of(base), numbers_of(other))
        if not (ignore and related):
            raise ValueError(_refusal(one, group, related))
    if here.get("maximize") != there.get("maximize"):
        differing["maximize"] = f"maximize={'maximize' in there}"
    for name in here.keys() & there.keys():
        if _equal(here[name], there[name]):
            continue
        if name in group.fixed and not ignore:
            raise ValueError(
                f"{group.writer} has no {name} and computes with {there[name]}; the source has "
                f'{here[name]}. Choose another class, or say dialect="ignore".'
            )
        differing[name] = f"{name}={there[name]} (the source has {here[name]})"


def _equal(a: Any, b: Any) -> bool:
    plain = isinstance(a, int | float) and isinstance(b, int | float)
    return math.isclose(a, b, rel_tol=CLOSE) if plain else bool(a == b)


def _refusal(one: Group, group: Group, related: bool) -> str:
    last = (
        'or say dialect="ignore" to take the numbers as they are'
        if related
        else "the numbers mean something else, and nothing turns them into the others"
    )
    return (
        f"{group.writer} does not go on as {one.writer}: it computes {described(group.rule)}, the "
        f"source {described(one.rule)}. The rule {where(one.rule)} goes on exactly; {last}."
    )


def _rescaled(entry: Entry, rule: str, target: str, lr: Any) -> Entry:
    """`entry` with a momentum that holds what the target's does."""
    inside, there = (kin(split(one)[0]).lr for one in (rule, target))
    if inside == there or "m" not in entry:
        return entry
    if not isinstance(lr, int | float) or lr == 0:
        raise ValueError(
            f"a momentum of {rule} becomes one of {target} by the lr of the next step, and lr is "
            f"{lr!r} there. It must be a number other than 0, which stays as it is; or use a rule "
            f"that keeps {'lr inside' if inside else 'lr outside'} as the source does."
        )
    factor = lr * (inside or there)
    m = entry["m"]
    return {**entry, "m": (m / factor if inside else m * factor).astype(m.dtype)}


def _one_count(found: Neutral, where: str, ignore: bool) -> None:
    """Refuse parameters that had different numbers of steps, none being one; with `ignore` warn."""
    steps = {name: int(one["step"]) for name, one in found.state.items() if "step" in one}
    none = [name for name in found.names if name not in steps]
    few, most = (pick(steps, key=lambda n: steps[n], default="") for pick in (min, max))
    if steps and (steps[few] != steps[most] or none):
        each = f"{few!r} had {steps[few]}, {most!r} {steps[most]}"
        why = f"the source has no state of {none}" if none else each
        what = f"{where} counts steps once for all parameters, and {why}"
        if not ignore:
            raise ValueError(
                f'{what}. Leave out what is not trained, or say dialect="ignore": then all are as '
                "old as the oldest, which differs only where there are gradients."
            )
        warnings.warn(f"{what}: all go on as if they had {steps[most]}.", stacklevel=5)


def steps_of(found: Neutral) -> int | None:
    """The steps that all parameters had; None where nobody counts them."""
    each = (int(one["step"]) for one in found.state.values() if "step" in one)
    begun = found.state or not found.together
    return max(each, default=found.steps if begun else found.steps or 0)
