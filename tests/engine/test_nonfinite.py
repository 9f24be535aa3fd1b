"""NaN and infinity never reach a parameter unseen, and norms neither overflow nor lose a tensor."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adamas
from foreign import torch
from stepping import Array, snapshot

BAD = [float("nan"), float("inf"), float("-inf")]
FLOATS = [np.float32, np.float64]
LONG = 300_001


def spoilt(shape: tuple[int, ...], at: int, value: float, kind: Any = np.float32) -> Array:
    """Ones, but for one element in memory order."""
    out = np.ones(shape, kind)
    out.reshape(-1)[at] = value
    return out


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("size", [1, 9, 1000, LONG])
@pytest.mark.parametrize("kind", FLOATS)
def test_raise_says_where(value: float, size: int, kind: Any) -> None:
    """With "raise" nothing changes before the error, which tells parameter, value and place."""
    params = {"a": np.ones(3, kind), "b": np.ones(size, kind)}
    optimizer = adamas.AdamW(params, on_nonfinite="raise")
    good = {name: np.ones_like(p) for name, p in params.items()}
    optimizer.step(good)
    before = snapshot(optimizer)
    for at in {0, size // 2, size - 1}:
        with pytest.raises(
            adamas.NonFiniteError, match=rf"'b' holds {value} at \[{at}\]"
        ) as raised:
            optimizer.step({**good, "b": spoilt((size,), at, value, kind)})
        assert (raised.value.key, raised.value.left) == ("b", 0)
        assert snapshot(optimizer) == before
    assert optimizer.step(good)


FORMS: dict[str, Any] = {
    "strided": lambda g: np.repeat(g, 2, axis=1)[:, ::2],
    "transposed": np.asfortranarray,
    "float64": lambda g: g.astype(np.float64),
    "torch": torch.tensor,
    "rows": lambda g: adamas.Rows(np.arange(3), g),
    "listed rows": lambda g: adamas.Rows([0, 1, 2], g.astype(float).tolist()),
    "turned rows": lambda g: adamas.Rows([0, -1, 1], g[[0, 2, 1]]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", BAD)
def test_raise_whatever_the_form(form: str, value: float) -> None:
    """The place is given in the parameter's own indices, however the gradient lies in memory."""
    w = np.ones((3, 4), np.float32)
    optimizer = adamas.Adam([np.ones(2), w], on_nonfinite="raise")
    before = snapshot(optimizer)
    with pytest.raises(adamas.NonFiniteError, match=rf"of 1 holds {value} at \[2, 1\]") as raised:
        optimizer.step([np.ones(2), FORMS[form](spoilt((3, 4), 9, value))])
    assert raised.value.key == 1
    assert snapshot(optimizer) == before


def test_rows_whose_sum_overflows() -> None:
    """Duplicate rows are finite one by one; it is their sum that is checked."""
    w = np.ones((3, 1), np.float32)
    rows = adamas.Rows([2, 2], np.full((2, 1), 3e38, np.float32))
    with pytest.raises(adamas.NonFiniteError, match=r"holds inf at \[2, 0\]"):
        adamas.SGD(w).step(rows)
    assert w.tolist() == [[1.0], [1.0], [1.0]]


@pytest.mark.parametrize("zero_grads", [False, True])
@pytest.mark.parametrize("value", BAD)
def test_skip_is_atomic(value: float, zero_grads: bool) -> None:
    """A skipped step leaves every bit as it was, is counted, and clears gradients if asked to."""
    w: list[Array] = [np.ones((2, 3), np.float32), np.ones(LONG)[::3]]
    optimizer = adamas.NAdam(w, on_nonfinite="skip", zero_grads=zero_grads, ema=0.9)
    assert optimizer.step([np.ones((2, 3), np.float32), np.ones_like(w[1])])
    before = snapshot(optimizer)
    grads = [spoilt((2, 3), 4, value), np.ones(2 * w[1].size)[::2]]
    assert not optimizer.step(grads)
    assert snapshot(optimizer) == before
    assert optimizer.skipped == 1
    assert not np.isfinite(optimizer.grad_norm)
    assert all(np.count_nonzero(g) == (0 if zero_grads else g.size) for g in grads)


def test_the_norm_after_an_error_is_not_an_older_one() -> None:
    """After "raise" `grad_norm` is the norm that was found; after rows that all stay out, NaN."""
    w = np.ones((3, 4), np.float32)
    optimizer = adamas.SGD(w, on_nonfinite="raise")
    optimizer.step(np.ones((3, 4), np.float32))
    with pytest.raises(adamas.NonFiniteError):
        optimizer.step(spoilt((3, 4), 5, -np.inf))
    assert optimizer.grad_norm == np.inf
    exact = adamas.Momentum(w, rows="exact", track_norm=True)
    exact.step(adamas.Rows([1], np.ones((1, 4), np.float32)))
    assert exact.grad_norm == 2.0
    with pytest.raises(adamas.NonFiniteError):
        exact.step(adamas.Rows([1], np.full((1, 4), np.nan, np.float32)))
    assert np.isnan(exact.grad_norm)


@pytest.mark.parametrize("mode", ["raise", "skip"])
def test_exact_rows_stay_behind(mode: Any) -> None:
    """A refused step does not even catch up the rows that it would have stepped."""
    w = np.ones((5, 2))
    optimizer = adamas.Momentum(w, rows="exact", on_nonfinite=mode)
    optimizer.step(adamas.Rows([0, 1], np.ones((2, 2))))
    optimizer.step(adamas.Rows([2], np.ones((1, 2))))
    before = snapshot(optimizer)
    for bad in (adamas.Rows([1], [[1.0, np.nan]]), np.full((5, 2), np.inf)):
        if mode == "raise":
            with pytest.raises(adamas.NonFiniteError):
                optimizer.step(bad)
        else:
            assert not optimizer.step(bad)
        assert snapshot(optimizer) == before


@pytest.mark.parametrize("value", BAD)
def test_allow_lets_the_arithmetic_decide(value: float) -> None:
    """With "allow", IEEE arithmetic decides: the one element follows its gradient, others step."""
    w = np.ones(50, np.float32)
    optimizer = adamas.SGD(w, lr=0.5, on_nonfinite="allow")
    assert optimizer.step(spoilt((50,), 17, value))
    expected = np.full(50, 0.5, np.float32)
    expected[17] = 1 - 0.5 * value
    assert np.array_equal(w, expected, equal_nan=True)
    assert np.isnan(optimizer.grad_norm)


# From 1e-120 to 1e120: squares that float64 can add up without care.
sizes = st.floats(-120, 120).map(lambda x: 10.0**x)


@given(
    shapes=st.lists(st.lists(st.integers(0, 5), max_size=3), min_size=1, max_size=4),
    scale=sizes,
    limit=sizes,
    seed=st.integers(0, 99),
)
def test_clip_norm_is_torch_s(
    shapes: list[list[int]], scale: float, limit: float, seed: int
) -> None:
    """Clipping equals `clip_grad_norm_`, which divides by norm + 1e-6 where adamas has the norm."""
    rng = np.random.default_rng(seed)
    params = [np.zeros(shape) for shape in shapes]
    grads = [np.asarray(rng.normal(size=shape) * scale) for shape in shapes]
    theirs = [torch.zeros(p.shape, dtype=torch.float64) for p in params]
    for tensor, g in zip(theirs, grads, strict=True):
        tensor.grad = torch.tensor(g)
    norm = float(torch.nn.utils.clip_grad_norm_(theirs, limit))
    optimizer = adamas.SGD(params, lr=1.0, clip_norm=limit)
    optimizer.step(grads)
    assert optimizer.grad_norm == pytest.approx(norm, rel=1e-12)
    # torch's factor is limit / (norm + 1e-6) where that is below 1.
    if norm > limit:
        relation = (norm + 1e-6) / norm if limit < norm + 1e-6 else limit / norm
    else:
        relation = 1 / min(1.0, limit / (norm + 1e-6))
    for p, tensor in zip(params, theirs, strict=True):
        np.testing.assert_allclose(-p, tensor.grad.numpy() * relation, rtol=1e-10)


@pytest.mark.parametrize("kinds", [(np.float32, np.float64), (np.float64, np.float32)])
def test_norm_is_global(kinds: tuple[Any, Any]) -> None:
    """One norm covers all gradients, whatever their dtype, layout and form."""
    params = [np.zeros(2, kinds[0]), np.zeros((2, 2), kinds[1]), np.zeros((3, 1), kinds[1])]
    grads: list[Any] = [np.array([3, 0], kinds[1]), np.array([[0, 4], [0, 0]], kinds[0]).T, None]
    grads[2] = adamas.Rows([1, 1], np.full((2, 1), 6, kinds[0]))
    optimizer = adamas.SGD(params, lr=1.0)
    optimizer.step(grads, clip_norm=6.5)
    assert optimizer.grad_norm == 13.0
    assert params[0].tolist() == [-1.5, 0]
    assert params[1].tolist() == [[0, 0], [-2, 0]]
    assert params[2].tolist() == [[0], [-6], [0]]


@pytest.mark.parametrize(
    ("kind", "size"), [(np.float64, 1e200), (np.float64, 1e300), (np.float32, 1e30)]
)
@pytest.mark.parametrize("count", [3, 70_000])
def test_norms_do_not_overflow(kind: Any, size: float, count: int) -> None:
    """Gradients whose squares exceed the dtype are measured and clipped like any others."""
    w = np.zeros(count, kind)
    optimizer = adamas.SGD(w, lr=1.0, clip_norm=1.0)
    assert optimizer.step(np.full(count, size, kind))
    assert optimizer.grad_norm == pytest.approx(float(kind(size)) * count**0.5, rel=1e-12)
    np.testing.assert_allclose(w, -(count**-0.5), rtol=1e-6)


@pytest.mark.parametrize("g", [np.full(70_000, 3e38, np.float32), np.full(3, 1e200)])
def test_clip_reaches_into_float32(g: Array) -> None:
    """A finite gradient at or beyond the top of float32 is clipped to the limit, not to NaN."""
    w = np.zeros(g.size, np.float32)
    adamas.SGD(w, lr=1.0, clip_norm=1.0).step(g)
    np.testing.assert_allclose(w, -(g.size**-0.5), rtol=1e-6)


def test_norm_of_huge_and_small_together() -> None:
    """A huge float64 gradient beside a float32 one gives one norm, and clips both."""
    w: list[Array] = [np.zeros(2, np.float32), np.zeros(2)]
    optimizer = adamas.SGD(w, lr=1.0, clip_norm=5.0)
    assert optimizer.step([np.ones(2, np.float32), np.array([3e200, 4e200])])
    assert optimizer.grad_norm == pytest.approx(5e200, rel=1e-12)
    assert w[0].tolist() == [0, 0]
    np.testing.assert_allclose(w[1], [-3, -4], rtol=1e-12)


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("size", [1e-30, 1e-18, 1.0, 1e17, 1e30])
def test_norm_is_numpy_s(kind: Any, size: float) -> None:
    """`grad_norm` is the Euclidean norm, summed in float64, of small and of large gradients."""
    g = (np.random.default_rng(0).normal(size=LONG) * size).astype(kind)
    optimizer = adamas.SGD(np.zeros(LONG, kind), lr=0.0, track_norm=True)
    optimizer.step(g)
    assert optimizer.grad_norm == pytest.approx(np.linalg.norm(g.astype(np.float64)), rel=1e-12)


@pytest.mark.parametrize("kind", FLOATS)
def test_loss_scale(kind: Any) -> None:
    """Gradients are divided by the loss scale first; norm and limit are of the quotients."""
    g = np.array([3.0, 4.0], kind) * 1024
    w = np.zeros(2, kind)
    optimizer = adamas.SGD(w, lr=1.0, track_norm=True)
    optimizer.step(g, loss_scale=1024.0)
    assert (w.tolist(), optimizer.grad_norm) == ([-3.0, -4.0], 5.0)
    optimizer.step(g, loss_scale=1024.0, clip_norm=2.5)
    assert w.tolist() == [-4.5, -6.0]


def test_maximize() -> None:
    """Going up is going down the negated gradient; the norm has no sign."""
    up, down = np.ones(9), np.ones(9)
    climber = adamas.AdamW(up, lr=0.1, maximize=True, clip_norm=2.0)
    sinker = adamas.AdamW(down, lr=0.1, clip_norm=2.0)
    for k in range(1, 4):
        climber.step(np.arange(9.0) * k)
        sinker.step(-np.arange(9.0) * k)
        assert climber.grad_norm == sinker.grad_norm == np.linalg.norm(np.arange(9.0) * k)
    assert np.array_equal(up, down)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_numpys_own_error_state_changes_nothing(kind: Any) -> None:
    """A program that has NumPy raise at every overflow and underflow gets the same steps."""
    steps = [[1e200, 1e-200], [1e-300, 1.0], [1e160, 1e160], [1e38, 1e-38]]

    def run(told: str) -> tuple[list[float], list[float]]:
        w, norms = np.ones((2, 1), kind), []
        optimizer = adamas.AdamW(w, lr=0.1, clip_norm=1.0, ema=0.5)
        with np.errstate(all=told):  # type: ignore[call-overload]
            for g in steps:
                optimizer.step(adamas.Rows([0, 1], np.array(g).reshape(2, 1)))
                optimizer.step(np.array(g).reshape(2, 1))
                norms.append(optimizer.grad_norm)
                optimizer.load_state_dict(optimizer.state_dict())
            values = optimizer.values(0)["average"]
        return [*w.ravel().tolist(), *values.ravel().tolist()], norms

    assert run("raise") == run("ignore")
    # hypot does not overflow.
    assert run("raise")[1] == pytest.approx([np.hypot(*g) for g in steps], rel=1e-12)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_a_matrix_is_an_array() -> None:
    """Parameters and gradients of NumPy's matrix class step, and their NaN is found and named."""
    w = np.matrix(np.zeros((2, 2)))
    optimizer = adamas.SGD(w, lr=1.0)
    optimizer.step(np.matrix([[1.0, 2.0], [3.0, 4.0]]))
    assert w.tolist() == [[-1, -2], [-3, -4]]
    with pytest.raises(adamas.NonFiniteError, match=r"holds nan at \[0, 1\]"):
        optimizer.step(np.matrix([[1.0, np.nan], [1.0, 1.0]]))
