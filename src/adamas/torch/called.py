"""What parameters are called: in groups, in messages, with and without what wrappers add."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch

Groups = Sequence[Mapping[str, Any]]

# torch.compile, DistributedDataParallel and AveragedModel, FSDP, activation checkpoints.
WRAPPERS = frozenset({
    "_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
})  # fmt: skip


def bare(name: str) -> str:
    """`name` as the model itself has it, without wrappers.

    >>> bare("module._orig_mod.layer.0.weight")
    'layer.0.weight'
    """
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def found(wanted: list[str], there: list[str]) -> list[int] | None:
    """For each wanted name its place among the names `there`; None unless they are the same.

    Names are compared as they are; if they differ, without wrappers, as long as that leaves no two
    alike. Equal names belong to each other in the order they come.
    """
    for read in (str, bare):
        one, other = list(map(read, wanted)), list(map(read, there))
        if read is bare and len(set(one)) < len(one):
            return None
        if sorted(one) == sorted(other):
            places: dict[str, list[int]] = {}
            for place, name in enumerate(other):
                places.setdefault(name, []).append(place)
            return [places[name].pop(0) for name in one]
    return None


def every(groups: Groups) -> list[tuple[int, torch.Tensor, str]]:
    """Every parameter with its group and what it is called in messages; no two are alike."""
    places = [k for k, group in enumerate(groups) for _ in group["params"]]
    return [(k, p, label) for k, (label, (p, _)) in zip(places, _labelled(groups), strict=True)]


def called(groups: Groups) -> dict[str, str]:
    """The name of every parameter, or its place, by what it is called in messages."""
    return {label: name or label for label, (_, name) in _labelled(groups)}


def names(groups: Groups, index: int) -> list[str]:
    """The names of the parameters of a group, or their places."""
    group = groups[index]
    if "param_names" in group:
        return list(group["param_names"])
    return [f"{index}.{k}" for k in range(len(group["params"]))]


def named(groups: Groups) -> list[tuple[torch.Tensor, str | None]]:
    """Every parameter with its name, or None."""
    return [
        (p, name)
        for group in groups
        for p, name in zip(
            group["params"],
            group.get("param_names") or [None] * len(group["params"]),
            strict=True,
        )
    ]


def _labelled(groups: Groups) -> list[tuple[str, tuple[torch.Tensor, str | None]]]:
    """Every parameter with its name or None, and before them a label: the name, or the place.

    Two groups may hold equal names, which then get their place as well.
    """
    places = [f"{k}.{i}" for k, group in enumerate(groups) for i in range(len(group["params"]))]
    pairs = named(groups)
    counts = Counter(name for _, name in pairs)
    return [
        (place if name is None else name if counts[name] == 1 else f"{name} ({place})", (p, name))
        for place, (p, name) in zip(places, pairs, strict=True)
    ]
