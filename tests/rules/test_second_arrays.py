"""Rules that read an array beside the gradient are what the packages that have them do."""

from typing import Any

import numpy as np
import pytest

import adamas
from adamas.kernel.formula import parse
from foreign import distance
from plainly import plainly
from reduction_foreign import Array, gradients, start
from reduction_steps import values
from typed_seconds import CASES

SHAPE, STEPS = (12, 5), 20
every_case = pytest.mark.parametrize(("rule", "foreign", "hypers"), CASES)


def inputs() -> tuple[Array, list[Array], list[Array]]:
    """A parameter, gradients, and second arrays of both signs."""
    rng = np.random.default_rng(9)
    seconds = [np.array(rng.normal(size=SHAPE) + 0.5) for _ in range(STEPS)]
    return start(SHAPE, "float64"), gradients(SHAPE, "float64")[:STEPS], seconds


@every_case
def test_a_rule_with_a_second_array(rule: Any, foreign: Any, hypers: dict[str, float]) -> None:
    """Compiled, it gives what its text gives in Python, and what the package gives."""
    p, grads, seconds = inputs()
    q, mine = p.copy(), []
    optimizer = adamas.Optimizer(rule, q, **hypers)
    for g, h in zip(grads, seconds, strict=True):
        optimizer.step(g, h=h)
        mine.append({"p": q.copy(), **values(optimizer, 0, SHAPE)})
    plain = plainly(rule, parse(rule), p, grads, hypers, h=seconds)
    assert max(distance(mine, plain).values()) < 1e-13
    assert max(distance(mine, foreign(p, grads, seconds, hypers)).values()) < 1e-12
