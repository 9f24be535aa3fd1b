"""NaN and infinity in few-bit state: refused before damage; where allowed, kept to their block."""

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import adamas
from adamas import rules
from adamas.codecs import BLOCK
from few_bits import everywhere
from long_form import sampled
from stepping import snapshot

Array = NDArray[Any]
B = BLOCK
SIZE = 5 * B + 30
BAD = [float("nan"), float("inf"), float("-inf")]
FORMS = ["int8", "int4", "bfloat16"]
every_format = pytest.mark.parametrize("form", FORMS)
# In int4 and int8 a block shares its scale; a bfloat16 stands alone.
BLOCKS = ["int8", "int4"]


def made(form: str, **options: Any) -> tuple[Array, adamas.AdamW]:
    """A parameter of several blocks, one step old."""
    p = np.ones(SIZE, np.float32)
    optimizer = adamas.AdamW(p, state=everywhere(form), lr=0.1, **options)
    optimizer.step(gradient())
    return p, optimizer


def gradient(at: int | None = None, value: float = 1.0) -> Array:
    """Numbers around 1, but for one element."""
    g = np.random.default_rng(1).normal(size=SIZE).astype(np.float32)
    if at is not None:
        g[at] = value
    return g


@every_format
@pytest.mark.parametrize("value", BAD)
def test_raises_before_anything_changes(form: str, value: float) -> None:
    """With "raise" a gradient that is not finite changes no byte of parameter, codes or scales."""
    p, optimizer = made(form, on_nonfinite="raise")
    before = snapshot(optimizer)
    for at in (0, B + 3, SIZE - 1):
        with pytest.raises(adamas.NonFiniteError, match=rf"{value} at \[{at}\]"):
            optimizer.step(gradient(at, value))
        assert snapshot(optimizer) == before
    optimizer.step(gradient())
    assert np.isfinite(p).all()


@every_format
@pytest.mark.parametrize("value", BAD)
def test_skip_is_atomic(form: str, value: float) -> None:
    """A skipped step leaves every byte, and the next one goes on as if it had not been."""
    _, optimizer = made(form, on_nonfinite="skip")
    _, other = made(form)
    before = snapshot(optimizer)
    assert not optimizer.step(gradient(B, value))
    assert snapshot(optimizer) == before
    optimizer.step(gradient())
    other.step(gradient())
    assert snapshot(optimizer) == snapshot(other)


@pytest.mark.parametrize("form", BLOCKS)
@pytest.mark.parametrize("at", [0, B - 1, B, 3 * B + 5, 5 * B, SIZE - 1])
def test_allow_poisons_one_block(form: str, at: int) -> None:
    """An allowed NaN makes its own block of both states NaN, for good, and changes no other bit."""
    p, optimizer = made(form, on_nonfinite="allow")
    clean, other = made(form, on_nonfinite="allow")
    start = at // B * B
    block = np.zeros(SIZE, bool)
    block[start : start + B] = True
    for step in range(3):
        optimizer.step(gradient(at, np.nan) if step == 0 else gradient())
        other.step(gradient())
        for name, found in optimizer.values(0).items():
            assert np.isnan(found[block]).all()
            assert np.array_equal(found[~block], other.values(0)[name][~block])
        assert np.array_equal(p[~block], clean[~block])
        # The parameter itself is lost at once where the gradient was, then in all of the block.
        lost = np.arange(SIZE) == at if step == 0 else block
        assert np.array_equal(np.isnan(p), lost)


def test_allow_in_bfloat16() -> None:
    """Without a common scale a NaN stays in its own element of bfloat16 state."""
    p, optimizer = made("bfloat16", on_nonfinite="allow")
    clean, other = made("bfloat16", on_nonfinite="allow")
    for step in range(2):
        optimizer.step(gradient(70, np.nan) if step == 0 else gradient())
        other.step(gradient())
    assert np.flatnonzero(np.isnan(p)).tolist() == [70]
    assert np.array_equal(np.delete(p, 70), np.delete(clean, 70))
    for found in optimizer.values(0).values():
        assert np.flatnonzero(np.isnan(found)).tolist() == [70]


@pytest.mark.parametrize(("poisoned", "other"), [("m", "v"), ("v", "m")])
def test_a_lost_block_takes_the_other_state_along(poisoned: str, other: str) -> None:
    """Whichever state's block is lost, the next step makes the other one's NaN too, seen by all."""
    p, optimizer = made("int8", on_nonfinite="allow")
    optimizer.state[0][f"{poisoned}.scale"][1] = 0
    assert np.isfinite(optimizer.values(0)[other]).all()
    optimizer.step(gradient())
    for found in optimizer.values(0).values():
        assert np.flatnonzero(np.isnan(found)).tolist() == list(range(B, 2 * B))
    assert np.flatnonzero(np.isnan(p)).tolist() == list(range(B, 2 * B))


@pytest.mark.parametrize("form", BLOCKS)
def test_an_infinite_second_moment(form: str) -> None:
    """Where v overflows it stays infinite, which stops its element; its block does not become NaN.

    With g = 1e30 the square is infinite in float32 state as well; m stays finite.
    """
    p, optimizer = made(form, on_nonfinite="allow")
    optimizer.step(gradient(3, 1e30))
    before = p.copy()
    optimizer.step(gradient())
    v, m = optimizer.values(0)["v"], optimizer.values(0)["m"]
    assert v[3] == np.inf
    assert not np.isnan(v).any()
    assert np.isfinite(m).all()
    # The neighbours now have the lowest level of infinity's block: they hardly move.
    assert np.isfinite(v[np.arange(SIZE) != 3]).all()
    assert np.all(v[: B // 2] > 1e25)
    assert np.isfinite(p).all()
    decayed = before * np.float32(1 - 0.1 * 1e-2)
    assert p[3] == pytest.approx(float(decayed[3]), rel=1e-6)
    assert not np.allclose(p[B : 2 * B], decayed[B : 2 * B], rtol=1e-4)


@every_format
@pytest.mark.parametrize("size", [1e10, 1e19, -1e19, 3e20])
def test_huge_gradients(form: str, size: float) -> None:
    """A finite gradient as large as 1e19 leaves parameters and state finite, now and afterwards."""
    p, optimizer = made(form)
    for step in range(4):
        optimizer.step(gradient(B + 7, size) if step % 2 == 0 else gradient())
        assert np.isfinite(p).all()
        for name, found in optimizer.values(0).items():
            assert np.isfinite(found).all(), (name, step)
    v = optimizer.values(0)["v"]
    # Two squares of it, each a thousandth: within the widest level of the format.
    expected = 1e-3 * np.float64(size) ** 2 * (0.999**3 + 0.999)
    assert 0.6 < v[B + 7] / expected < 1.6


LARGE = [("adamw", np.float32), ("lion", np.float64), ("adamw", np.uint16)]


@pytest.mark.parametrize(
    ("form", "rule", "kind"),
    [(form, *large) for form, large in sampled(itertools.product(FORMS, LARGE))],
)
def test_gradients_as_large_as_float32_holds(form: str, rule: str, kind: Any) -> None:
    """All stays finite under gradients up to 3.4e38, in whichever dtype they come.

    Adam's second moment would be infinite in float32 too: the blocks of such gradients, the first
    half of them, are left. Sixteen bits alone may round up by a 256th.
    """
    found = adamas.rule(getattr(rules, rule))
    p = np.ones(SIZE, np.float32)
    optimizer = found(p, lr=0.01, state=dict.fromkeys(found.formula.states, form))
    g = gradient().astype(np.float64)
    for start, largest in (
        (0, 3.3e38 if form == "bfloat16" else 3.4e38),
        (2 * B, 3e38),
        (3 * B, 1.9e19),
    ):
        share = np.linspace(1, 0.3, B // 2)
        g[start : start + B // 2] = largest * np.where(np.arange(B // 2) % 2, share, -share)
    narrow = (g.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    given = narrow if kind is np.uint16 else g.astype(kind)
    for _ in range(6):
        if rule == "adamw":
            with pytest.raises(adamas.NonFiniteError) as told:
                optimizer.step(given)
            # 1.9e19 squared, times a thousandth, is 3.6e35.
            assert told.value.left == 2 * B
        else:
            assert optimizer.step(given)
        assert np.isfinite(p).all()
        for name, numbers in optimizer.values(0).items():
            assert np.isfinite(numbers).all(), name


@every_format
@pytest.mark.parametrize("size", [1e-38, 1e-30, 1e-45])
def test_tiny_gradients(form: str, size: float) -> None:
    """Gradients whose squares vanish, subnormal ones among them, give finite, bounded steps."""
    p = np.ones(SIZE, np.float32)
    optimizer = adamas.AdamW(p, state=everywhere(form), lr=0.1, weight_decay=0.0)
    for _ in range(3):
        optimizer.step(np.full(SIZE, size, np.float32))
        assert np.isfinite(p).all()
    assert np.all(np.abs(p - 1) <= 3 * 0.1 * 1.001)
