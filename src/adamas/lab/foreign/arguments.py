"""What an optimizer can be given besides its parameters: names and defaults, from its signature."""

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

from adamas.lab.foreign.finding import parameters
from adamas.lab.needs import LabError

RATES = ("lr", "learning_rate")
# The rate of an optimizer that declares none: what PyTorch gives most of its own.
USUAL = 1e-3
REQUIRED = inspect.Parameter.empty
WORDS = {"true": True, "false": False, "none": None}
# A text that needs no quotes.
WORD = re.compile(r"[A-Za-z_][\w.-]*")
# What a default may be to be shown and hashed.
SIMPLE = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class Arguments:
    """The arguments of an optimizer: what its rate is called, its default, and all the others."""

    rate: str
    default_lr: float
    others: Mapping[str, Any]

    @property
    def missing(self) -> list[str]:
        """Return the arguments that have no default."""
        return [name for name, default in self.others.items() if default is REQUIRED]

    @property
    def simple(self) -> dict[str, Any]:
        """Return the arguments with a plain default."""
        return {name: value for name, value in self.others.items() if _plain(value)}


def _plain(value: Any) -> bool:
    return all(map(_plain, value)) if isinstance(value, tuple) else isinstance(value, SIMPLE)


def arguments_of(text: str, thing: Callable[..., Any]) -> Arguments:
    """Return the arguments of a class or a function, without what it steps.

    Raises `LabError` where it takes no learning rate, or has a default that is none.
    """
    found = dict(by_name(thing))
    rate = next((name for name in RATES if name in found), None)
    if rate is None:
        raise LabError("error.foreign_no_lr", text=text)
    default = found.pop(rate).default
    if default is REQUIRED:
        default = USUAL
    good = isinstance(default, int | float) and not isinstance(default, bool) and default > 0
    if not good or not isfinite(default):
        raise LabError("error.foreign_lr", text=text, lr=default)
    others = {name: parameter.default for name, parameter in found.items()}
    return Arguments(rate, float(default), others)


def by_name(thing: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return what can be given by name; those of a base class too, where `**kwargs` go there."""
    found = dict(parameters(thing))
    bases = thing.__mro__[1:] if isinstance(thing, type) else ()
    for base in bases:
        if not any(one.kind is one.VAR_KEYWORD for one in found.values()):
            break
        found = {name: one for name, one in found.items() if one.kind is not one.VAR_KEYWORD}
        # What a base needs is given to it by the class itself.
        more = {} if base is object else parameters(base)
        kept = {
            n: p for n, p in more.items() if p.default is not REQUIRED or p.kind is p.VAR_KEYWORD
        }
        found = {**kept, **found}
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    given = {name: one for name, one in found.items() if one.kind in named}
    first = next(iter(parameters(thing)), None)
    if first is not None and first not in RATES:
        given.pop(first, None)  # the parameters that are stepped
    return given


def reader(text: str, arguments: Arguments) -> Callable[[str, str], Any]:
    """Return what reads `name=value` as that argument takes it."""

    def read(name: str, value: str) -> Any:
        found = literal(name, value)
        default = arguments.others[name]
        if not fits(found, default):
            kind = type(default).__name__
            raise LabError("error.foreign_kind", text=text, name=name, value=value, kind=kind,
                           default=default)  # fmt: skip
        return found

    return read


def literal(name: str, value: str) -> Any:
    """Return a number, a tuple, true, false, None or a word.

    Raises `LabError` for anything else.

    >>> [literal("x", text) for text in ("0.9", "(0.9, 0.99)", "true", "None", "strong_wolfe")]
    [0.9, (0.9, 0.99), True, None, 'strong_wolfe']
    """
    if value.lower() in WORDS:
        return WORDS[value.lower()]
    if WORD.fullmatch(value) and value.lower() not in ("inf", "nan"):
        return value
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = REQUIRED
    numbers = found if isinstance(found, tuple) else (found,)
    if not _plain(found) or not all(-inf < one < inf for one in numbers if isinstance(one, float)):
        raise LabError("error.foreign_value", name=name, value=value)
    return found


def written(value: object) -> str:
    """Return how a value is written in an optimizer's text: `literal` reads it as the same.

    >>> [written(value) for value in ((0.9, 0.99), True, "strong_wolfe", "a b", "true")]
    ['(0.9,0.99)', 'True', 'strong_wolfe', "'a b'", "'true'"]
    """
    if not isinstance(value, str):
        return str(value).replace(" ", "")
    if WORD.fullmatch(value) and value.lower() not in (*WORDS, "inf", "nan"):
        return value
    return repr(value).translate({ord(sign): f"\\x{ord(sign):02x}" for sign in ",:()"})


def fits(value: Any, default: Any) -> bool:
    """Return whether a value is of the kind of the default that it takes the place of.

    >>> fits(1, 0.5), fits(None, 0.5), fits(True, 0.5), fits((0.9, 0.99), (0.9, 0.999))
    (True, False, False, True)
    """
    if default is None or default is REQUIRED or not _plain(default):
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int | float)
    return isinstance(value, type(default)) or (isinstance(default, str) and value is None)
