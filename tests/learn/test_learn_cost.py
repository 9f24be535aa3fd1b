"""What the chapter on memory and resuming says is so."""

import numpy as np

import adamas
from adamas.learn.chapters import cost
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
    assert after > 1e6 * before


def test_figure_shows_the_same() -> None:
    """In the figure, too, the loss is higher after a new optimizer than with the state kept."""
    text = run("PLAYS.resume.show(startValues(PLAYS.resume), 640).sentence")
    assert "kept" not in text and text.count("×\N{NO-BREAK SPACE}10") == 2


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
