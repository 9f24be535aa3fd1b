"""The parameters of a target, which no model tells: their shapes, and the order they come in."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from adamas.files.checkpoint import Checkpoint
from adamas.homes.neutral import Neutral
from adamas.homes.writers import End
from adamas.kernel.layout import REST, SCALE
from adamas.others import opening, torch_file
from adamas.others.source import Shapes, Source, shapes_of
from adamas.others.target import TORCH


def order(
    found: Neutral, here: End, there: End, names: Mapping[Any, Any] | None, model: Shapes
) -> None:
    """Put parameters into the order of the model, or of the names that were given.

    Warns where neither is known, and the target matches them by their order.
    """
    given = [one[0] if isinstance(one, tuple) else one for one in (names or {}).values()]
    known = list(model) if set(found.names) <= model.keys() else given
    if set(found.names) <= set(known):
        for group in found.groups:
            group.names.sort(key=known.index)
    elif there.home.name in ("torch", "keras") and here.home.name not in TORCH:
        listed = ", ".join(map(str, found.names))
        warnings.warn(
            f"{there.title} matches parameters by their order, and the source has {listed}; if the "
            "model has another, --names says it, or --params, a file of its state_dict.",
            stacklevel=2,
        )


def shapes_of_target(
    found: Neutral, source: Source, model: Shapes, names: Mapping[Any, Any] | None
) -> Shapes:
    """The shapes of the target's parameters; ValueError names those that nobody tells."""
    told = {**source.shapes, **model, **found.shapes}
    turned = {}
    for old, new in (names or {}).items():
        if isinstance(new, tuple) and old in told:
            turned[new[0]] = tuple(new[1](np.empty(told[old], "V0")).shape)
        elif isinstance(new, str) and old in told:
            turned[new] = told[old]
    known = {**told, **turned}
    for name in found.names:
        if name not in known:
            shape = _one_shape(found.state.get(name, {}))
            known |= {} if shape is None else {name: shape}
    if lost := [name for name in found.names if name not in known]:
        raise ValueError(
            f"nothing tells the shapes of {', '.join(map(repr, lost[:10]))}; give the model's "
            "parameters, which have the same names there: --params FILE"
        )
    return known


def _one_shape(entry: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The shape that all states of a parameter have; None where they have several, or none."""
    arrays = {
        key: value.shape
        for key, value in entry.items()
        if isinstance(value, np.ndarray) and not key.endswith((SCALE, REST))
    }
    shapes = set(arrays.values())
    return shapes.pop() if len(shapes) == 1 else None


def in_file(path: str) -> Shapes:
    """The shapes of a model's parameters in a file, by their names and in its order."""
    kind = opening.kind_of(path)
    if kind == "torch":
        return shapes_of(torch_file.loaded(path))
    if kind == "keras":
        raise ValueError(f"{path!r} is of Keras, which does not name parameters there")
    if kind == "adamas":
        return dict(Checkpoint(path).parameters)
    return {name: one.shape for name, one in opening.opened(path).arrays.items()}
