"""Rules with reductions, written by a user, go where optax, torch, timm and pytorch_optimizer go.

More than two dimensions are the first against the rest here. torch's Adafactor factors the last two
and optax's the longest two, so four dimensions are compared with theirs on the matrix of (8, 36).
"""

import numpy as np
import pytest

from foreign import distance
from reduction_foreign import CASES, SHAPES, Case, by_reference, gradients, start

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


@every_case
@every_shape
def test_the_reference_goes_where_they_go(case: Case, shape: tuple[int, ...]) -> None:
    """Fifty steps in float64 differ by roundings alone, in parameter and states."""
    p, grads = start(shape, "float64"), gradients(shape, "float64")
    for hypers in case.sets:
        theirs = case.foreign(p, grads, hypers)
        mine = by_reference(case.rule, p, grads, hypers)
        # The largest that was measured is 1.8e-15.
        assert max(distance(mine, theirs).values()) < 1e-14


@pytest.mark.parametrize("name", ["lamb-optax", "lamb-timm"])
@pytest.mark.parametrize(("size", "slope"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_the_ratio_of_lamb_is_one_at_a_zero(name: str, size: float, slope: float) -> None:
    """Where parameters or updates are all zero LAMB steps without its ratio, as theirs do."""
    case = CASES[name]
    p, grads = np.full((5, 4), size), [np.full((5, 4), slope)] * 3
    theirs = case.foreign(p, grads, case.sets[0])
    mine = by_reference(case.rule, p, grads, case.sets[0])
    assert max(distance(mine, theirs).values()) < 1e-14
