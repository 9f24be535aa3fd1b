"""A rule run three ways: by its kernel, by the reference, and as the Python function it is."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from adamas.engine.optimizer import Optimizer
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference

START = np.array([0.5, -2.0, 1.0])
GRADIENTS = np.array([[0.3, -0.2, 0.0], [1.0, 0.5, -0.5], [0.0, 2.0, 1.0], [-0.7, 0.1, 0.2]])


def assert_all_agree(f: Callable[..., Any], tolerance: float = 1e-14) -> None:
    """Step a few times in float64; the function sees one Python float at a time."""
    formula = parse(f)
    p = START.copy()
    reference = Reference(formula, p)
    optimizer = Optimizer(formula, p)
    alone = [dict(formula.initial, p=float(x)) for x in p]
    for t, g in enumerate(GRADIENTS, 1):
        optimizer.step(g)
        reference.step(g)
        for k, names in enumerate(alone):
            timed = {"t": t} if "t" in inspect.signature(f).parameters else {}
            states = [names[s] for s in formula.initial]
            out = f(names["p"], float(g[k]), *states, **timed)
            values = [float(x) for x in out] if isinstance(out, tuple) else [float(out)]
            alone[k] = dict(zip(["p", *formula.initial], values, strict=True))
    found = {"p": p, **optimizer.state[0]}
    expected = {"p": reference.p, **reference.state}
    for name in ("p", *formula.initial):
        np.testing.assert_allclose(found[name], expected[name], rtol=tolerance, err_msg=name)
        plain = np.array([float(names[name]) for names in alone])
        np.testing.assert_allclose(found[name] + 0 * plain, plain, rtol=tolerance, err_msg=name)
