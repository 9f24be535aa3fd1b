"""The state of a transformation: a NamedTuple of `count` and one field for each of its states.

optax and its users look fields up by name, pickle and checkpoints look the class up by name. There
is one class for each list of fields, made when it is first asked for; its qualified name says the
fields, so that another process makes the same class of it: `AdamState(count, mu, nu)`.
"""

import functools
import re
from collections import namedtuple
from typing import Any


@functools.cache
def state_class(name: str, fields: tuple[str, ...]) -> Any:
    """The NamedTuple called `name` with these fields, one object however often it is asked for."""
    made = namedtuple(name, fields, module=__name__)  # type: ignore[misc]
    made.__qualname__ = f"{name}({', '.join(fields)})"
    made.__doc__ = f"State of an adamas rule: {', '.join(fields)}."
    return made


def state_name(rule: str) -> str:
    """What the class of a rule's state is called: AdamwState for `adamw`."""
    return "".join(part.capitalize() for part in rule.split("_")) + "State"


def __getattr__(name: str) -> Any:
    """The class of a qualified name, as pickle asks for it."""
    found = re.fullmatch(r"(\w+)\(([\w, ]+)\)", name)
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return state_class(found[1], tuple(found[2].split(", ")))
