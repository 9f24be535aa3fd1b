"""Optimizers of Keras without a model: made of what a file says, and of names and shapes."""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from adamas.homes.keras import COMMON
from adamas.homes.signature import Signature
from adamas.homes.writers import HOMES, End, end_of
from adamas.others.found import needed
from adamas.others.keras_file import Contents

# More parameters are in no model that Keras saves into one file.
MOST = 100_000


def built_of(found: Contents, told: str | None) -> Any:
    """The optimizer whose variables a file holds, built for parameters of their shapes.

    Parameters are called by their paths where the file has them, and by their numbers otherwise.
    Raises ValueError where neither the file nor `told` says what it is, or it has other variables.
    """
    title, config = told or title_of(found), dict((found.config or {}).get("config") or {})
    if title is None:
        raise ValueError(
            "it does not say which class wrote it; say it, such as --from 'keras.Adam(1e-3)'"
        )
    needed("keras")
    end = end_of(title)
    shapes = [one.shape for one in found.variables.values()]
    paths = [str(one) for one in found.record.get("paths", ())]
    names = [str(one) for one in found.record.get("names", ())]
    rated = "learning_rate" in names if names else _rated(found)
    given = {**_plain(config, end.signature), **end.given}
    made = _made(end, given, rated)
    if not paths:
        paths = [str(k) for k in range(_count(made, len(shapes)))]
    return built(_made(end, given, rated), paths, _shapes(made, paths, shapes))


def title_of(found: Contents) -> str | None:
    """The class as a file names it."""
    if found.config:
        module = str(found.config.get("module") or "")
        ours = "adamas" in module or "adamas" in str(found.config.get("registered_name") or "")
        return f"{'adamas.keras' if ours else 'keras'}.{found.config['class_name']}"
    rule = found.record.get("rule")
    home = next(one for one in HOMES if one.name == "adamas.keras")
    ruled = (name for name in home.classes if _rule(End(home, name, {})) == rule)
    if (name := next(ruled, None)) is None:
        return None
    warnings.warn(
        f"the file has no number of adamas.keras.{name} but its learning rate; the others are its "
        f"defaults here. Say what they are: --from 'adamas.keras.{name}(...)'",
        stacklevel=2,
    )
    return f"adamas.keras.{name}"


def _rule(end: End) -> str:
    try:
        return end.rule({"weight_decay": 0.0} if "weight_decay" in end.signature.defaults else {})
    except ValueError:
        return ""


def made_of(end: End, hypers: Mapping[str, Any]) -> Any:
    """An optimizer of a class of Keras with these arguments, not built."""
    return _made(end, hypers, True)


def built(optimizer: Any, paths: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> Any:
    """The optimizer, built for variables of these paths and shapes."""
    import keras

    variables = []
    for path, shape in zip(paths, shapes, strict=True):
        *scopes, name = path.split("/")
        with ExitStack() as inside:
            for scope in scopes:
                inside.enter_context(keras.name_scope(scope))
            variables.append(keras.Variable(np.zeros(shape, np.float32), name=name))
    optimizer.build(variables)
    return optimizer


def _rated(found: Contents) -> bool:
    """Whether the learning rate is a variable, and no schedule."""
    config = (found.config or {}).get("config") or {}
    return not isinstance(config.get("learning_rate"), Mapping)


def _plain(config: Mapping[str, Any], signature: Signature) -> dict[str, Any]:
    """The arguments that are numbers; what is an object is made by nobody here."""
    known = {*signature.defaults, *COMMON, "seed", "state"}
    return {
        key: value
        for key, value in config.items()
        if key in known and isinstance(value, bool | int | float | str)
    }


def _made(end: End, given: Mapping[str, Any], rated: bool) -> Any:
    import keras

    if end.home.name == "adamas.keras":
        import adamas.keras as module
    elif end.home.name == "keras":
        module = keras.optimizers
    else:
        raise ValueError(f"{end.title} is no class of Keras")
    options = dict(given)
    if not rated:
        # Any: what it says is not asked, and it is no variable.
        options["learning_rate"] = keras.optimizers.schedules.ExponentialDecay(1e-3, 1, 1.0)
    return getattr(module, end.name)(**options)


def _count(optimizer: Any, variables: int) -> int:
    """How many parameters have so many variables of an optimizer; ValueError for no number."""
    one, two = (_with(optimizer, n) for n in (1, 2))
    each = len(two) - len(one)
    count, rest = divmod(variables - (len(one) - each), each) if each else (0, 0)
    if rest or not 0 <= count <= MOST or not each:
        raise ValueError(
            f"{type(optimizer).__name__} has not {variables} variables of its own, or keeps none "
            "of its parameters"
        )
    return count


def _with(optimizer: Any, count: int) -> list[Any]:
    """The variables of such an optimizer for so many parameters, each of a shape of its own."""
    config = optimizer.get_config()
    twin = type(optimizer).from_config(config)
    shapes = [(2 + k,) for k in range(count)]
    return list(built(twin, [f"p{k}" for k in range(count)], shapes).variables)


def _shapes(
    optimizer: Any, paths: Sequence[str], shapes: Sequence[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """The shapes of parameters, which some of their variables have too."""
    every = [tuple(one.shape) for one in _with(optimizer, len(paths))]
    if len(every) != len(shapes):
        raise ValueError(
            f"{type(optimizer).__name__} has {len(every)} variables for {len(paths)} parameters, "
            f"and the file {len(shapes)}"
        )
    return [shapes[every.index((2 + k,))] for k in range(len(paths))]
