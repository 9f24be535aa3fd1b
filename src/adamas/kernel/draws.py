"""The random numbers of a formula: which they are, for a kernel and for the float64 reference.

The k-th draw of a formula is a name that no statement assigns, one number for each element. It is a
hash of the step's key, k and the element's place in its tensor, so that it is the same for any
number of threads, in any pass, and after a restart.
"""

import ast
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

PREFIX = "_draw_"
# Rounding counts its arrays from 0, and the key of a step is made with 0 and 1.
DRAWS, ELEMENTS = 1000, 1001
GOLDEN, PURPOSE, LOWEST = 0x9E3779B1, 668265263, 0xFFFFFFFF
UNIT = 2.0**-24
"""Draws are multiples of it, which float32 and float64 both hold exactly."""


def drawn(names: Iterable[str]) -> list[str]:
    """Those of the names that are draws, in order."""
    return sorted(name for name in names if name.startswith(PREFIX))


def draws_in(statements: Iterable[ast.Assign]) -> list[str]:
    """The draws that statements read."""
    nodes = (node for statement in statements for node in ast.walk(statement.value))
    return drawn({node.id for node in nodes if isinstance(node, ast.Name)})


def mix(key: Any, number: Any, purpose: int) -> NDArray[np.uint64]:
    """`mix` of `adamas.kernel.runtime.integers` on arrays of uint64 that hold 32 bits."""
    number = np.asarray(number, np.uint64)
    x = ((np.uint64(key) ^ number * np.uint64(GOLDEN)) + np.uint64(purpose * PURPOSE)) & LOWEST
    x = (x ^ x >> 16) * np.uint64(0x7FEB352D) & LOWEST
    x = (x ^ x >> 15) * np.uint64(0x846CA68B) & LOWEST
    return np.asarray(x ^ x >> 16, np.uint64)


def numbers(seed: int, own: int, step: int, name: str, size: int) -> NDArray[np.float64]:
    """What a draw is for each of the elements of tensor `own` at a step, counted from 1."""
    with np.errstate(over="ignore"):
        key = mix(mix(seed & LOWEST, own & LOWEST, 0), step, 1)
        key = mix(key, int(name.removeprefix(PREFIX)), DRAWS)
        found = mix(key, np.arange(size, dtype=np.uint64), ELEMENTS) >> np.uint64(8)
    return np.asarray(found, np.float64) * UNIT
