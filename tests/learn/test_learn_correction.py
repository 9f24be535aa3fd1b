"""What the chapter on bias correction says is so."""

from math import sqrt

import numpy as np

from adamas.learn.chapters import correction
from adamas.learn.trace import follow
from adamas.rules import adam
from v8 import run

T = np.arange(1, 1001)
# Of a gradient that is always 1 the averages have the sum of the shares: 1 - beta^t.
M, ROOT = 1 - 0.9**T, np.sqrt(1 - 0.999**T)


def test_averages() -> None:
    """Both averages of a gradient of 1 are the sum of the shares that it has in them."""
    found = np.array(correction.averages(1000))
    np.testing.assert_allclose(found, np.stack([M, ROOT], axis=1), rtol=1e-9)


def test_lengths() -> None:
    """Without correction steps are too long from the first one on, for hundreds of steps."""
    found = correction.lengths(1000)
    assert abs(found[0] - 0.1 / sqrt(0.001)) < 1e-12
    np.testing.assert_allclose(found, M / ROOT, rtol=1e-9)
    assert min(found[:100]) > 3 > 2 > found[299] and min(found[:500]) > 1.5 and min(found) > 1
    assert found.index(max(found)) == np.argmax(M / ROOT)


def test_corrected() -> None:
    """With the correction every step is lr long."""
    points = np.array(follow(adam, [(1.0,)] * 1000, (0.0,), lr=1.0).points)
    np.testing.assert_allclose(-np.diff(points[:, 0]), 1, rtol=1e-7)


def test_figure() -> None:
    """The figure says the same of the first and of the tenth step."""
    said = run("PLAYS.correction.show(startValues(PLAYS.correction), 640).sentence")
    found = correction.lengths(10)
    assert f"{found[0]:.3g} lr" in said and f"step 10: {found[-1]:.3g} lr" in said
