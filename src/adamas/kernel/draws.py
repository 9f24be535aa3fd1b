"""The random numbers of a formula: which they are, for a kernel and for the float64 reference.

The k-th draw of a formula is a name that no statement assigns, one number for each element. It is a
hash of the step's key, k and the element's place in its tensor, so that it is the same for any
number of threads, in any pass, and after a restart.
"""

import ast
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from adamas.kernel.dither import mix, step_key, whole

PREFIX = "_draw_"
# Rounding counts its arrays from 0, and the key of a step is made with 0 and 1.
DRAWS, ELEMENTS = 1000, 1001
UNIT = 2.0**-24
"""Draws are multiples of it, which float32 and float64 both hold exactly."""


def drawn(names: Iterable[str]) -> list[str]:
    """Those of the names that are draws, in order."""
    return sorted(name for name in names if name.startswith(PREFIX))


def draws_in(statements: Iterable[ast.Assign]) -> list[str]:
    """The draws that statements read."""
    nodes = (node for statement in statements for node in ast.walk(statement.value))
    return drawn({node.id for node in nodes if isinstance(node, ast.Name)})


def numbers(seed: int, own: int, step: int, name: str, size: int) -> NDArray[np.float64]:
    """What a draw is for each of the elements of tensor `own` at a step, counted from 1."""
    key = step_key(seed, whole(own), whole(step))
    key = mix(key, whole(int(name.removeprefix(PREFIX))), DRAWS)
    found = mix(key, np.arange(size, dtype=np.int32), ELEMENTS)
    return np.asarray(found.view(np.uint32) >> 8, np.float64) * UNIT
