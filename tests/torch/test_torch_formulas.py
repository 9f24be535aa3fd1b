"""A formula on whole tensors means what its float64 run means, however it was typed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.torch.formulas import TensorFormula
from written import function

TYPED = """
LIMIT = 0.5
def slow(x):
    return tanh(x) / 2
def f(p, g, m, v, *, t, lr=0.1, k=2.0):
    if t == 1:
        m = g
    elif t % k == 0:
        m, v = v + g, atan2(m, 1.0)
    else:
        m = clip(m, -LIMIT, lr) + slow(g)
    v = v + cos(t) * sin(g) + (0 < g < 1 and m > 0) * 1.0 + t // 3
    return p - lr * m, m, v
"""


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_what_is_typed_means_the_same_on_tensors(tmp_path: Path, dtype: torch.dtype) -> None:
    """Branches, tuples, remainders, new words and functions give the reference's numbers."""
    formula = parse(function(tmp_path, TYPED))
    tensors, rng = TensorFormula(formula), np.random.default_rng(0)
    start = rng.normal(size=9)
    reference = Reference(formula, start)
    p, m, v = torch.tensor(start, dtype=dtype), *torch.zeros(2, 9, dtype=dtype)
    for t in range(1, 6):
        g = rng.normal(size=9)
        reference.step(g)
        constants, _ = tensors.constants(t, formula.hypers, {})
        numbers = [torch.tensor(x, dtype=dtype) for x in constants]
        p, m, v = tensors.body(p, torch.tensor(g, dtype=dtype), m, v, *numbers)
        tolerance = 8 * t * torch.finfo(dtype).eps
        for found, expected in ((p, reference.p), (m, reference.state["m"])):
            np.testing.assert_allclose(found.numpy(), expected, tolerance, tolerance)
