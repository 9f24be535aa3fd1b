"""One class per rule, with a signature that editors and `help()` show."""

import functools
import inspect
from typing import Any

import keras

from adamas.homes.keras import SIGNATURES, constructor, of_rule
from adamas.homes.signature import Signature
from adamas.keras.optimizer import Optimizer

_MORE = """
Takes what the class of this name in `keras.optimizers` takes, in Keras' order, and by name
`exclude_from_weight_decay` (patterns of names and paths of variables that do not decay), `state`,
`seed` (of random rounding) and `strict` (False leaves out a saved state that does not fit, as
Keras does). Raises TypeError or ValueError that names the argument.
"""


def make(signature: Signature, module: str) -> type[Optimizer]:
    """The class of a signature."""
    takes = constructor(signature)

    def __init__(self: Optimizer, *args: Any, **given: Any) -> None:  # noqa: N807
        # A saved configuration names what is fixed, too.
        plain = {k: v for k, v in given.items() if k not in signature.fixed}
        try:
            bound = takes.bind(self, *args, **plain).arguments
        except TypeError as error:
            names = ", ".join(list(takes.parameters)[1:])
            raise TypeError(f"{signature.name}: {error}. It takes: {names}.") from None
        del bound["self"]
        Optimizer.__init__(self, **bound)

    __init__.__signature__ = takes  # type: ignore[attr-defined]
    body = {
        "__init__": __init__,
        "__doc__": inspect.cleandoc(signature.doc) + "\n" + _MORE,
        "__module__": module,
        "signature": signature,
    }
    return type(signature.name, (Optimizer,), body)


@functools.lru_cache(maxsize=64)
def optimizer(rule: Any) -> type[Optimizer]:
    """A class of Keras optimizers that step by `rule`, a formula or what `adamas.rule` made of one.

    Its constructor takes the rule's hyper-parameters, `lr` as `learning_rate`, `beta1` as `beta_1`
    and so on, `eps` as `epsilon`; decay is what the rule says. A model that is saved with it is
    loaded where this has been called with the same rule. Raises `adamas.FormulaError` for a rule
    that cannot be compiled, ValueError or TypeError for one that Keras has no place for.
    """
    name = getattr(rule, "__name__", None) or getattr(rule, "name", "rule")
    made = make(of_rule(rule, name, rule.__doc__ or ""), "adamas.keras")
    return keras.saving.register_keras_serializable("adamas.rule", name)(made)  # type: ignore[no-any-return]


for _name, _signature in SIGNATURES.items():
    globals()[_name] = keras.saving.register_keras_serializable("adamas", _name)(
        make(_signature, "adamas.keras")
    )

__all__ = [*SIGNATURES, "optimizer"]
