"""`--names`: which parameter of the source is which of the target, as JSON."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from adamas.files.header import strict_json

TURNED = "T"


def names_of(given: str | None, here: Sequence[Any]) -> dict[Any, Any] | None:
    """The names that `adamas.convert` takes of a text, or a file, of JSON.

    A list has the names in the source's order; a dict the new name of each, None for one that is
    left out, or a pair of a name and "T", for a layout the other way round, or the order of axes.
    Raises OSError, and ValueError for anything else.
    """
    if given is None:
        return None
    text = given
    if not given.lstrip().startswith(("{", "[")):
        with open(given, encoding="utf-8") as file:
            text = file.read()
    if text.lstrip().startswith("["):
        listed = _json(text)
        if len(listed) != len(here):
            raise ValueError(f"--names lists {len(listed)}, and the source has {len(here)}")
        return {name: _one(name, value) for name, value in zip(here, listed, strict=True)}
    numbers = {str(name): name for name in here}
    return {numbers.get(k, k): _one(k, v) for k, v in strict_json(text, "--names").items()}


def _json(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"--names is no JSON: {error}") from None
    return list(found)


def _one(name: Any, value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        new, turn = value
        if turn == TURNED:
            return new, np.transpose
        if isinstance(turn, list) and sorted(map(str, turn)) == sorted(map(str, range(len(turn)))):
            return new, partial(np.transpose, axes=turn)
    raise ValueError(
        f"--names has {value!r} for {name!r}; a name, null, or a list of a name and "
        f'"{TURNED}" or the order of its axes'
    )
