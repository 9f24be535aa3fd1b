"""What the chapter on memory and resuming says is so."""

import re
from math import sqrt

import numpy as np
import pytest

import adamas
from adamas.learn.chapters import cost
from adamas.learn.numbers import above
from adamas.learn.problems import PROBLEMS
from adamas.learn.trace import follow, trace
from adamas.rules import adam
from codec_levels import levels
from shown_numbers import read
from v8 import run


def test_bytes() -> None:
    """The bytes are those of two moments: 8, 4, and for codes a scale for each 128 numbers more."""
    each = cost.bytes_each()
    assert each["float32"] == 8 and each["bfloat16"] == 4
    assert 2 < each["int8"] < 2.05 and 1 < each["int4"] < 1.05


def test_a_new_optimizer_costs() -> None:
    """With its state a run goes on as before, and a new optimizer throws it back."""
    before, after = cost.dropped(cost.DROPPED)
    assert cost.kept(cost.DROPPED) <= before * 1.0001
    assert cost.kept(cost.DROPPED) <= read(above(cost.kept(cost.DROPPED), 2))
    assert after > 1e6 * before


def test_figure_shows_the_same() -> None:
    """In the figure, too, the loss is higher after a new optimizer than with the state kept."""
    text = run("PLAYS.resume.show(startValues(PLAYS.resume), 640).sentence")
    found = re.search(r": (.+) with its state, (.+) with a new", text)
    assert found
    kept, fresh = map(read, found.groups())
    assert "after 1000 steps" in text
    steps = PROBLEMS["valley"], 1000
    assert kept == pytest.approx(trace(adam, *steps, lr=cost.LR).losses[-1], rel=0.05)
    assert fresh > 1e6 * kept
    picture = run("PLAYS.resume.show(startValues(PLAYS.resume), 640).picture")
    lowest = min(read(label) for label in re.findall(r">(10⁻[⁰¹²³⁴⁵⁶⁷⁸⁹]+)<", picture))
    assert lowest <= min(trace(adam, *steps, lr=cost.LR).losses)


def test_rounding_to_nearest_stands_still() -> None:
    """While squares are at most twice v a step changes v by 0.001 of it, less than int8 can tell.

    A single large gradient changes it by more: so no bound holds for every step.
    """
    kept = levels("square8")
    for share in (0.0, 0.5, 1.5, 2.0):
        states = follow(adam, [(1.0,)] * 20_000 + [(sqrt(share),)], (0.0,)).states
        before, after = (one["v"][0] for one in states[-2:])
        assert abs(after / before - 1) <= 1 - cost.BETA2 + 1e-9
        moved = kept[1:-1] * (1 + (1 - cost.BETA2) * (share - 1))
        nearest = kept[np.abs(kept - moved[:, None]).argmin(axis=1)]
        np.testing.assert_array_equal(nearest, kept[1:-1])
    states = follow(adam, [(1.0,)] * 1000 + [(10.0,)], (0.0,)).states
    assert states[-1]["v"][0] > 1.1 * states[-2]["v"][0]


def test_resuming_is_exact() -> None:
    """The lines that the chapter shows go on bit for bit."""
    weights, twin = (np.linspace(-1, 1, 300).astype(np.float32) for _ in range(2))
    optimizer = adamas.AdamW(weights, lr=1e-3)
    for _ in range(3):
        optimizer.step(weights * 2)
    twin[:] = weights
    names = {"optimizer": optimizer, "adamas": adamas, "weights": twin}
    exec(cost.RESUME, names)
    optimizer.step(weights * 2)
    names["again"].step(twin * 2)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(weights, twin)
