"""One step of one variable: a formula in the words of the backend that Keras uses."""

import math
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import keras
import numpy as np

from adamas.kernel.bound import Bound
from adamas.kernel.formula import Formula

BACKENDS = ("tensorflow", "jax", "torch")


def _native() -> Any:
    """The module of the backend; no other backend is imported. Raises ImportError for others."""
    name = keras.config.backend()
    if name not in BACKENDS:
        raise ImportError(f"adamas.keras runs on {', '.join(BACKENDS)}; Keras runs on {name}.")
    return import_module(f"adamas.keras.on_{name}")


native = _native()


def _narrow(value: Any, like: Any) -> Any:
    return native.array(value, keras.backend.standardize_dtype(like.dtype))


class Step:
    """`step(p, g, state, numbers)` on arrays; returns the new parameter and the new state.

    What depends on numbers alone is computed in float64, arrays in the dtype of `p`. `shape` are
    the dimensions that a state has for a parameter of some shape.
    """

    def __init__(self, formula: Formula) -> None:
        self.formula, bound = formula, Bound(formula)
        self._kept, self._scalars = bound.kept, tuple(formula.scalars)
        self._following, self._makes = bound.following, bound.makes
        self._reduces, self.asks_first = bound.reduces, bound.asks_first
        self._once = bound.once(native.ONCE, np.float64)
        self._body = bound.body(native.BODY, _narrow)

    def shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """The shape of every state of a parameter of `shape`."""
        of = self.formula
        rows, columns = (*shape[:1], *(1 for _ in shape[1:])), (1, *shape[1:])[: len(shape)]
        names = [(of.states, shape), (of.rows, rows), (of.columns, columns), (of.scalars, ())]
        return {name: size for group, size in names for name in group}

    def __call__(
        self, p: Any, g: Any, state: Mapping[str, Any], numbers: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """`state` are variables or arrays, `numbers` those of float64; call it within `scope`."""
        compute = keras.backend.standardize_dtype(p.dtype)
        coarse = "float64" if self._reduces else compute
        shape = tuple(p.shape)
        sizes = {"rows": shape[0] if shape else 1, "columns": math.prod(shape[1:])}
        scalars = {name: native.wide(state[name]) for name in self._scalars}
        given = {name: np.float64(size) for name, size in sizes.items()}
        constants, following = self._once(**{**given, **numbers, **scalars})
        elements = set(self.formula.states)
        kept = [native.array(state[s], compute if s in elements else coarse) for s in self._kept]
        made = self._body(p, g, *kept, *(native.array(c, coarse, p) for c in constants))
        new = dict(zip(self._following, following, strict=True))
        new |= dict(zip((*self._kept, *self._makes), made[1:], strict=True))
        return made[0], new
