"""What counts as a step when blocks are left out, what overflows, and what is all or nothing."""

import pickle
from typing import Any

import numpy as np
import pytest

import adamas
from adamas.engine import phases
from adamas.engine.tensors import widened
from family import ELEMENTWISE
from long_form import few_of
from planted import bad, numbers, numbers_of
from stepping import Array, make, snapshot

NAN = np.float32(np.nan)


def several(**options: Any) -> tuple[dict[str, Array], adamas.Optimizer]:
    """Tensors of four layouts, one of them empty, under a rule with a number of the tensor."""
    params: dict[str, Array] = {
        "a": numbers((3, 100), "float32", 0),
        "b": numbers(200, "float64", 1),
        "c": numbers((2, 128), "float32", 2),
        "d": numbers(130, "uint16", 3),
        "e": np.zeros((0, 3), np.float32),
    }
    formats = {"c": "int8"}
    optimizer = adamas.NAdam(
        params, lr=0.01, state=lambda key, array: formats.get(key, "float32"), **options
    )
    return params, optimizer


def grads(params: dict[str, Array], seed: int = 5) -> dict[str, Any]:
    """Finite gradients of the parameters' dtypes."""
    return {k: numbers(p.shape, p.dtype.name, seed) for k, p in params.items()}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("stuck", [("a",), ("b", "c"), ("d",), ("a", "b", "c", "d")])
def test_a_tensor_steps_if_anything_of_it_moved(
    monkeypatch: pytest.MonkeyPatch, stuck: tuple[str, ...], threads: int
) -> None:
    """Counts, and the numbers a rule keeps per tensor, go on where a block moved and only there."""
    monkeypatch.setattr(phases, "PARALLEL", 0)
    params, optimizer = several(threads=threads)
    _, twin = several(threads=threads)
    optimizer.step(grads(params))
    twin.step(grads(params))
    given: dict[str, Any] = {**grads(params, 6), "e": None}
    for name in stuck:
        given[name][...] = bad(params[name].dtype.name, np.nan)
    # One block of another tensor, of which the rest moves.
    part = next((name for name in "abcd" if name not in stuck), None)
    if part:
        given[part].reshape(-1)[-1] = bad(params[part].dtype.name, np.inf)
    before = snapshot(optimizer)
    with pytest.raises(adamas.NonFiniteError) as raised:
        optimizer.step(given)
    if not part:
        assert snapshot(optimizer) == before
        assert raised.value.left == sum(p.size for p in params.values())
        assert "nothing else had a gradient" in str(raised.value)
        return
    twin.step({**grads(params), **dict.fromkeys([*stuck, "e"])})
    assert numbers_of(optimizer) == numbers_of(twin)
    first = min([*stuck, part])
    assert raised.value.key == first
    assert f" of {len(stuck) + 1} tensors (" in str(raised.value)


def test_a_tensor_without_elements_has_none_that_moved() -> None:
    """Beside tensors that were left out altogether an empty one makes no step either."""
    params, optimizer = several()
    optimizer.step(grads(params))
    before = snapshot(optimizer)
    given = grads(params, 6)
    for name in "abcd":
        given[name][...] = bad(params[name].dtype.name, np.nan)
    with pytest.raises(adamas.NonFiniteError):
        optimizer.step(given)
    assert snapshot(optimizer) == before


def test_rows_and_dense_tensors_of_one_layout_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A block left out of a dense tensor does not keep the rows of its neighbour from counting."""
    monkeypatch.setattr(phases, "PARALLEL", 0)
    w = {"dense": np.ones((64, 256), np.float32), "rows": np.ones((8, 256), np.float32)}
    optimizer = adamas.NAdam(w, threads=2)
    for k in range(30):
        dense, rows = np.ones_like(w["dense"]), np.ones((2, 256), np.float32)
        dense[k, 3] = rows[0, 200] = np.nan
        with pytest.raises(adamas.NonFiniteError) as raised:
            optimizer.step({"dense": dense, "rows": adamas.Rows([1, 5], rows)})
        assert raised.value.left == 256
        counts = [optimizer.state[name]["step"] for name in w]
        assert [*counts, optimizer.steps] == [k + 1] * 3


def test_a_retry_is_a_further_step() -> None:
    """After a caught error the same call again steps everything once more, and counts."""
    p, q = np.zeros(256, np.float32), np.zeros(3, np.float32)
    optimizer = adamas.SGD([p, q], lr=1.0)
    g = np.ones(256, np.float32)
    g[200] = np.nan
    for k in (1, 2):
        with pytest.raises(adamas.NonFiniteError, match=r"0 holds nan at \[200\]; 128 elements"):
            optimizer.step([g, np.ones(3, np.float32)])
        assert (optimizer.steps, p[0], p[200], q[0]) == (k, -k, 0, -k)
    optimizer.step([np.ones(256, np.float32), None])
    assert (optimizer.steps, p[0], p[200], q[0]) == (3, -3, -1, -2)


def test_the_error_is_the_first_tensors_and_is_copied_whole() -> None:
    """Whatever batch a tensor is in, the caller's first is named; pickle keeps what was left."""
    params = [np.ones(3, np.float32), np.ones(3), np.ones(3, np.float32)]
    optimizer = adamas.Adam(params)
    with pytest.raises(adamas.NonFiniteError, match="of 1 holds inf") as raised:
        optimizer.step([np.ones(3, np.float32), np.full(3, np.inf), np.full(3, NAN)])
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.key, again.left, str(again)) == (1, 6, str(raised.value))
    assert "6 elements of 2 tensors (" in str(again) and "everything else was stepped" in str(again)


OVERFLOWS: dict[str, tuple[Any, Any, dict[str, float], str]] = {
    "wide": (np.float32, [1.0, 1e39, 1.0], {}, r"1e\+39 at \[1\], which times 1 over.*float32"),
    "scaled": (np.float32, np.full(3, 1e30, np.float32), {"loss_scale": 1e-10}, r"times 1e\+10 ov"),
    "half": (np.uint16, [1e39, 1.0, 1.0], {}, r"1e\+39 at \[0\]"),
    "beyond": (np.float32, np.zeros(3, np.float32), {"loss_scale": 1e-300}, r"times 1e\+300 over"),
}


@pytest.mark.parametrize("mode", ["guard", "raise", "skip"])
@pytest.mark.parametrize("what", OVERFLOWS)
def test_overflow_is_as_bad_as_infinity(what: str, mode: Any) -> None:
    """A finite gradient that overflows on its way to the arithmetic changes nothing, by name."""
    kind, g, given, match = OVERFLOWS[what]
    for form in (np.asarray, lambda g: adamas.Rows([0], np.reshape(g, (1, 3)))):
        shape = (3,) if form is np.asarray else (1, 3)
        optimizer = adamas.AdamW(np.zeros(shape, kind), on_nonfinite=mode)
        before = snapshot(optimizer)
        if mode == "skip":
            assert not optimizer.step(form(g), **given)
            assert optimizer.skipped == 1
        else:
            wanted = match if shape == (3,) else r"overflows in float32"
            with pytest.raises(adamas.NonFiniteError, match=wanted):
                optimizer.step(form(g), **given)
        assert snapshot(optimizer) == before


@pytest.mark.parametrize("mode", ["guard", "raise", "skip"])
def test_what_a_limit_brings_back_is_no_fault(mode: Any) -> None:
    """A limit that brings a gradient back into float32 is kept; float64 holds it anyway."""
    p, q = np.zeros(4, np.float32), np.zeros(4)
    assert adamas.SGD(p, lr=1.0, clip_norm=1.0, on_nonfinite=mode).step(np.full(4, 1e39))
    np.testing.assert_allclose(p, -0.5, rtol=1e-6)
    assert adamas.SGD(q, lr=1.0, on_nonfinite=mode).step(np.full(4, 1e39))
    assert q.tolist() == [-1e39] * 4


@pytest.mark.parametrize(
    ("rule", "options"), [("adamw", {"clip_norm": 1.0}), ("adamw", {"ema": 0.9}), ("adan", {})]
)
def test_all_or_nothing_where_gradients_are_read_first(rule: str, options: Any) -> None:
    """With a limit, and where a rule sets something up at a first step, nothing has changed."""
    params = [numbers(300, "float32", 0), numbers((2, 3), "float64", 1)]
    optimizer = make(rule, params, **options)
    g = np.ones(300, np.float32)
    g[299] = -np.inf
    before = snapshot(optimizer)
    with pytest.raises(adamas.NonFiniteError, match="nothing was changed") as raised:
        optimizer.step([g, np.ones((2, 3))])
    assert raised.value.left == 0
    assert snapshot(optimizer) == before
    assert optimizer.step([np.ones(300, np.float32), np.ones((2, 3))])


def test_a_gradient_that_is_the_parameter_is_named_as_it_was() -> None:
    """What the error tells is what the step read, also where it has overwritten that since."""
    w = np.ones(300, np.float32)
    w[150:] = 1e30
    with pytest.raises(adamas.NonFiniteError, match=r"e\+30 at \[0\]") as raised:
        adamas.SGD(w, lr=1e20).step(w[::-1], loss_scale=1e-10)
    assert raised.value.left == 256


NORMS = [("float32", "float64", "int8"), ("float32", "float32", "float32"),
         ("float32", "float16", "int4"), ("float64", "float32", "float64"),
         ("uint16", "uint16", "int8")]  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("dtype", "gradient", "state"), few_of(NORMS, 2))
def test_one_norm(
    monkeypatch: pytest.MonkeyPatch, dtype: str, gradient: str, state: str, threads: int
) -> None:
    """The norm has the same bits in one pass, read first, and with a limit; else it is NaN."""
    monkeypatch.setattr(phases, "PARALLEL", 0)
    shapes = [(5, 65), (3, 129), (400, 200), (7,)]
    found, tracked = set(), 0.0
    for options in ({"track_norm": True}, {"on_nonfinite": "raise"}, {"clip_norm": 1e9}, {}):
        params: list[Any] = [numbers(shape, dtype, k) for k, shape in enumerate(shapes)]
        optimizer = adamas.Lion(params, state=lambda key, array: state, threads=threads, **options)
        assert np.isnan(optimizer.grad_norm)
        given: list[Any] = [numbers(shape, gradient, 9 + k) for k, shape in enumerate(shapes)]
        if gradient != "float16":
            given[1] = adamas.Rows([2, 0, 2], given[1])
        optimizer.step(given)
        found.add(optimizer.grad_norm.hex())
        tracked = tracked or optimizer.grad_norm
    assert len(found) == 2 and "nan" in found
    plain = [numbers(shape, gradient, 9 + k) for k, shape in enumerate(shapes)]
    wide = [(widened(x) if gradient == "uint16" else x).astype(np.float64) for x in plain]
    if gradient != "float16":
        wide[1] = np.stack([wide[1][1], wide[1][0] + wide[1][2]])
    assert tracked == pytest.approx(np.linalg.norm(np.concatenate(wide, axis=None)), rel=1e-6)


@pytest.mark.parametrize("state", ["float32", "bfloat16", "int8", "int4"])
@pytest.mark.parametrize("limit", [1.0, 1e-3])
def test_tiny_factors_keep_their_digits(state: str, limit: float) -> None:
    """A gradient near 1e38 is clipped as float64 arithmetic clips it, in every storage format."""
    g = numbers(1000, "float32", 0)
    g = g / np.abs(g).max() * np.float32(1e38)
    p = np.zeros(1000, np.float32)
    optimizer = adamas.Momentum(p, lr=1.0, clip_norm=limit, state=lambda key, array: state)
    optimizer.step(g)
    wide = g.astype(np.float64)
    expected = -wide * (limit / np.linalg.norm(wide))
    np.testing.assert_allclose(p, expected, rtol=3e-7, atol=1e-44)


@pytest.mark.parametrize("rule", ELEMENTWISE)
def test_nan_throughout_changes_nothing(rule: str) -> None:
    """A gradient that is NaN throughout leaves every rule's arrays, numbers and counts alone."""
    params = [numbers((2, 70), "float64", 0), numbers(9, "float64", 1)]
    optimizer = make(rule, params)
    before = snapshot(optimizer)
    for _ in range(2):
        with pytest.raises(adamas.NonFiniteError):
            optimizer.step([np.full((2, 70), np.nan), np.full(9, np.nan)])
        assert snapshot(optimizer) == before
        optimizer.step([np.ones((2, 70)), np.ones(9)])
        before = snapshot(optimizer)
