"""What every optimizer takes besides its hyper-parameters: one table, its constructor's signature.

Names, types and defaults stand there, where editors and type checkers look. What else needs them
reads them from there: the names that no rule may use, the classes' stubs, and torch's own table.
"""

import os
from collections.abc import Callable, Mapping
from functools import cache
from types import FunctionType
from typing import Any, Literal, get_args, get_origin

from adamas.engine.settings import Hyper
from adamas.engine.storage import Spec
from adamas.kernel.formula import Formula, parse

OnNonFinite = Literal["guard", "raise", "skip", "allow"]
"""What a step does about NaN or infinity in a gradient."""

MEMBERS = "make a new optimizer to add or remove parameters; this list is only shown."
LOOK = (
    "an optimizer's state is set by load_state_dict(), or by writing into an array that is in it: "
    "optimizer.state[name]['m'][...] = 0; this dict is only shown."
)
# What may be set on an optimizer; the rest is in its groups, or decided when it is made.
SETTABLE = ("grad_norm", "skipped")


class Configured:
    """An optimizer with its options, on which nothing can be set that it would not look at."""

    _make: Callable[[Any, Any, dict[str, Any], dict[str, Any]], None]

    def __init__(
        self,
        rule: Callable[..., Any] | Formula,
        params: Any,
        *,
        state: Spec = "float32",
        state_dir: str | os.PathLike[str] | None = None,
        master: Literal[8, 16] | None = None,
        seed: int = 0,
        clip_norm: float | None = None,
        on_nonfinite: OnNonFinite = "guard",
        track_norm: bool = False,
        ema: float | None = None,
        zero_grads: bool = False,
        maximize: bool = False,
        rows: Literal["lazy", "exact"] = "lazy",
        threads: int | None = None,
        observe: bool = False,
        routes: Mapping[str, Any] | None = None,
        **hypers: Hyper,
    ) -> None:
        given = locals()
        self._make(rule, params, hypers, {name: given[name] for name in OPTIONS})

    # What an error about the arguments calls it.
    __init__.__qualname__ = "Optimizer.__init__"

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse what would be set and ignored; a subclass may have attributes of its own."""
        if not name.startswith("_") and name not in SETTABLE:
            settings = self.__dict__.get("_settings")
            names = settings.names if settings else ("lr",)
            ours = type(self).__module__.partition(".")[0] == "adamas"
            if ours or name in names or name in OPTIONS or name in dir(type(self)):
                raise AttributeError(
                    f"{type(self).__name__}.{name} cannot be set. Options are given when an "
                    "optimizer is made; hyper-parameters are set in its groups: "
                    f"optimizer.param_groups[0][{names[0]!r}] = ..."
                )
        object.__setattr__(self, name, value)


OPTIONS: dict[str, Any] = dict(Configured.__init__.__kwdefaults__ or {})
"""The options with their defaults."""
_types: dict[str, Any] = Configured.__init__.__annotations__
CHOICES = {
    name: (True, False) if kind is bool else get_args(kind)
    for name, kind in _types.items()
    if kind is bool or get_origin(kind) is Literal
}
"""The values of those options that have but a few."""
RESERVED = frozenset({"self", "rule", "params", "names", *OPTIONS})
"""Keywords that an optimizer takes for itself: no hyper-parameter may be called so."""


def formula_of(rule: Any) -> Formula:
    """The formula of a rule in whatever form it is given."""
    if isinstance(rule, Formula):
        return rule
    known, function = getattr(rule, "formula", None), getattr(rule, "function", rule)
    if isinstance(known, Formula):
        return known
    ours = isinstance(function, FunctionType) and (function.__module__ or "").startswith("adamas.")
    return _of_ours(function) if ours else parse(function, RESERVED)


@cache
def _of_ours(function: FunctionType) -> Formula:
    """The formula of a rule of adamas: to parse it takes 14 ms, and its text stays."""
    return parse(function, RESERVED)
