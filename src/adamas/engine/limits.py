"""What kernels compute with, known beforehand: constants that a dtype cannot hold are refused.

A rule's constants are made once a step in float64 (see `kernel.hoist`), and a float32 kernel takes
them as float32: a finite learning rate of 1e39 would be infinite there.
"""

import ast
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import CodeType

import numpy as np

from adamas.kernel.first import VOCABULARY
from adamas.kernel.formula import Formula
from adamas.kernel.hoist import hoist

LARGEST = {name: float(np.finfo(name).max) for name in ("float32", "float64")}


def usual(numbers: Sequence[float]) -> bool:
    """Whether no product or quotient of a few such numbers leaves float32; saves 30 us a step."""
    return all(x == 0 or 1e-12 < abs(x) < 1e9 for x in numbers)


class Limits:
    """Checks the constants of one rule; `computes[k]` are the dtypes that group k computes in."""

    def __init__(self, formula: Formula, computes: Sequence[set[str]]) -> None:
        self._formula, self._computes = formula, computes
        self._prologue, self._constants = _compiled(formula)

    def check(self, group: int, hypers: Mapping[str, float], step: int) -> None:
        """Raise ValueError if a constant of that step overflows in a dtype of the group."""
        dtype = min(self._computes[group], default="float64")
        numbers = {**self._formula.initial, **hypers, "t": step, "rows": 1.0, "columns": 1.0}
        text, value = self._beyond(numbers, LARGEST[dtype])
        if text:
            given = ", ".join(f"{name}={x:g}" for name, x in hypers.items() if not usual([x]))
            raise ValueError(
                f"{self._formula.name}: with {given or 'these settings'}, {text} is {value:.3g}; "
                f"the parameters are stepped in {dtype}, whose largest number is "
                f"{LARGEST[dtype]:.2g}. Choose other numbers, or float64 parameters."
            )

    def _beyond(self, numbers: Mapping[str, float], limit: float) -> tuple[str, float]:
        names = {name: np.float64(value) for name, value in numbers.items()}
        # A division by zero may belong to a side of a choice that is not taken.
        with np.errstate(all="ignore", over="raise"):
            text = "a constant"
            try:
                exec(self._prologue, VOCABULARY.copy(), names)
                for text, code in self._constants.items():
                    value = float(eval(code, VOCABULARY.copy(), names))
                    if limit < abs(value) < np.inf:
                        return text, value
            except (FloatingPointError, OverflowError):
                return text, np.inf
            except ZeroDivisionError:
                pass
        return "", 0.0


@lru_cache
def _compiled(formula: Formula) -> tuple[CodeType, Mapping[str, CodeType]]:
    """The prologue of a rule, and its constants by their text."""
    parts = hoist(formula)
    body = [ast.fix_missing_locations(one) for one in parts.prologue]
    constants = {
        ast.unparse(one): compile(
            ast.fix_missing_locations(ast.Expression(one)), "<constant>", "eval"
        )
        for one in parts.constants.values()
    }
    return compile(ast.Module(list(body), []), "<prologue>", "exec"), constants
