"""What Keras calls variables: paths with a part for every layer, and numbers that change."""

import re
from collections.abc import Sequence, Set
from typing import Any

RATE = "learning_rate"


def path_of(variable: Any) -> str:
    """The path of a variable of Keras, the name of one of TensorFlow's own."""
    return str(getattr(variable, "path", variable.name))


def joined(variable: Any) -> str:
    """The same as Keras writes it in front of the name of a state."""
    return _written(path_of(variable))


def _written(path: str) -> str:
    return path.replace("/", "_").replace(":", "_")


def unnumbered(names: Sequence[str], paths: Sequence[str], classes: Set[str]) -> list[str]:
    """The names of an optimizer's variables without the numbers that Keras gives to layers.

    Keras calls a layer after its class, and numbers it by how many a process has made before. A
    number stays where what it follows is no class: then it is part of somebody's own name. `paths`
    are those of the model's variables, `classes` names in small letters without underscores.
    """
    plain = {
        f"{_written(path)}_": "_".join(_base(part, classes) for part in path.split("/"))
        for path in paths
    }

    def without(name: str) -> str:
        begins = max((one for one in plain if name.startswith(one)), key=len, default="")
        return f"{plain[begins]}_{name.removeprefix(begins)}" if begins else name

    return [without(name) for name in names]


def _base(part: str, classes: Set[str]) -> str:
    base, _, number = part.rpartition("_")
    return base if number.isdecimal() and base.replace("_", "") in classes else _written(part)


def pattern_of(path: str) -> str:
    """A pattern of one path, with or without the name of the model, as Keras builds it or not."""
    model, _, rest = path.partition("/")
    if model == path:
        return f"^{re.escape(path)}$"
    whole = f"^([^/]+/)?{re.escape(path)}$"
    # One part alone would be the name of many variables.
    return f"{whole}|^{re.escape(rest)}$" if "/" in rest else whole


def matched(
    own: Sequence[str], saved: Sequence[str], plain: tuple[list[str], list[str]], where: str
) -> list[int | None]:
    """For each of the names its place in `saved`; raises ValueError that names what is missing.

    Names are equal; or in the same order, and equal as `plain`, which are both without the numbers
    of layers, but for the name of the model, which Keras writes in front or not. A learning rate is
    missing where there is a schedule, and then each keeps its own.
    """
    if set(own) - {RATE} == set(saved) - {RATE} and len(set(own)) == len(own):
        return [saved.index(name) if name in saved else None for name in own]
    mine, theirs = ([name for name in names if name != RATE] for names in plain)
    if len(mine) == len(theirs) and all(map(_alike, mine, theirs)):
        order = iter(k for k, name in enumerate(saved) if name != RATE)
        rate = saved.index(RATE) if RATE in saved else None
        return [rate if name == RATE else next(order) for name in own]
    lacking, extra = (
        ", ".join(repr(n) for n in a if n not in b)[:300] or "nothing"
        for a, b in ((own, saved), (saved, own))
    )
    raise ValueError(
        f"{where}: it has {len(saved)} variables, and this optimizer {len(own)}. Only here: "
        f"{lacking}. Only there: {extra}. Train the same variables, load the model with "
        "compile=False, or make this optimizer with strict=False."
    )


def _alike(one: str, other: str) -> bool:
    return one == other or one.endswith(f"_{other}") or other.endswith(f"_{one}")
