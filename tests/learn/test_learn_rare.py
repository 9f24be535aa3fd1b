"""What the chapter on rare features says is so."""

from math import sqrt

import numpy as np

from adamas.learn.chapters import rare
from adamas.learn.trace import follow
from adamas.rules import adam, sgd
from v8 import run


def test_ways() -> None:
    """Plain descent goes as far as a feature is frequent, Adam about as far as the root of that."""
    often, seldom = rare.ways(sgd, 100)
    np.testing.assert_allclose(seldom / often, 1 / 100, rtol=1e-12)
    for every in (25, 50, 100):
        often, seldom = rare.ways(adam, every, steps=20_000)
        np.testing.assert_allclose(seldom / often, 1 / sqrt(every), rtol=0.05)


def test_figure_shows_the_same() -> None:
    """The figure's sentence has the share that the text has."""
    often, seldom = rare.ways(adam, rare.EVERY)
    share = run(f"shown({100 * seldom / often!r}, 3)")
    assert share in run("PLAYS.rare.show(startValues(PLAYS.rare), 640).sentence")


def test_walk_after_the_last_gradient() -> None:
    """Adam walks on without gradients, lazily updated rows rest, exact rows do as dense ones."""
    lone = follow(adam, [(1.0,)] + [(0.0,)] * 200, (0.0,), lr=rare.LR)
    dense = (lone.points[1][0] - lone.last[0]) / rare.LR
    assert dense > 1, "longer than the step itself"
    left = [(point[0] - lone.last[0]) / (lone.points[1][0] - lone.last[0]) for point in lone.points]
    assert left[12] > 0.2 and left[61] < 0.01, "it takes dozens of steps to come to rest"
    assert rare.after_one("lazy", 200) == 0
    np.testing.assert_allclose(rare.after_one("exact", 200), dense, rtol=1e-9)
    # The same way as a sum: m is (1 - b1) b1^k, v (1 - b2) b2^k, each divided by its correction.
    b1, b2, k = 0.9, 0.999, np.arange(1, 201)
    m, v = (1 - b1) * b1**k / (1 - b1 ** (k + 1)), (1 - b2) * b2**k / (1 - b2 ** (k + 1))
    np.testing.assert_allclose(dense, np.sum(m / np.sqrt(v)), rtol=1e-6)
