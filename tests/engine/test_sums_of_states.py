"""Sums over what rows, columns and tensors keep, as the float64 reference has them."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.words import mean, norm, total
from long_form import sampled

SHAPES = [(300, 60), (257,), (5, 3, 4)]


def old_rows(p, g, r, *, lr=0.1):  # type: ignore[no-untyped-def]
    """What rows kept before this step is summed first, with nothing else to wait for."""
    factor = mean(r) + total(r, over="all")
    r = 0.9 * r + 0.1 * mean(g * g, over="row")
    return p - lr * g * (1 + factor), r


def old_columns(p, g, c, *, lr=0.1):  # type: ignore[no-untyped-def]
    """The same of columns; a vector has one of them, which is its own norm."""
    factor = norm(c) + total(c, over="all")
    c = 0.9 * c + 0.1 * mean(g * g, over="column")
    return p - lr * g * (1 + factor + mean(c)), c


def old_tensors(p, g, s, *, lr=0.1):  # type: ignore[no-untyped-def]
    """The same of a tensor's own number."""
    factor = total(s, over="all")
    s = 0.9 * s + 0.1 * norm(g)
    return p - lr * g * (1 + factor), s


@pytest.mark.parametrize(
    ("rule", "shape"), sampled(itertools.product([old_rows, old_columns, old_tensors], SHAPES))
)
def test_sums_of_what_was_kept(rule: Callable[..., Any], shape: tuple[int, ...]) -> None:
    """A sum over the state of the step before is that of the reference, for every shape."""
    rng = np.random.default_rng(3)
    p = rng.standard_normal(shape)
    reference = Reference(parse(rule), p)
    opt = adamas.Optimizer(rule, {"p": p})
    for _ in range(3):
        g = rng.standard_normal(shape)
        reference.step(g)
        opt.step({"p": g})
    np.testing.assert_allclose(p, reference.p, rtol=1e-12, atol=1e-12)
