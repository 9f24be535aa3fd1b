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


def assert_means_its_text(f: Callable[..., Any], tolerance: float = 1e-14) -> None:
    """Step a few times in float64; the function sees one Python float at a time."""
    formula = parse(f)
    reference = Reference(formula, START)
    alone = [dict(formula.initial, p=float(x)) for x in START]
    timed = "t" in inspect.signature(f).parameters
    for t, g in enumerate(GRADIENTS, 1):
        reference.step(g)
        for k, names in enumerate(alone):
            states = [names[s] for s in formula.initial]
            out = f(names["p"], float(g[k]), *states, **({"t": t} if timed else {}))
            values = [float(x) for x in out] if isinstance(out, tuple) else [float(out)]
            alone[k] = dict(zip(["p", *formula.initial], values, strict=True))
    for name in ("p", *formula.initial):
        expected = reference.p if name == "p" else reference.state[name]
        plain = np.array([float(names[name]) for names in alone])
        found = np.broadcast_to(expected, plain.shape)
        np.testing.assert_allclose(found, plain, rtol=tolerance, err_msg=name)


def assert_kernel_agrees(f: Callable[..., Any], tolerance: float = 1e-14) -> None:
    """The kernel, which takes a second to compile, steps like the reference."""
    formula = parse(f)
    p = START.copy()
    reference, optimizer = Reference(formula, p), Optimizer(formula, p)
    for g in GRADIENTS:
        optimizer.step(g)
        reference.step(g)
    found = {"p": p, **optimizer.state[0]}
    for name, expected in {"p": reference.p, **reference.state}.items():
        np.testing.assert_allclose(found[name], expected, rtol=tolerance, err_msg=name)
