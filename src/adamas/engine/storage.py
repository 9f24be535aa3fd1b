"""In how many bits each tensor's state is kept: the user's word, and what it spares.

Few bits save memory where there is much of it. Small tensors have none to save, and norms, biases
and embeddings are known to be sensitive, so a plain "int8" or "int4" leaves them in more bits; a
function of one's own decides otherwise.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from adamas.codecs import BFLOAT16_RANDOM, CODECS, FORMATS, SPLIT8, SPLIT16, Codec, stored
from adamas.engine.tensors import Array, Key, Tensor
from adamas.kernel.formula import Formula
from adamas.kernel.kinds import kinds

Choice: TypeAlias = str | Mapping[str, str]
Spec: TypeAlias = Choice | Callable[[Key, Array], Choice]

SMALL = 4096
SENSITIVE = r"embed|\bemb\b|wte|wpe|norm|\bln|bias"


def careful(
    state: str, *, small: int = SMALL, sensitive: str = SENSITIVE, instead: str | None = None
) -> Callable[[Key, Array], str]:
    """A rule for `state=`: the format `state` for tensors that can bear it.

    Tensors below `small` elements stay in float32. Those whose name the regular expression
    `sensitive` finds are kept as `instead`; by default that is int8 where `state` is int4, and
    `state` itself otherwise. Raises ValueError for a format that does not exist.

    >>> import numpy as np
    >>> rule = careful("int4")
    >>> rule("layer.weight", np.zeros((64, 64))), rule("token_embedding", np.zeros((1000, 64)))
    ('int4', 'int8')
    >>> rule("layer.bias", np.zeros(64))
    'float32'
    """
    other = instead or ("int8" if state == "int4" else state)
    for name in (state, other):
        stored(name, "mean")
    pattern = re.compile(sensitive, re.IGNORECASE)

    def choose(key: Key, array: Array) -> str:
        if array.size < small:
            return "float32"
        return other if pattern.search(str(key)) else state

    return choose


def choosing(state: Spec) -> Callable[[Key, Array], Choice] | None:
    """The function that `state=` is or stands for, as a plain "int8" or "int4" does; or None."""
    if isinstance(state, str):
        return careful(state) if state in ("int8", "int4") else None
    return state if callable(state) else None


class Storage:
    """Finds the codecs of one optimizer's tensors.

    `master` is the number of correction bits beside bfloat16 parameters, or None. Raises TypeError
    or ValueError naming a format or a state that does not exist.
    """

    def __init__(self, formula: Formula, state: Spec, master: int | None) -> None:
        if not (isinstance(state, str | Mapping) or callable(state)):
            raise TypeError(
                f"state={state!r} must be a format, such as 'float32', a dict, or a function."
            )
        if master not in (None, 8, 16):
            raise ValueError(f"master={master!r} must be 8 or 16 bits, or None.")
        self._formula, self._given, self._kinds = formula, state, kinds(formula)
        if not callable(state):
            self._check(state, f"state={state!r}")
        self._choose = choosing(state)
        self._master = {None: BFLOAT16_RANDOM, 8: SPLIT8, 16: SPLIT16}[master]

    def formats(self, tensor: Tensor) -> dict[str, str]:
        """The format of each state of a tensor."""
        chosen: Any = self._given
        if self._choose is not None:
            chosen = self._choose(tensor.key, tensor.given)
            self._check(chosen, f"state= chose {chosen!r} for {tensor.key!r}")
        # float64 parameters keep float64 state where nothing smaller was asked for.
        wide = "float64" if tensor.form == "float64" else "float32"
        found = {}
        for name, kind in self._kinds.items():
            if isinstance(chosen, str):
                codec = stored(chosen, kind.name)
                found[name] = wide if codec is CODECS["float32"] else chosen
            else:
                found[name] = chosen.get(name, wide)
        if not isinstance(chosen, str):
            self._check_fewer(tensor, chosen, "float64" if "float64" in found.values() else wide)
        return found

    def _check_fewer(self, tensor: Tensor, chosen: Mapping[str, str], kept: str) -> None:
        """Refuse another dtype than `kept` for what rows and columns have one of."""
        for each in ("row", "column"):
            for name in getattr(self._formula, f"{each}s"):
                if chosen.get(name, kept) != kept:
                    raise ValueError(
                        f"state= of {tensor.key!r}: {name!r} is kept once a {each}, in the dtype "
                        f"of the arithmetic, here {kept}; leave it out."
                    )

    def codecs(self, tensor: Tensor, formats: Mapping[str, str]) -> dict[str, Codec]:
        """The codecs of a tensor: of `p`, and of each state by its format."""
        own = self._master if tensor.form == "bfloat16" else CODECS[tensor.form]
        # A state that few bits spoil is kept in them only where it is asked for by name.
        return {"p": own} | {
            name: stored(form, self._kinds[name].sign) for name, form in formats.items()
        }

    def _check(self, chosen: Choice, what: str) -> None:
        if not isinstance(chosen, str | Mapping):
            raise TypeError(f"{what}, which is neither a format nor a dict of formats.")
        formula = self._formula
        named: Mapping[str, str] = {} if isinstance(chosen, str) else chosen
        kept = {"row": formula.rows, "column": formula.columns, "tensor": formula.numbers}
        fewer = {name: each for each, names in kept.items() for name in names}
        if unknown := set(named) - {*formula.states, *fewer}:
            raise ValueError(
                f"{what}: {formula.name} has no state {min(unknown)!r}; "
                f"it has {', '.join((*formula.states, *fewer)) or 'none'}."
            )
        for name in fewer.keys() & set(named):
            if not named[name].startswith("float"):
                raise ValueError(
                    f"{what}: {name!r} is kept once a {fewer[name]}, which takes next to nothing, "
                    "and in full; leave it out."
                )
        for name in [chosen] if isinstance(chosen, str) else chosen.values():
            if name not in FORMATS:
                raise ValueError(f"{what}: adamas stores {', '.join(FORMATS)}.")


__all__ = ["Choice", "Spec", "Storage", "careful", "choosing"]
