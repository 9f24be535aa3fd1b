"""What is checked: an optimizer by its name, or as an object, and how to make one of it."""

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path as File
from typing import Any

from adamas.check.hypers import NAMES, defaults_of, telling
from adamas.check.in_keras import Keras
from adamas.check.in_optax import Optax
from adamas.check.in_torch import Torch
from adamas.check.plan import Path, Plan
from adamas.check.quiet import attempt, said, seeded
from adamas.check.running import Run
from adamas.check.text import SENTENCES
from adamas.pages.told import TranslatedError
from adamas.show import load_module

# What the parameters of an optimizer of torch are called where they come first.
PARAMETERS = ("params", "parameters", "model_params", "model_or_params", "named_parameters")


class CheckError(TranslatedError, ValueError):
    """Why something cannot be checked, in one sentence that says what to do."""

    SENTENCES = SENTENCES


@dataclass(frozen=True)
class Subject:
    """An optimizer of a home: what makes it, its arguments, and those that were asked for."""

    name: str
    make: Callable[..., Any]
    kind: type[Run]
    defaults: dict[str, Any]
    given: dict[str, Any]
    origin: str

    def run(self, **arguments: Any) -> Run:
        """A fresh one with the arguments asked for, and these; a rate that is needed is 1e-3."""
        needed = {k: 1e-3 for k in NAMES["lr"] if self.defaults.get(k, 0) is None}
        return self.kind(self.make, {**needed, **self.given, **arguments})

    def path(self, plan: Plan, dtype: str, lay: Any = None, **arguments: Any) -> Path:
        """The parameters after every step of a plan; raises what the optimizer raises."""
        seeded()
        run = self.run(**arguments)
        with run.scope():
            run.start(plan.starts, dtype, lay)
            return run.onward(plan)

    def telling(self) -> dict[str, Any]:
        """Values at which rules are easy to tell apart, of those arguments that were not given."""
        return {k: v for k, v in telling(self.defaults).items() if k not in self.given}


def subject(optimizer: Any, given: Mapping[str, Any], name: str | None = None) -> Subject:
    """Find what `optimizer` names, or is, and the home that it is of.

    Raises `CheckError` for what cannot be found, is no optimizer, or cannot be made.
    """
    found = find(optimizer) if isinstance(optimizer, str) else optimizer
    named = optimizer if isinstance(optimizer, str) else getattr(found, "__qualname__", None)
    told = name or named or type(found).__name__
    if not callable(found):
        raise CheckError("refused.not_optimizer", name=told, kind=type(found).__name__)
    defaults = defaults_of(found)
    if unknown := sorted(given.keys() - defaults.keys()) if _closed(found) else []:
        names = ", ".join(defaults) or "-"
        raise CheckError("refused.argument", name=told, argument=unknown[0], names=names)
    kind = _kind(found, dict(given), told)
    shown = ", ".join(f"{key}={value!r}" for key, value in given.items())
    told = f"{told}({shown})" if given and not name else told
    return Subject(told, found, kind, defaults, dict(given), _origin(found, optimizer))


def find(text: str) -> Any:
    """The object behind `torch.optim.AdamW`, `timm.optim:Lamb` or `mine.py:MyAdam`."""
    module, colon, attribute = text.rpartition(":")
    if not colon:
        module, _, attribute = text.rpartition(".")
    if not module or not attribute:
        raise CheckError("refused.name", name=text)
    own = module.endswith(".py")
    loaded = load_module(File(module)) if own else _import(module)
    try:
        return functools.reduce(getattr, attribute.split("."), loaded)
    except AttributeError:
        raise CheckError("refused.no_attribute", module=module, name=attribute) from None


def _import(module: str) -> Any:
    top = module.partition(".")[0]
    if top not in sys.modules and not _there(top):
        raise CheckError("refused.missing", name=top)
    try:
        return importlib.import_module(module)
    except Exception as error:
        lacking = str(getattr(error, "name", None) or "").partition(".")[0]
        if isinstance(error, ImportError) and lacking not in ("", top):
            raise CheckError("refused.needs", module=module, name=lacking) from error
        raise CheckError("refused.import", module=module, error=said(error)) from error


def _there(top: str) -> bool:
    return bool(attempt(lambda: find_spec(top))[0])


def _kind(found: Any, given: dict[str, Any], told: str) -> type[Run]:
    """The home of an optimizer: by what it is, else by what it makes."""
    if isinstance(found, type) and (kind := _of(lambda base: issubclass(found, base))):
        return kind
    first = next(iter(attempt(lambda: inspect.signature(found).parameters)[0] or ()), "")
    order: list[type[Run]] = [Torch, Optax] if first in PARAMETERS else [Optax, Torch]
    why = ""
    for kind in order:
        made, error = attempt(functools.partial(_made, kind, found, given))
        why = why or error
        if error:
            continue
        if known := _of(functools.partial(isinstance, made)):
            return known
        methods = ("init", "update") if kind is Optax else ("step", "state_dict")
        if all(callable(getattr(made, name, None)) for name in methods):
            return kind
        raise CheckError("refused.not_optimizer", name=told, kind=type(made).__name__)
    raise CheckError("refused.making", name=told, error=why)


def _made(kind: type[Run], found: Any, given: dict[str, Any]) -> Any:
    if kind is Torch:
        import torch

        return found([torch.nn.Parameter(torch.zeros(2, 2))], **given)
    needed = {k: 1e-3 for k in NAMES["lr"] if defaults_of(found).get(k, 0) is None}
    return found(**{**needed, **given})


def _of(test: Callable[[type], bool]) -> type[Run] | None:
    """The home whose base class passes a test, of those frameworks that are loaded."""
    bases: list[tuple[type[Run], Any]] = []
    for kind, name in ((Torch, "torch.optim"), (Keras, "keras.optimizers")):
        bases.append((kind, getattr(sys.modules.get(name), "Optimizer", None)))
    return next((kind for kind, base in bases if base is not None and test(base)), None)


def _closed(found: Any) -> bool:
    """Whether a signature names all that may be given."""
    parameters = attempt(lambda: inspect.signature(found).parameters.values())[0]
    return parameters is not None and all(q.kind is not q.VAR_KEYWORD for q in parameters)


def needs_closure(subject: Subject) -> bool:
    """Whether a step cannot be taken without a function that evaluates the loss."""
    step = getattr(subject.make, "step", None) if subject.kind is Torch else None
    parameters = list(inspect.signature(step).parameters.values())[1:2] if step else []
    return any(q.default is q.empty and q.kind is q.POSITIONAL_OR_KEYWORD for q in parameters)


def _origin(found: Any, asked: Any) -> str:
    """The package that something is of and its version, or the file that it was asked for in."""
    if isinstance(asked, str) and ".py:" in asked:
        return asked.rpartition(":")[0]
    top = str(getattr(found, "__module__", "")).partition(".")[0]
    names = _packages().get(top, [])
    return f"{names[0]} {version(names[0])}" if names else top


@functools.cache
def _packages() -> Mapping[str, list[str]]:
    """Every module that is installed, and its packages: one look reads the records of all."""
    return packages_distributions()
