"""What every optimizer takes besides its hyper-parameters, for editors and type checkers."""

from typing import Any, Literal, TypedDict

from adamas.engine.storage import Spec
from adamas.kernel.formula import Formula, parse

OnNonFinite = Literal["guard", "raise", "skip", "allow"]
"""What a step does about NaN or infinity in a gradient."""


class Options(TypedDict, total=False):
    """What every optimizer takes besides its hyper-parameters; see `Optimizer`."""

    state: Spec
    master: Literal[8, 16] | None
    seed: int
    clip_norm: float | None
    on_nonfinite: OnNonFinite
    track_norm: bool
    ema: float | None
    zero_grads: bool
    maximize: bool
    rows: Literal["lazy", "exact"]
    threads: int | None


OPTIONS = frozenset(Options.__annotations__)
MEMBERS = "make a new optimizer to add or remove parameters; this list is only shown."
LOOK = (
    "an optimizer's state is set by load_state_dict(), or by writing into an array that is in it: "
    "optimizer.state[name]['m'][...] = 0; this dict is only shown."
)
CHOICES: dict[str, tuple[Any, ...]] = {
    "on_nonfinite": ("guard", "raise", "skip", "allow"),
    "track_norm": (True, False),
    "rows": ("lazy", "exact"),
    "zero_grads": (True, False),
    "maximize": (True, False),
}
# What may be set on an optimizer; the rest is in its groups, or decided when it is made.
SETTABLE = ("grad_norm", "skipped")


def formula_of(rule: Any) -> Formula:
    """The formula of a rule in whatever form it is given."""
    if isinstance(rule, Formula):
        return rule
    known = getattr(rule, "formula", None)
    return known if isinstance(known, Formula) else parse(getattr(rule, "function", rule))


class Settable:
    """An optimizer on which nothing can be set that it would not look at."""

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
