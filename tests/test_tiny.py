"""The whole machine in seconds: a rule becomes a kernel, steps, is saved, and goes on."""

from typing import Any

import numpy as np

import adamas
from adamas.codecs import FLOAT32
from adamas.kernel.formula import parse
from adamas.kernel.processors import here
from adamas.kernel.reference import Reference
from adamas.kernel.weave import Layout, weave
from adamas.schedule import cosine
from adamas.words import sqrt


def tiny(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
    """Adam, Kingma & Ba 2015, Algorithm 1, written out here by a user."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return p - lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps), m, v


GRADIENTS = np.random.default_rng(0).normal(size=(6, 2, 3)).astype(np.float32)


def test_a_rule_is_read() -> None:
    """A plain function says by its signature alone what is state and what is a hyper-parameter."""
    formula = parse(tiny)
    assert formula.states == ("m", "v")
    assert formula.hypers == {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}


def test_a_rule_becomes_a_kernel() -> None:
    """The generated source is Python that loads, computes and stores each array once."""
    source = weave(parse(tiny), Layout(FLOAT32, FLOAT32, (FLOAT32, FLOAT32)), "0", here()).source
    compile(source, "<tiny>", "exec")
    for array in ("p", "m", "v"):
        assert source.count(f"_m.store_float32(_{array}_at") == 1


def test_the_first_step_is_the_paper_s() -> None:
    """Adam's first step is lr against the sign of the gradient, whatever its size."""
    w = np.zeros(4, np.float32)
    assert adamas.Optimizer(tiny, w, lr=0.25).step(np.array([3, -4, 1e-3, -1e4], np.float32))
    np.testing.assert_allclose(w, [-0.25, 0.25, -0.25, 0.25], rtol=2e-5)


def test_a_kernel_follows_its_formula() -> None:
    """Float32 steps stay with the float64 run of the same text."""
    w = np.ones((2, 3), np.float32)
    optimizer, reference = adamas.Optimizer(tiny, w, lr=0.1), Reference(parse(tiny), w, lr=0.1)
    for g in GRADIENTS:
        optimizer.step(g)
        reference.step(g)
    np.testing.assert_allclose(w, reference.p, rtol=1e-6)
    np.testing.assert_allclose(optimizer.state[0]["v"], reference.state["v"], rtol=1e-6)


def test_a_saved_run_goes_on() -> None:
    """Saved after three steps and loaded into a new optimizer, a run ends with the same bits."""
    whole, parts = np.ones((2, 3), np.float32), np.ones((2, 3), np.float32)
    settings: dict[str, Any] = {"lr": cosine(0.1, steps=6), "clip_norm": 1.0, "ema": 0.9}
    optimizer = adamas.Optimizer(tiny, whole, **settings)
    for g in GRADIENTS:
        optimizer.step(g)
    before = adamas.Optimizer(tiny, parts, **settings)
    for g in GRADIENTS[:3]:
        before.step(g)
    after = adamas.Optimizer(tiny, parts, **settings)
    after.load_state_dict(before.state_dict())
    for g in GRADIENTS[3:]:
        after.step(g)
    assert after.steps == 6
    assert np.array_equal(whole, parts)
    assert np.array_equal(optimizer.state[0]["average"], after.state[0]["average"])
