"""The parameters of a target, which no model tells: their shapes, and the order they come in."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from adamas.files.checkpoint import Checkpoint
from adamas.homes.known import shipped
from adamas.homes.neutral import Neutral
from adamas.homes.writers import End
from adamas.kernel.layout import REST, SCALE
from adamas.others import opening, torch_file
from adamas.others.source import Shapes, Source, shapes_in, shapes_of
from adamas.others.target import TORCH

# What batch normalization keeps in a state dict beside the parameters.
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


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


def names_for_numbers(
    found: Neutral, there: End, model: Shapes, beside: Shapes
) -> dict[Any, Any] | None:
    """Names for parameters that have numbers, as of `model.parameters()`; None to keep those.

    They are those of the model that was given, else of one that lies `beside` the state where the
    target wants names. Raises ValueError where it has other parameters, or wants names in vain.
    """
    wants = there.home.name not in TORCH
    numbered = all(isinstance(name, int) for name in found.names)
    if not (found.names and numbered and (model or wants)):
        return None
    known = {n: one for n, one in (model or beside).items() if isinstance(n, str)}
    if not known:
        raise ValueError(
            f"its {len(found.names)} parameters have numbers for names; say --names, a list in "
            "their order, or --params, a file of model.state_dict()"
        )
    listed = _listed(found, known)
    if not model:
        first = ", ".join(listed[:3]) + (", ..." if len(listed) > 3 else "")
        warnings.warn(
            "its parameters have numbers, and got the names of the model beside them in its order, "
            f"{first}; if they have another, --names says it.",
            stacklevel=2,
        )
    return dict(zip(found.names, listed, strict=True))


def _listed(found: Neutral, known: Mapping[str, tuple[int, ...]]) -> list[str]:
    """The names of a model, one for each parameter; ValueError where these are others."""
    listed, numbers = list(known), found.names
    if len(listed) != len(numbers):
        listed = [name for name in listed if name.rpartition(".")[2] not in BUFFERS]
    if len(listed) != len(numbers) or len(found.groups) > 1:
        raise ValueError(
            f"its {len(numbers)} parameters in {len(found.groups)} groups have numbers for names, "
            f"and the model has {len(listed)}, in an order that may be another; say --names"
        )
    for number, name in zip(numbers, listed, strict=True):
        shape = _one_shape(found, number)
        if shape not in (None, known[name]):
            raise ValueError(
                f"its parameter {number} is of shape {list(shape or ())}, and {name!r}, which is "
                f"that of the model, of {list(known[name])}; say --names"
            )
    return listed


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
            shape = _one_shape(found, name)
            known |= {} if shape is None else {name: shape}
    if lost := [name for name in found.names if name not in known]:
        raise ValueError(
            f"nothing tells the shapes of {', '.join(map(repr, lost[:10]))}; give the model's "
            "parameters, which have the same names there: --params FILE"
        )
    return known


def _one_shape(found: Neutral, name: Any) -> tuple[int, ...] | None:
    """The shape that all states of a parameter have; None where they have several, or none."""
    entry = found.state.get(name, {})
    arrays = {k: np.shape(v) for k, v in entry.items() if not k.endswith((SCALE, REST))}
    rules = (shipped(one.rule) for one in found.groups if name in one.names)
    formula = next((one for one in rules if one and one.rows and one.columns), None)
    if formula:
        # A number for each row, and one for each column.
        row, column = min(formula.rows), min(formula.columns)
        return (*arrays[row], *arrays[column]) if {row, column} <= arrays.keys() else None
    shapes = {one for key, one in arrays.items() if isinstance(entry[key], np.ndarray)}
    return shapes.pop() if len(shapes) == 1 else None


def in_file(path: str) -> Shapes:
    """The shapes of a model's parameters in a file, by their names and in its order."""
    kind = opening.kind_of(path)
    if kind == "torch":
        return shapes_of(torch_file.loaded(path))
    if kind == "keras":
        raise ValueError(f"{path!r} is of Keras, which does not name parameters there")
    if kind == "adamas":
        return shapes_in(Checkpoint(path))
    return {name: one.shape for name, one in opening.opened(path).arrays.items()}
