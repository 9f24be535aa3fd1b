"""The whole check of one optimizer."""

import platform
import sys
from functools import partial
from importlib.metadata import version
from typing import Any

from adamas.check.dialect import identify
from adamas.check.effects import effects
from adamas.check.layouts import layouts
from adamas.check.numerics import numerics
from adamas.check.quiet import attempt, quiet
from adamas.check.report import Report
from adamas.check.resume import resume
from adamas.check.subject import subject
from adamas.kernel.build import adamas_version

FRAMEWORKS = ("torch", "jax", "optax", "keras", "tensorflow")


def check(optimizer: Any, /, *, name: str | None = None, **arguments: Any) -> Report:
    """Run an optimizer on the CPU beside the formulas, and find out what it does.

    `optimizer` is a class of torch.optim's kind, a function that returns an optax transformation, a
    class of Keras, a function that makes one of these, or a text: "torch.optim.AdamW",
    "timm.optim:Lamb", "mine.py:MyAdam". `arguments` are its own, and stay as they are given in
    everything that is tried; `name` is what the report calls it.

    Raises `CheckError`, a ValueError, for what cannot be imported, is no optimizer, needs a
    closure, or takes no step on the CPU.
    """
    with quiet():
        found = subject(optimizer, arguments, name)
    # A second time, because the generators of what was just imported are kept, too.
    with quiet():
        dialect = identify(found)
        asked = (found, dialect.dtype)
        parts = effects(*asked), numerics(*asked), layouts(*asked), resume(*asked)
    first = found.name, found.origin, found.kind.home, dict(arguments), dialect
    return Report(*first, *parts, versions())


def versions() -> dict[str, str]:
    """The versions of Python, adamas and the frameworks that are loaded."""
    found = {"python": platform.python_version(), "adamas": adamas_version()}
    loaded = [name for name in FRAMEWORKS if name in sys.modules]
    known = {name: attempt(partial(version, name))[0] for name in loaded}
    return found | {name: number for name, number in known.items() if number}
