"""Optimizers of others that were handed over from Python: classes, factories and partial calls."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from adamas.lab.entrant_base import Entrant
from adamas.lab.foreign.arguments import written
from adamas.lab.foreign.finding import Found, origin_of
from adamas.lab.foreign.kinds import foreign
from adamas.lab.own.content import UnknownError, content, installed


def public(one: object) -> str | None:
    """Return the text that names a class of an installed package, perhaps with its arguments.

    >>> import torch
    >>> public(partial(torch.optim.SGD, momentum=0.9)), public(partial(torch.optim.SGD, lr=0.1))
    ('torch.optim.SGD:momentum=0.9', None)
    """
    made = one.func if isinstance(one, partial) else one
    module, name = getattr(made, "__module__", None), getattr(made, "__qualname__", None)
    if not callable(made) or not isinstance(name, str) or not installed(module):
        return None
    if isinstance(one, partial) and (one.args or "lr" in one.keywords or not _told(one)):
        return None
    pieces = str(module).split(".")
    for length in range(1, len(pieces) + 1):
        place = ".".join(pieces[:length])
        if vars(sys.modules.get(place, sys)).get(name) is made:
            return text_of(one, f"{place}.{name}")
    return None


def _told(one: "partial[Any]") -> bool:
    """Return whether a text can say the arguments of a partial call."""
    return all(isinstance(v, int | float | str | tuple | None) for v in one.keywords.values())


def text_of(one: Any, name: str | None = None) -> str:
    """Return what an optimizer is called in a plan: its name, and what a partial call fixes."""
    if not isinstance(one, partial):
        return name or str(getattr(one, "__name__", one))
    name = name or text_of(one.func)
    given = ",".join(f"{key}={written(value)}" for key, value in one.keywords.items())
    return f"{name}:{given}" if given else name


def stranger(one: Callable[..., Any]) -> Entrant:
    """Return an optimizer of the user's; what cannot be hashed is another one every time.

    Raises `LabError` for what is no optimizer.
    """
    text = text_of(one)
    try:
        origin = content(one)
    except UnknownError:
        origin = str(uuid4())
    made = one.func if isinstance(one, partial) else one
    if installed(getattr(made, "__module__", None)):
        origin += origin_of(made)
    return foreign(text, Found(text, one, origin))
