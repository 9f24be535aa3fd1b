"""`adamas.convert` from file to file."""

import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from adamas.engine.loading import count
from adamas.files import atomic
from adamas.files.reading import Named
from adamas.homes.conversion import FORMS
from adamas.homes.convert import convert
from adamas.homes.neutral import Neutral, renamed
from adamas.homes.writers import End, end_of
from adamas.others import beside, keras_file
from adamas.others.flags import said_as_flags, text_of
from adamas.others.found import writing
from adamas.others.names import names_of
from adamas.others.parameters import in_file, names_for_numbers, order, shapes_of_target
from adamas.others.source import Source, opened
from adamas.others.target import TORCH, Wanted, class_of, made

JAX = ("optax", "adamas.jax")
TORCH_FILES, KERAS_FILES = (".pt", ".pth", ".bin"), (".h5",)


@dataclass(frozen=True)
class Asked:
    """The options of `adamas convert`, as they are given."""

    source: str | None = None
    target: str | None = None
    names: str | None = None
    params: str | None = None
    entry: str | None = None
    state: str | None = None
    like: str | None = None
    ignore: bool = False
    force: bool = False


def convert_file(here: str, there: str, asked: Asked) -> dict[str, Any]:
    """Write the state in the file `here` into the file `there`, for another library.

    Returns what was done; raises OSError, and ValueError in one line that names the file.
    """
    if os.path.isdir(there):
        raise ValueError(f"{there!r} is a directory; a target is a file.")
    if os.path.lexists(there) and not asked.force:
        raise _there(there)
    if asked.params and beside.same(asked.params, there) and not beside.same(here, there):
        raise ValueError(
            f"{there!r} is what --params names, and would be lost; write to another path."
        )
    if not there.endswith((*TORCH_FILES, *KERAS_FILES, ".safetensors")):
        raise ValueError(
            f"{there!r}: the name of a target ends in .safetensors (adamas), in "
            f"{', '.join(TORCH_FILES)} (torch) or in .weights.h5 (Keras)."
        )
    with warnings.catch_warnings(record=True) as noted:
        # Those of libraries to their programmers are nothing that a user can mend.
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        source = opened(here, asked.source, asked.entry)
        own = source.file is not None
        lost = beside.left(here, there, source.beside, along=own, like=asked.like)
        try:
            with writing(there), atomic.only_new(not asked.force):
                done = _done(here, there, source, asked)
        except FileExistsError as error:
            # It was made while the state was converted.
            raise _there(there) from error
    return {**done, "left": lost, "warnings": [str(one.message) for one in noted]}


def _there(there: str) -> ValueError:
    return ValueError(f"{there!r} is there already; --force writes over it.")


def _done(here: str, there: str, source: Source, asked: Asked) -> dict[str, Any]:
    with Named(here, brief=True):
        found: Neutral = FORMS[source.end.home.name].read(source.state, source.end)
        for entry in ({"step": found.steps or 0}, *found.state.values()):
            count("steps", int(entry.get("step", 1)))
        with said_as_flags(partial(_target, there, source, found, None)):
            names = names_of(asked.names, list(dict.fromkeys([*found.names, *found.state])))
            target = _target(there, source, found, asked.target)
            model = in_file(asked.params) if asked.params else {}
            if names is None:
                names = names_for_numbers(found, target, model, source.shapes)
            found = renamed(found, names, [])
            shapes = shapes_of_target(found, source, model, names)
            order(found, source.end, target, names, model)
            same = source.end.home.name in TORCH and source.end.name == target.name
            like = source.state if same and target.home.name in TORCH else None
            live = made(target, found, shapes, Wanted(asked.state, like))
            way: Any = "ignore" if asked.ignore else "exact"
            ending = (text_of(target), live) if target.home.name in JAX else live
            state = convert(source.state, source.what, ending, names, dialect=way)
        along = beside.along(source.file, names) if source.file else (None, None)
    _written(there, target, live, state, along, asked.like)
    return {
        "source": {"path": here, "optimizer": source.end.title},
        "target": {"path": there, "optimizer": target.title},
        "parameters": len(found.names),
        "steps": found.counted() if found.state else found.steps,
    }


def _target(there: str, source: Source, found: Neutral, told: str | None) -> End:
    """What the target is: as it is told, or the class of the file's kind that goes on exactly."""
    if told is not None:
        return end_of(told)
    rule, here = found.groups[0].rule, source.end
    kinds = ["torch", "adamas.torch"]
    if there.endswith(KERAS_FILES):
        kinds = ["adamas.keras", "keras"]
    if there.endswith(".safetensors"):
        if here.home.name not in TORCH:
            return end_of("adamas")
        kinds = ["adamas.torch"]
    for kind in kinds:
        # The class of the same name, which has the same options.
        if here.home.name in TORCH and kind in TORCH:
            with suppress(ValueError):
                same = end_of(f"{kind}.{here.name}")
                if same.signature and (kind != "torch" or _torch_has(here.name)):
                    return same
        if known := class_of(kind, rule):
            name, options = known
            given = ", ".join(f"{key}={value!r}" for key, value in options.items())
            return end_of(f"{kind}.{name}({given})" if given else f"{kind}.{name}")
    raise ValueError(f"no class of {kinds[0]} goes on as {here.title} exactly; say --to")


def _torch_has(name: str) -> bool:
    import torch

    return hasattr(torch.optim, name)


def _written(
    there: str, target: End, live: Any, state: Any, along: tuple[Any, Any], like: str | None
) -> None:
    """Put the state into its file, and `params` and `extra`, where they go along, beside it."""
    if there.endswith(".safetensors"):
        if target.home.name not in ("adamas", "adamas.torch", "adamas.keras", *JAX):
            raise ValueError(f"{there!r}: files of {target.title} are .pt, .pth or .bin; see --to.")
        if target.home.name in JAX:
            from adamas.jax import save

            save(there, state, *along, tx=text_of(target))
            return
        keras = target.home.name == "adamas.keras"
        (live.load_own_variables if keras else live.load_state_dict)(state)
        live.save(there, *along)
    elif there.endswith(TORCH_FILES):
        import torch

        _placed(there, partial(torch.save, state))
    else:
        _placed(there, lambda file: keras_file.write(file, state, like))


def _placed(there: str, write: Callable[[Any], Any]) -> None:
    """Let `write` fill a file, whole or not at all; ValueError for what its library says of it."""
    try:
        with atomic.placing(there) as file:
            write(file)
    except RuntimeError as error:
        said = str(error).partition("\n")[0]
        raise ValueError(f"{there!r} was not written: {said}; nothing was changed.") from error
