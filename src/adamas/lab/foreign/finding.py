"""From a text such as `torch.optim.Adam` or `mine.py:Mine` to what it names."""

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from adamas.cli_text.core_words import told
from adamas.define import Rule
from adamas.lab.foreign.apart import untouched
from adamas.lab.needs import LabError
from adamas.lab.text import words
from adamas.show import load_module

LISTED = 40


@dataclass(frozen=True)
class Found:
    """What a text names, and a text that changes with its code."""

    source: str
    thing: Any
    origin: str


def find(source: str) -> Found:
    """Return what `module.Name`, `module:Name` or `file.py:Name` names.

    Raises `LabError` for a module or a file that cannot be read, and for a name that is not in it,
    with the names that are.
    """
    place, colon, name = source.rpartition(":")
    if source.endswith(".py"):
        place, name = source, ""
    elif not colon:
        place, _, name = source.rpartition(".")
    with untouched():
        module = _file(Path(place), source) if place.endswith(".py") else _module(place)
    if not name.isidentifier() or not hasattr(module, name):
        raise LabError("error.not_there", place=place, name=name, there=_there(name, module))
    thing = getattr(module, name)
    return Found(source, thing, origin_of(thing, module))


def _file(path: Path, source: str) -> ModuleType:
    directory = str(path.absolute().parent)
    if directory not in sys.path:
        # Behind everything else, so that a user's random.py shadows nothing.
        sys.path.append(directory)
    try:
        return load_module(path)
    except ValueError as error:
        raise LabError("error.plain", reason=told(error)) from error


def _module(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            hint = words("hint.install", name=missing) if missing in ("torch", "optax") else ""
            raise LabError("error.no_module", name=missing, hint=hint) from error
        reason = f"{type(error).__name__}: {error}"
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    raise LabError("error.no_import", name=name, reason=reason)


def _there(name: str, module: ModuleType) -> Mapping[str, str]:
    """Return which optimizers a module has, and the one with the closest name."""
    names = [one for one, thing in vars(module).items() if _may_be(one, thing, module)]
    if not names:
        return words("hint.none_there")
    close = get_close_matches(name, names, 1) or get_close_matches(name.lower(), names, 1)
    listed = ", ".join(names[:LISTED]) + ", …" * (len(names) > LISTED)
    if not close:
        return words("hint.these_there", names=listed, count=len(names))
    return words("hint.close_there", name=close[0], names=listed, count=len(names))


def _may_be(name: str, thing: Any, module: ModuleType) -> bool:
    if name.startswith("_") or not callable(thing):
        return False
    torch: Any = sys.modules.get("torch")
    if isinstance(thing, type):
        base = torch.optim.Optimizer if torch else ()
        return (issubclass(thing, base) and thing is not base) or (
            thing.__module__ == module.__name__ and hasattr(thing, "step")
        )
    return is_rule(thing) or bool({"lr", "learning_rate"} & set(parameters(thing)))


def is_rule(thing: Any) -> bool:
    """Return whether something is a rule, a function of a parameter `p` and its gradient `g`."""
    if isinstance(thing, Rule):
        return True
    return inspect.isfunction(thing) and {"p", "g"} <= set(parameters(thing))


def parameters(thing: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the arguments of a callable by name; none where Python does not know them."""
    try:
        return inspect.signature(thing).parameters
    except (TypeError, ValueError):
        return {}


def origin_of(thing: Any, module: ModuleType | None = None) -> str:
    """Return where something comes from: its name, its package's version, and its file's hash."""
    home = getattr(thing, "__module__", None) or (module and module.__name__) or ""
    name = getattr(thing, "__qualname__", type(thing).__qualname__)
    home_module = sys.modules.get(home)
    file = getattr(home_module or module, "__file__", None)
    content = sha256(Path(file).read_bytes()).hexdigest() if file and Path(file).is_file() else ""
    return f"{home} {name} {version_of(home)} {content}"


def version_of(module: str) -> str:
    """Return the version of the package that a module belongs to, as far as it has one."""
    top = module.partition(".")[0]
    told_by_itself = getattr(sys.modules.get(top), "__version__", None)
    if told_by_itself is not None:
        return str(told_by_itself)
    try:
        return version(top)
    except (PackageNotFoundError, ValueError):
        return ""
