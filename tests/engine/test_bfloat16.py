"""Parameters and gradients of sixteen bits: nothing is lost on average, or nothing at all."""

import importlib
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import adamas
from adamas.codecs import BLOCK, FORMATS, SPLIT8, SPLIT16
from adamas.kernel.formula import parse
from few_bits import FewBits, bfloat16, everywhere, widened
from long_form import sampled
from stepping import make, snapshot

ml_dtypes: Any = importlib.import_module("ml_dtypes")

Array = NDArray[Any]
SIZE = 300


def numbers(seed: int, size: int = SIZE) -> Array:
    """Normal numbers that bfloat16 holds exactly, as float32."""
    drawn = np.random.default_rng(seed).normal(size=size)
    return drawn.astype(ml_dtypes.bfloat16).astype(np.float32)


def exact(optimizer: adamas.Optimizer, bits: Array) -> Array:
    """The parameter with its correction, as float32."""
    rest = optimizer.state[0]["p.rest"].astype(np.int32)
    whole = (bits.astype(np.int32) << 16) + (rest << (8 if rest.size and _bytes(optimizer) else 0))
    return whole.view(np.float32)


def _bytes(optimizer: adamas.Optimizer) -> bool:
    return bool(optimizer.state[0]["p.rest"].dtype == np.int8)


def test_ml_dtypes_and_bits_are_the_same() -> None:
    """Arrays of ml_dtypes.bfloat16 and uint16 views of them are stepped alike, in place."""
    one = numbers(0).astype(ml_dtypes.bfloat16)
    two = bfloat16(numbers(0))
    for p in (one, two):
        optimizer = adamas.AdamW(p, lr=0.1)
        for k in range(3):
            g = numbers(k + 1)
            optimizer.step(g.astype(ml_dtypes.bfloat16) if p is one else bfloat16(g))
    assert one.view(np.uint16).tobytes() == two.tobytes()
    assert not np.array_equal(two, bfloat16(numbers(0)))


@pytest.mark.parametrize("master", [None, 8, 16])
@pytest.mark.parametrize("start", [1.0, -0.0234375])
def test_tiny_updates_arrive(master: Any, start: float) -> None:
    """A thousand updates far below the last bit of bfloat16 move the mean as far as they should.

    Each random rounding errs by less than one step of the format, with mean 0 and independently, so
    the mean of n elements after t updates errs with a deviation below step * sqrt(t / n) / 2.
    """
    count, size, lr = 1000, 4096, 1e-5
    p = bfloat16(np.full(size, start))
    optimizer = adamas.SGD(p, lr=lr, master=master, seed=1)
    g = np.ones(size, np.float32)
    for _ in range(count):
        optimizer.step(g)
    moved = (exact(optimizer, p) if master else widened(p)).astype(np.float64) - start
    bits = {None: 8, 8: 16, 16: 24}[master]
    step = 2.0 ** (np.floor(np.log2(abs(start))) + 1 - bits)
    # float32 itself rounds every sum, to nearest and so always alike: half a unit a step.
    rounding = count * 2.0 ** (np.floor(np.log2(abs(start))) - 24)
    bound = 6 * step * (count / size) ** 0.5 / 2 + rounding
    assert abs(moved.mean() + count * lr) < bound
    assert bound < (0.3 if master is None else 0.02 if master == 8 else 0.01) * 1


def test_plain_nearest_would_stall() -> None:
    """The updates of that test are lost by rounding to nearest: the test asks for something."""
    assert ml_dtypes.bfloat16(1.0 - 1e-5) == 1


@pytest.mark.parametrize("form", ["float32", "int8"])
def test_split16_is_a_float32_master(form: str) -> None:
    """With 16 bits of correction a run has the bits of the same run in float32 throughout."""
    p, q = bfloat16(numbers(0)), numbers(0)
    split = adamas.AdamW(p, lr=0.01, master=16, state=everywhere(form))
    plain = FewBits(
        parse(adamas.rules.adamw), q,
        {"m": FORMATS[form]["mean"], "v": FORMATS[form]["square"]} | {"p": SPLIT16}, 0, 0, lr=0.01,
    )  # fmt: skip
    whole = numbers(0)
    optimizer = adamas.AdamW(whole, lr=0.01)
    for k in range(20):
        g = numbers(k + 1)
        split.step(g)
        plain.step(g)
        optimizer.step(g)
        assert exact(split, p).tobytes() == plain.p.tobytes()
        # What is seen is the nearest bfloat16.
        assert np.all(np.abs(widened(p) - plain.p) <= np.abs(plain.p) * 2.0**-8)
    if form == "float32":
        assert exact(split, p).tobytes() == whole.tobytes()


@pytest.mark.parametrize(
    ("master", "form"), sampled(itertools.product([None, 8], ["float32", "int8"]))
)
def test_rounded_parameters_have_the_bits_of_numpy(master: Any, form: str) -> None:
    """Parameter and correction are the codes of the fresh one for the words of the hash."""
    p = bfloat16(numbers(0))
    codecs = {"m": FORMATS[form]["mean"], "v": FORMATS[form]["square"]}
    codecs["p"] = SPLIT8 if master else FORMATS["bfloat16"]["square"]
    optimizer = adamas.AdamW(p, lr=0.01, master=master, state=everywhere(form), seed=6)
    numpy = FewBits(parse(adamas.rules.adamw), numbers(0), codecs, 6, 0, lr=0.01)
    for k in range(4):
        optimizer.step(bfloat16(numbers(k + 1)))
        numpy.step(numbers(k + 1))
        found = {"p": p, **optimizer.state[0]}
        for name, expected in numpy.kept_as.items():
            assert found[name].tobytes() == expected.tobytes(), (name, k)


def sixteen(kind: str, values: Array) -> Array:
    """Numbers in a format of sixteen bits."""
    return bfloat16(values) if kind == "bfloat16" else values.astype(np.float16)


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
@pytest.mark.parametrize("size", [1, 63, 301, 70_000])
def test_gradients_of_sixteen_bits(kind: str, size: int) -> None:
    """A float32 parameter steps with a short gradient as with the same numbers in float32."""
    short, whole = np.ones(size, np.float32), np.ones(size, np.float32)
    one, two = (make("momentum", p, lr=0.1, clip_norm=3.0) for p in (short, whole))
    for k in range(3):
        g = numbers(k, size) * 128
        one.step(sixteen(kind, g), loss_scale=128.0)
        two.step(g, loss_scale=128.0)
        norm = np.linalg.norm(g.astype(np.float64)) / 128
        assert one.grad_norm == pytest.approx(norm, rel=1e-12)
        assert two.grad_norm == pytest.approx(norm, rel=1e-12)
    np.testing.assert_allclose(short, whole, rtol=1e-6)
    if size == 301:
        assert short.tobytes() == whole.tobytes()


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
@given(values=st.lists(st.floats(-60000, 60000, width=16), min_size=1, max_size=80))
def test_every_short_number_is_read(kind: str, values: list[float]) -> None:
    """Every finite number of sixteen bits, subnormal ones too, is read as what it is."""
    g = np.array(values, np.float32)
    if kind == "bfloat16":
        g = g.astype(ml_dtypes.bfloat16).astype(np.float32)
    p = np.zeros(g.size, np.float32)
    adamas.Momentum(p, lr=1.0).step(sixteen(kind, g))
    assert np.array_equal(p, -g)


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_short_gradients_are_checked(kind: str, value: float) -> None:
    """NaN and infinity in sixteen bits are found, named, and change nothing."""
    p = np.ones(100, np.float32)
    optimizer = adamas.Momentum(p)
    g = np.ones(100, np.float32)
    g[41] = value
    before = snapshot(optimizer)
    with pytest.raises(adamas.NonFiniteError, match=rf"{value} at \[41\]"):
        optimizer.step(sixteen(kind, g))
    assert snapshot(optimizer) == before


def test_zero_grads() -> None:
    """Short gradients are set to zero in the same pass too."""
    g = sixteen("float16", np.ones(100))
    adamas.SGD(np.ones(100, np.float32), zero_grads=True).step(g)
    assert not g.any()


def test_float16_parameters_are_refused() -> None:
    """float16 is for gradients: as a parameter it is refused with what to use instead."""
    with pytest.raises(TypeError, match=r"float16.*float32"):
        adamas.SGD(np.ones(3, np.float16))


ROWS, STEPS = 12, 5


def visits(seed: int) -> list[Array]:
    """Which rows each step sees: some often, some once, the last never before the end."""
    rng = np.random.default_rng(seed)
    seen = [np.sort(rng.choice(ROWS - 1, 4, replace=False)) for _ in range(STEPS)]
    return [*seen, np.arange(ROWS)]


@pytest.mark.parametrize("width", [BLOCK // 2, 100, BLOCK, BLOCK + 36])
@pytest.mark.parametrize("form", ["int8", "int4", "bfloat16"])
def test_lazy_rows(form: str, width: int) -> None:
    """A lazy step gives its rows the bits of a dense one, and leaves every other byte."""
    rng = np.random.default_rng(0)
    p, q = (np.ones((ROWS, width), np.float32) for _ in range(2))
    lazy, dense = (adamas.AdamW(x, state=everywhere(form), lr=0.1, seed=3) for x in (p, q))
    rows = np.array([1, 5, 11])
    g = rng.normal(size=(ROWS, width)).astype(np.float32)
    before = lazy.values(0)
    lazy.step(adamas.Rows(rows, g[rows]))
    dense.step(g)
    others = np.setdiff1d(np.arange(ROWS), rows)
    assert p[rows].tobytes() == q[rows].tobytes()
    assert np.all(p[others] == 1)
    for name, found in lazy.values(0).items():
        assert found[rows].tobytes() == dense.values(0)[name][rows].tobytes()
        assert found[others].tobytes() == before[name][others].tobytes()


@pytest.mark.parametrize("width", [100, BLOCK])
@pytest.mark.parametrize("form", ["int8", "int4", "bfloat16"])
def test_exact_rows(form: str, width: int) -> None:
    """Rows that catch up have the bits of dense steps: the hash is of the step that was missed."""
    rng = np.random.default_rng(0)
    p, q = (np.ones((ROWS, width), np.float32) for _ in range(2))
    sparse = adamas.AdamW(p, state=everywhere(form), lr=0.1, seed=3, rows="exact")
    dense = adamas.AdamW(q, state=everywhere(form), lr=0.1, seed=3)
    for rows in visits(1):
        g = np.zeros((ROWS, width), np.float32)
        g[rows] = rng.normal(size=(len(rows), width))
        sparse.step(adamas.Rows(rows, g[rows]))
        dense.step(g)
    sparse.sync()
    assert p.tobytes() == q.tobytes()
    assert snapshot(sparse) == snapshot(dense)


@pytest.mark.parametrize("rows", ["lazy", "exact"])
def test_short_rows_are_refused(rows: Any) -> None:
    """Rows too short for blocks of their own are refused with the limit and the way out."""
    p = np.ones((50, 8), np.float32)
    optimizer = adamas.AdamW(p, state=everywhere("int8"), rows=rows)
    before = snapshot(optimizer)
    with pytest.raises(ValueError, match=rf"rows of 8 elements.*{BLOCK // 2}.*float32"):
        optimizer.step(adamas.Rows([1], np.ones((1, 8), np.float32)))
    assert snapshot(optimizer) == before
