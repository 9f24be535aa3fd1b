"""What a schedule is called in a saved state, so that another process can tell whether it has it.

A function has no text that means the same everywhere: names repeat, addresses and machine code
change from process to process. What it returns does not, and a schedule is a pure function of the
step. So a `Schedule` is its own text, and anything else its name and its values at some steps.
"""

import math
import re
from collections.abc import Callable
from functools import partial
from itertools import zip_longest
from typing import Any

from adamas.schedule.base import Schedule

STEPS = (1, 2, 10, 100, 1_000, 10_000, 100_000)
# Twelve digits: what any libm agrees on.
CLOSE = 1e-12
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def identity(value: Callable[[int], Any], done: int) -> str:
    """The text of a schedule after `done` steps; see `alike` for which are taken for equal.

    >>> from adamas.schedule import constant
    >>> identity(constant(0.5), 0), identity(lambda t: 1 / t, 0)[:26]
    ('constant(0.5)', '<lambda> with 1: 1.0, 2: 0')
    """
    if isinstance(value, Schedule):
        return repr(value)
    steps = sorted({*STEPS, max(1, done), done + 1})
    return f"{name_of(value)} with {', '.join(f'{t}: {_at(value, t)}' for t in steps)}"


def alike(one: str, other: str) -> bool:
    """Whether two texts mean the same schedule: values may differ in the last bits, as libm's do.

    >>> alike("f with 1: 0.1, 2: 0.30000000000000004", "f with 1: 0.1, 2: 0.3")
    True
    """
    (name, with_values, mine), (named, _, theirs) = (
        text.rpartition(" with ") for text in (one, other)
    )
    pairs = list(zip_longest(mine.split(", "), theirs.split(", "), fillvalue=""))
    near = with_values and name == named and all(_near(x, y) for x, y in pairs)
    return one == other or bool(near)


def _near(one: str, other: str) -> bool:
    (t, _, x), (u, _, y) = one.partition(": "), other.partition(": ")
    try:
        return t == u and (x == y or math.isclose(float(x), float(y), rel_tol=CLOSE))
    except ValueError:
        return False


def name_of(value: Any) -> str:
    """A callable's name without its module, which is another where a script is imported."""
    if isinstance(value, partial):
        named = [f"{key}={_shown(one)}" for key, one in sorted(value.keywords.items())]
        return f"partial({', '.join([name_of(value.func), *map(_shown, value.args), *named])})"
    if name := getattr(value, "__qualname__", None):
        return str(name)
    own = "__repr__" in {name for kind in type(value).__mro__[:-1] for name in vars(kind)}
    return ADDRESS.sub("", repr(value)) if own else type(value).__qualname__


def _shown(value: Any) -> str:
    return name_of(value) if callable(value) else ADDRESS.sub("", repr(value))


def _at(value: Callable[[int], Any], t: int) -> str:
    try:
        return repr(float(value(t)))
    except RecursionError:
        # One that asks its own optimizer for a state dict would be asked again, without end.
        raise
    except Exception as error:
        # A table of so many steps has no value for more.
        return type(error).__name__
