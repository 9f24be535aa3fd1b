"""One class per rule, with a signature that editors and `help()` show.

`classes.pyi` beside this file is written from the same signatures by `tools/write_stubs.py`.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from adamas.engine.options import formula_of
from adamas.homes.signature import Signature
from adamas.homes.torch import HOW, SIGNATURES, of_rule
from adamas.kernel.formula import Formula
from adamas.kernel.scopes import SECOND
from adamas.torch.base import Optimizer
from adamas.torch.modes import Averaging
from adamas.torch.options import OPTIONS
from adamas.torch.routed import Routed

# Where the rules of the family for matrices stand; to read each formula would take a second.
MATRICES = "adamas.rules.matrices"

_MORE = """
Takes what the class of this name in torch.optim takes, and the options of
`adamas.torch.Optimizer`. Parameters and gradients are tensors of any shape and strides.
Raises TypeError, ValueError or RuntimeError that names the argument, as torch does.
"""

_ROUTED = """
Takes the module, whose hidden layers it steps; named parameters with `routes`; or groups. `adamw`
are the settings of AdamW, which steps all else. Of torch.optim's class of this name it has the
arguments that its signature shows. Further options are those of `adamas.torch.Optimizer`.
Raises TypeError, ValueError or RuntimeError that names the argument, and warns of what looks wrong.
"""


def constructor(signature: Signature, routed: bool = False) -> inspect.Signature:
    """The constructor as torch writes it, then adamas's options; `routed` if rules are routed."""
    kind = inspect.Parameter
    shown = [kind("self", kind.POSITIONAL_OR_KEYWORD), kind("params", kind.POSITIONAL_OR_KEYWORD)]
    placed = [k for k in signature.defaults if k not in HOW | dict.fromkeys(signature.fixed)]
    for where, names in ((kind.POSITIONAL_OR_KEYWORD, placed), (kind.KEYWORD_ONLY, list(HOW))):
        shown += [kind(name, where, default=signature.defaults[name]) for name in names]
    more = {**OPTIONS, **({"adamw": None} if routed else {})}
    shown += [kind(name, kind.KEYWORD_ONLY, default=value) for name, value in more.items()]
    return inspect.Signature(shown)


def _base(signature: Signature, strict: bool) -> type[Optimizer]:
    """The class that does what a rule needs beside its steps."""
    if signature.average:
        return Averaging
    rule = signature.choose(signature.defaults)
    text = getattr(rule, "__module__", "") == MATRICES
    if not (text if strict else formula_of(rule).orthogonalizes):
        return Optimizer
    return Routed if strict else Taking


class Taking(Routed):
    """A rule of one's own for matrices: a list of parameters is taken as it is."""

    _strict = False


def make(signature: Signature, module: str, *, strict: bool = True) -> type[Optimizer]:
    """The class of a signature; `strict` for one of the family."""
    base = _base(signature, strict)

    def __init__(self: Optimizer, params: Any, *args: Any, **given: Any) -> None:  # noqa: N807
        base.__init__(self, params, *args, **given)

    __init__.__signature__ = constructor(signature, issubclass(base, Routed))  # type: ignore[attr-defined]
    body = {
        "__init__": __init__,
        "__doc__": inspect.cleandoc(signature.doc)
        + "\n"
        + (_ROUTED if issubclass(base, Routed) else _MORE),
        "__module__": module,
        "signature": signature,
    }
    return type(signature.name, (base,), body)


@functools.cache
def optimizer(rule: Callable[..., Any] | Formula) -> type[Optimizer]:
    """A class of torch optimizers that step by `rule`, a formula or what `adamas.rule` made of one.

    Its constructor takes `params` and the rule's hyper-parameters (`betas` for `beta1, beta2`).
    Raises `adamas.FormulaError` for a rule that cannot be compiled, TypeError for one that reads a
    second array.
    """
    name = rule.name if isinstance(rule, Formula) else getattr(rule, "__name__", "rule")
    signature = of_rule(rule, name, rule.__doc__ or "")
    if SECOND in formula_of(rule).given:
        raise TypeError(
            f"{signature.name} reads a second array beside the gradient, which a step of "
            "torch.optim has no place for; use adamas.Optimizer, or put what it needs into p.grad."
        )
    made = make(signature, "adamas.torch", strict=False)
    # By its rule, which can be imported, where the class cannot.
    made.__reduce__ = lambda self: (_empty, (rule,), self.__getstate__())  # type: ignore[method-assign]
    return made


def _empty(rule: Callable[..., Any] | Formula) -> Optimizer:
    made = optimizer(rule)
    return made.__new__(made)


globals().update({name: make(signature, "adamas.torch") for name, signature in SIGNATURES.items()})

__all__ = [*SIGNATURES, "optimizer"]
