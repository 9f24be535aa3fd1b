"""Sparse gradients: lazy rows are torch's SparseAdam, exact rows are the dense step, bit for bit.

Exact means the same gradients and the same clipping factor: a norm over rows adds its squares in
another order than a dense one, so where a limit is hit its last bit may differ.
"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
from adamas import rules
from adamas.engine import sparse
from adamas.schedule import cosine, exponential
from family import ELEMENTWISE
from foreign import torch
from stepping import Array, ByHand, make, snapshot

ROWS = 7
SHAPES: list[tuple[int, ...]] = [(ROWS,), (ROWS, 3), (ROWS, 2, 2), (ROWS, 0)]
FLOATS = [np.float32, np.float64]


@st.composite
def patterns(draw: st.DrawFn, steps: int = 8) -> list[list[int] | None]:
    """Which rows each step names: any, in any order, negative, twice or none; None is dense."""
    some = st.lists(st.integers(-ROWS, ROWS - 1), max_size=5)
    return draw(st.lists(some | some | st.none(), min_size=1, max_size=steps))


def both(
    pattern: list[int] | None, shape: tuple[int, ...], rng: np.random.Generator, kind: Any
) -> tuple[Any, Array]:
    """One gradient as Rows and as the dense array that it stands for."""
    if pattern is None:
        dense = rng.normal(size=shape).astype(kind)
        return dense, dense
    values = rng.normal(size=(len(pattern), *shape[1:])).astype(kind)
    dense = np.zeros(shape, kind)
    for row, value in zip(pattern, values, strict=True):
        dense[row] += value
    return adamas.Rows(np.array(pattern, np.int32), values), dense


def settings_of(rule: str) -> dict[str, Any]:
    """A schedule and some decay, so that rows at rest would move."""
    formula = adamas.rule(getattr(rules, rule)).formula
    decay = {"weight_decay": 0.125} if "weight_decay" in formula.hypers else {}
    return {"lr": cosine(0.25, steps=12), **decay}


@pytest.mark.parametrize("rule", ELEMENTWISE)
@settings(max_examples=25)
@given(
    pattern=patterns(),
    shape=st.sampled_from(SHAPES),
    kind=st.sampled_from(FLOATS),
    history=st.sampled_from([1, 3, 1024]),
    maximize=st.booleans(),
    seed=st.integers(0, 99),
)
def test_exact_is_dense(
    rule: str,
    pattern: list[list[int] | None],
    shape: tuple[int, ...],
    kind: Any,
    history: int,
    maximize: bool,
    seed: int,
) -> None:
    """Exact rows end with the bits of dense steps, in parameters and state, for every rule."""
    rng = np.random.default_rng(seed)
    start = rng.normal(size=shape).astype(kind)
    options = {**settings_of(rule), "maximize": maximize}
    exact = make(rule, start.copy(), rows="exact", **options)
    plain = make(rule, start.copy(), **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse, "HISTORY", history)
        for t, rows in enumerate(pattern):
            given_rows, dense = both(rows, shape, rng, kind)
            if t == 4:
                for each in (exact, plain):
                    each.param_groups[0]["lr"] = 0.0625
            exact.step(given_rows)
            plain.step(dense)
        exact.sync()
    assert snapshot(exact) == snapshot(plain)


@given(patterns=st.tuples(patterns(6), patterns(6)), cut=st.integers(0, 6), seed=st.integers(0, 99))
def test_exact_rows_of_several_tensors(
    patterns: tuple[list[list[int] | None], list[list[int] | None]], cut: int, seed: int
) -> None:
    """Tensors keep their own histories, steps without a gradient, layouts and gradient dtypes."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(2 * ROWS, 6)).astype(np.float32)
    starts: dict[str, Array] = {
        "a": base[::2, ::-2],
        "b": rng.normal(size=ROWS),
        "c": rng.normal(size=(2, 2)),
    }
    exact = adamas.AdamW(starts, lr=0.1, rows="exact", clip_norm=1e6, ema=0.75)
    plain = adamas.AdamW({k: v.copy() for k, v in starts.items()}, lr=0.1, clip_norm=1e6, ema=0.75)
    kinds = [FLOATS[k] for k in rng.integers(0, 2, size=12)]
    for t, (first, second) in enumerate(zip(*patterns, strict=False)):
        a: tuple[Any, Any] = both(first, (ROWS, 3), rng, kinds[2 * t])
        b = both(second, (ROWS,), rng, kinds[2 * t + 1])
        if t == cut:
            a = (None, None)
            exact.sync({"a": [0, -1, 0, ROWS - 1], "b": []})
        c = rng.normal(size=(2, 2)) if t % 2 else None
        exact.step({"a": a[0], "b": b[0], "c": c})
        plain.step({"a": a[1], "b": b[1], "c": c})
    exact.sync()
    assert snapshot(exact) == snapshot(plain)


def test_sync_brings_the_named_rows_up_to_date() -> None:
    """After `sync(rows)` those rows stand where dense steps would, and the others still rest."""
    w, d = np.ones((5, 2)), np.ones((5, 2))
    exact = adamas.SGD({"w": w}, lr=0.5, rows="exact", weight_decay=0.5)
    plain = adamas.SGD({"w": d}, lr=0.5, weight_decay=0.5)
    for _ in range(3):
        exact.step({"w": adamas.Rows([0], np.ones((1, 2)))})
        dense = np.zeros((5, 2))
        dense[0] = 1
        plain.step({"w": dense})
    assert w[1:].tolist() == np.ones((4, 2)).tolist()
    exact.sync({"w": np.array([-1, 2, 4], np.int8)})
    assert np.array_equal(w[[0, 2, 4]], d[[0, 2, 4]])
    assert w[[1, 3]].tolist() == np.ones((2, 2)).tolist()
    exact.sync()
    assert np.array_equal(w, d)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ({"w": [5]}, ValueError, "rows of 'w': index 5 is outside the 5 rows"),
        ({"w": [-6]}, ValueError, "index -6 is outside"),
        ({"w": [0.5]}, TypeError, "1-d integer array"),
        ({"v": [0]}, ValueError, "no parameter 'v'"),
    ],
)
def test_sync_refuses_rows_that_do_not_exist(
    rows: Any, error: type[Exception], message: str
) -> None:
    """A row or a name that does not exist is an error before anything is changed."""
    optimizer = adamas.Momentum({"w": np.ones((5, 2))}, rows="exact")
    for k in range(2):
        optimizer.step({"w": adamas.Rows([k], np.ones((1, 2)))})
    before = snapshot(optimizer)
    with pytest.raises(error, match=message):
        optimizer.sync(rows)
    assert snapshot(optimizer) == before


@pytest.mark.parametrize("rule", ELEMENTWISE)
@settings(max_examples=25)
@given(pattern=patterns(), shape=st.sampled_from(SHAPES), seed=st.integers(0, 99))
def test_lazy_steps_the_named_rows(
    rule: str, pattern: list[list[int] | None], shape: tuple[int, ...], seed: int
) -> None:
    """Lazy rows take the rule's step where they are named, at the tensor's step count."""
    rng = np.random.default_rng(seed)
    start = rng.normal(size=shape)
    optimizer, by_hand = make(rule, start.copy()), ByHand(rule, start)
    for rows in pattern:
        given_rows, dense = both(rows, shape, rng, np.float64)
        optimizer.step(given_rows)
        named = ... if rows is None else np.unique(np.array(rows, int) % ROWS)
        by_hand.step(dense[named], named)
    (w,) = optimizer.param_groups[0]["params"]
    np.testing.assert_allclose(w, by_hand.p, rtol=1e-10, atol=1e-12)
    for name, state in by_hand.state.items():
        kept = optimizer.state[0][name]
        if isinstance(kept, np.ndarray):
            # What rows hold that were never stepped is told by the tests of first steps.
            kept, state = kept[by_hand.stepped], np.broadcast_to(state, shape)[by_hand.stepped]
        np.testing.assert_allclose(kept, state, rtol=1e-10, atol=1e-12)


@given(pattern=patterns(12), seed=st.integers(0, 99))
def test_lazy_adam_is_torch_s(pattern: list[list[int] | None], seed: int) -> None:
    """Lazy Adam is torch's SparseAdam, whose eps is eps-hat: ours divided by sqrt(1 - beta2**t)."""
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(ROWS, 3))
    theirs = torch.tensor(w)
    reference = torch.optim.SparseAdam([theirs], lr=0.1, eps=1e-3)
    optimizer = adamas.Adam(w, lr=0.1, eps=lambda t: 1e-3 / math.sqrt(1 - 0.999**t))
    for rows in pattern:
        named = list(range(ROWS)) if rows is None else rows
        given_rows, _ = both(named, (ROWS, 3), rng, np.float64)
        index = torch.tensor([[k % ROWS for k in named]], dtype=torch.int64)
        values = torch.tensor(np.asarray(given_rows.values))
        theirs.grad = torch.sparse_coo_tensor(index, values, (ROWS, 3), check_invariants=True)
        reference.step()
        optimizer.step(given_rows)
    np.testing.assert_allclose(w, theirs.numpy(), rtol=1e-10, atol=1e-12)


def test_lazy_rows_at_rest_keep_their_bits() -> None:
    """Rows that are not named, and their state, are not touched, unlike with exact rows."""
    w = np.ones((4, 2), np.float32)
    optimizer = adamas.AdamW(w, lr=0.1, weight_decay=0.5)
    optimizer.step(np.ones((4, 2), np.float32))
    m, kept = optimizer.state[0]["m"].copy(), w.copy()
    optimizer.step(adamas.Rows([2], np.ones((1, 2), np.float32)))
    still = [0, 1, 3]
    assert np.array_equal(w[still], kept[still])
    assert np.array_equal(optimizer.state[0]["m"][still], m[still])
    assert not np.array_equal(w[2], kept[2])


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64, "list", "tuple"])
def test_any_integer_indexes(kind: Any) -> None:
    """Indices are integers of any dtype, also of one that cannot count the rows."""
    w = np.zeros((1000, 1))
    index: Any = [100, 3, 100]
    index = tuple(index) if kind == "tuple" else index if kind == "list" else np.array(index, kind)
    adamas.SGD(w, lr=1.0).step(adamas.Rows(index, [[1.0], [2.0], [4.0]]))
    assert np.flatnonzero(w).tolist() == [3, 100]
    assert w[[3, 100]].tolist() == [[-2.0], [-5.0]]
    if np.dtype(kind if not isinstance(kind, str) else int).kind == "i":
        signed = np.array([-1], None if isinstance(kind, str) else kind)
        adamas.SGD(w, lr=1.0).step(adamas.Rows(signed, [[1.0]]))
        assert w[999, 0] == -1.0


def test_rows_need_rows() -> None:
    """A 0-d parameter and one in another memory order say what Rows need."""
    rows = adamas.Rows([0], np.ones((1, 3)))
    for w in (np.array(1.0), np.ones((3, 2)).T):
        with pytest.raises(ValueError, match="must be a C-contiguous array of rows"):
            adamas.SGD(w).step(rows)


def test_exact_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a row rests, the engine keeps the constants of at most HISTORY steps."""
    monkeypatch.setattr(sparse, "HISTORY", 4)
    w, d = np.ones((3, 1)), np.ones((3, 1))
    lr = exponential(0.5, factor=0.9)
    exact, plain = adamas.Adam(w, lr=lr, rows="exact"), adamas.Adam(d, lr=lr)
    for _ in range(50):
        exact.step(adamas.Rows([0], [[1.0]]))
        plain.step(np.array([[1.0], [0.0], [0.0]]))
        for index in exact._stepper.sparse.histories:
            assert len(exact._stepper.sparse.histories[index].constants) == 4
    exact.sync()
    assert np.array_equal(w, d)
