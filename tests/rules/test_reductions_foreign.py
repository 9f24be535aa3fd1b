"""Rules with reductions, written by a user, go where optax, torch, timm and pytorch_optimizer go.

More than two dimensions are the first against the rest here. torch's Adafactor factors the last two
and optax's the longest two, so four dimensions are compared with theirs on the matrix of (8, 36).
"""

import numpy as np
import pytest

from foreign import distance
from reduction_foreign import CASES, SHAPES, Case, by_reference, gradients, start
from reduction_steps import by_kernel

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


# In float32 each of fifty steps rounds the parameter by at most half a last digit; 9.3e-7 was
# measured. In float64 1.9e-15 was.
NEAR = {"float64": 1e-14, "float32": 50 * 2.0**-24}


@every_case
@every_shape
@pytest.mark.parametrize("dtype", NEAR)
def test_a_rule_goes_where_they_go(case: Case, shape: tuple[int, ...], dtype: str) -> None:
    """Compiled and as the reference, fifty steps differ from theirs by roundings alone."""
    p, grads = start(shape, dtype), gradients(shape, dtype)
    for hypers in case.sets if dtype == "float64" else case.sets[1:]:
        theirs = case.foreign(p, grads, hypers)
        mine = by_kernel(case.rule, p, grads, **hypers)
        assert mine[0]["p"].dtype == theirs[0]["p"].dtype == dtype
        assert max(distance(mine, theirs).values()) < NEAR[dtype]
        if dtype == "float64":
            run = by_reference(case.rule, p, grads, hypers)
            assert max(distance(run, theirs).values()) < NEAR[dtype]


@pytest.mark.parametrize("name", ["lamb-optax", "lamb-timm"])
@pytest.mark.parametrize(("size", "slope"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_the_ratio_of_lamb_is_one_at_a_zero(name: str, size: float, slope: float) -> None:
    """Where parameters or updates are all zero LAMB steps without its ratio, as theirs do."""
    case = CASES[name]
    p, grads = np.full((5, 4), size), [np.full((5, 4), slope)] * 3
    theirs = case.foreign(p, grads, case.sets[0])
    mine = by_reference(case.rule, p, grads, case.sets[0])
    assert max(distance(mine, theirs).values()) < 1e-14
