"""Sums are made in the pass where they cost least, and never after they are needed."""
# mypy: allow-untyped-defs, allow-untyped-calls

import itertools
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.kernel.stages import stages
from adamas.words import maximum, mean, norm, rms, sqrt
from long_form import sampled


def waits(p, g, r, *, lr=0.1, beta=0.9):
    """The norm of p is asked for last, so that the second pass can make it."""
    r = beta * r + (1 - beta) * mean(g * g, over="row")
    u = g / sqrt(r + 1e-6)
    size = norm(p)
    return p - lr * maximum(size, 1e-3) / maximum(norm(u), 1e-3) * u, r


def asked(p, g, *, lr=0.1):
    """The second pass itself asks for the norm of p."""
    u = g + p / maximum(norm(p), 1e-3)
    v = u / maximum(rms(u), 1e-3)
    return p - lr * v / maximum(norm(v), 1e-3)


def through(p, g, s, *, lr=0.1):
    """A number of the tensor that is made of the norm of p is asked for by the second pass."""
    s = 0.9 * s + rms(p)
    u = g * s + g / maximum(norm(g), 1e-3)
    return p - lr * u / maximum(norm(u), 1e-3), s


def twice(p, g, *, lr=0.1):
    """The same sum is asked for early and late."""
    u = g * norm(p)
    return p - lr * u / maximum(norm(u), 1e-3) * rms(p)


@pytest.mark.parametrize(("rule", "level"), [(waits, 2), (asked, 1), (through, 1), (twice, 1)])
def test_a_sum_over_p_is_made_as_late_as_it_may(rule: Any, level: int) -> None:
    """It joins the last pass before it is asked for, and no later one."""
    made = [one for one in stages(parse(rule)).sums if one.argument == "p"]
    assert [one.level for one in made] == [level]


@pytest.mark.parametrize(
    ("rule", "shape"),
    sampled(itertools.product([waits, asked, through, twice], [(20, 30), (700, 600), (50,)])),
)
def test_the_order_of_passes_changes_no_number(rule: Any, shape: tuple[int, ...]) -> None:
    """Whenever a sum is made, steps are those of the float64 run of the text."""
    rng = np.random.default_rng(0)
    p = rng.normal(size=shape)
    reference, optimizer = Reference(parse(rule), p), adamas.Optimizer(rule, p)
    for _ in range(3):
        g = rng.normal(size=shape)
        reference.step(g)
        optimizer.step(g)
    np.testing.assert_allclose(p, reference.p, rtol=1e-11, atol=1e-12)
