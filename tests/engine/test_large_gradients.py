"""Of a finite gradient no rule makes NaN or infinity unseen: in the kernels, for every rule."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import adamas
import reduction_rules as own
from adamas import rules
from adamas.codecs import BLOCK
from few_bits import everywhere
from long_form import sampled
from reduction_steps import SOME
from stepping import snapshot

Array = NDArray[Any]
LARGEST = float(np.finfo(np.float32).max)
SHAPES = {"matrix": (7, 50), "vector": (300,)}
# One of each way in which a large number goes through a rule of single elements.
SINGLE = ("sgd", "momentum", "adam", "adabelief", "rmsprop_centered", "adan", "mars", "lion")
EVERY = {name: getattr(rules, name) for name in (*SOME, *SINGLE)}
EVERY["clipped_momentum"], EVERY["fourth_powers"] = own.clipped_momentum, own.fourth_powers
every_rule = pytest.mark.parametrize("rule", EVERY.values(), ids=EVERY)


def made(rule: Any, mode: Any = "guard") -> tuple[adamas.Optimizer, dict[str, Array]]:
    """An optimizer of one tensor of each shape."""
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=s).astype(np.float32) for name, s in SHAPES.items()}
    return adamas.Optimizer(rule, params, on_nonfinite=mode), params


def drawn(seed: int, low: float, high: float, share: float) -> dict[str, Array]:
    """A gradient of each shape: `share` of it in sizes from 2**low to 2**high, the rest near 1."""
    rng, found = np.random.default_rng(seed), {}
    for name, shape in SHAPES.items():
        odd = 2.0 ** rng.uniform(min(low, high), max(low, high), shape) * rng.choice([-1, 1], shape)
        plain = rng.normal(size=shape)
        mixed = np.where(rng.random(shape) < share, odd, plain)
        found[name] = np.clip(mixed, -LARGEST, LARGEST).astype(np.float32)
    return found


def finite(optimizer: adamas.Optimizer, params: dict[str, Array]) -> bool:
    """Whether every parameter and every number of every state is."""
    numbers = [*params.values(), *(v for name in params for v in optimizer.values(name).values())]
    return all(np.isfinite(one).all() for one in numbers)


exponent = st.floats(-149, 127.9)


@every_rule
@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 9), exponent, exponent, st.sampled_from([0.0, 0.01, 1.0])),
        min_size=1,
        max_size=3,
    ),
    mode=st.sampled_from(["guard", "raise", "skip"]),
)
@example(steps=[(1, 127.9, 127.9, 0.01)] * 3, mode="guard")
@example(steps=[(1, 66.0, 66.0, 1.0)] * 2, mode="raise")
@example(steps=[(1, -140.0, -140.0, 1.0)] * 2, mode="guard")
@example(steps=[(1, -140.0, -140.0, 1.0)] * 2, mode="raise")
def test_all_stays_finite_or_is_told(
    rule: Any, steps: list[tuple[int, float, float, float]], mode: Any
) -> None:
    """Any finite gradients: after a step all is finite, and what an error tells of did not move."""
    optimizer, params = made(rule, mode)
    for step in steps:
        before = snapshot(optimizer)
        try:
            whole = optimizer.step(drawn(*step))
        except adamas.NonFiniteError as error:
            whole = True
            after = snapshot(optimizer)
            if error.left == 0:
                # Some rules have a first step that reads all gradients under guard, too.
                assert mode != "skip" and after == before
            elif optimizer.formula.over:
                mine = [k for k in before if k.partition(".")[0] == error.key]
                assert mine and all(after[k] == before[k] for k in mine)
        assert whole or snapshot(optimizer) == before
        assert finite(optimizer, params)


@every_rule
@pytest.mark.parametrize("mode", ["raise", "skip"])
@pytest.mark.parametrize("value", [LARGEST, 1e25, 1e-42])
def test_read_first_means_nothing_or_all(rule: Any, mode: str, value: float) -> None:
    """With "raise" and "skip" one large number, or nothing but small ones, moves all or nothing."""
    optimizer, params = made(rule, mode)
    optimizer.step(drawn(0, 0.0, 1.0, 0.0))
    before, g = snapshot(optimizer), drawn(1, 0.0, 1.0, 0.0)
    g["vector"][3] = value
    if value < 1:
        g["vector"][...] = value
    told, whole = None, False
    try:
        whole = optimizer.step(g)
    except adamas.NonFiniteError as error:
        told = error
    assert told is None or (mode == "raise" and told.key == "vector" and told.left == 0)
    after = snapshot(optimizer)
    # A step by next to nothing may change no bit of a parameter.
    assert after["steps"] != before["steps"] if whole else after == before
    assert finite(optimizer, params)


FORMS = ["float32", "bfloat16", "int8", "int4"]


@pytest.mark.parametrize(
    ("rule", "form", "zero"),
    sampled(itertools.product(["adamw", "rmsprop_centered"], FORMS, [False, True])),
)
def test_a_block_is_left_and_all_others_step(rule: str, form: str, zero: bool) -> None:
    """The block with 1e30 keeps every bit and its gradient, the others are as if it had not been.

    Its square is not a number of float32 (1.2e-38 to 3.4e38).
    """
    kept = "float32" if form == "float32" else everywhere(form)
    size, at = 5 * BLOCK + 30, BLOCK + 7
    block = slice(BLOCK, 2 * BLOCK)
    runs = []
    for value in (1e30, 1.0):
        p = np.ones(size, np.float32)
        optimizer = adamas.Optimizer(getattr(rules, rule), p, state=kept, zero_grads=zero)
        optimizer.step(np.random.default_rng(0).normal(size=size).astype(np.float32))
        before = {"p": p.copy(), **optimizer.values(0)}
        g = np.random.default_rng(1).normal(size=size).astype(np.float32)
        g[at] = value
        if value > 1:
            with pytest.raises(
                adamas.NonFiniteError, match=r"1e\+30 at \[135\].* of which"
            ) as told:
                optimizer.step(g)
            assert told.value.left == BLOCK
            assert g[at] == np.float32(1e30) and np.count_nonzero(g[block]) == BLOCK
        else:
            optimizer.step(g)
        runs.append((before, {"p": p, **optimizer.values(0)}))
    (before, found), (_, other) = runs
    for name, numbers in found.items():
        assert np.array_equal(numbers[block], before[name][block]), name
        rest = np.ones(size, bool)
        rest[block] = False
        assert np.array_equal(numbers[rest], other[name][rest]), name


@pytest.mark.parametrize("form", ["float32", "int8"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_tensor_of_many_slices_is_left_whole(form: str, threads: int) -> None:
    """Also where no slice sees all of it, and slices are tried by several threads."""
    shape = (600, 1000)
    params = {"a": np.ones(shape, np.float32), "b": np.ones((30, 5), np.float32)}
    optimizer = adamas.Lamb(params, state=form, threads=threads)
    grads = {name: np.full(p.shape, 0.5, np.float32) for name, p in params.items()}
    optimizer.step(grads)
    before = snapshot(optimizer)
    grads["a"][599, 999] = 1e25
    with pytest.raises(adamas.NonFiniteError, match=r"'a' holds 1e\+25 at \[599, 999\]") as told:
        optimizer.step(grads)
    after = snapshot(optimizer)
    assert told.value.left == 600_000
    assert all(after[k] == before[k] for k in before if k.partition(".")[0] == "a")
    assert after["b"] != before["b"]


def test_large_gradients_that_do_no_harm_are_taken() -> None:
    """A rule that looks at signs alone, and arithmetic that has room, take what they are given."""
    p, q = np.ones(300, np.float32), np.ones(300, np.float64)
    assert adamas.Lion(p, lr=0.1).step(np.full(300, 3e38, np.float32))
    assert adamas.Adam(q, lr=0.1, on_nonfinite="raise").step(np.full(300, 3e38))
    np.testing.assert_allclose(p, 0.9, rtol=1e-6)
    np.testing.assert_allclose(q, 0.9, rtol=1e-6)


def test_a_gradient_of_zeros_is_no_error() -> None:
    """Ratios of norms that are 0 are not finite where nobody reads them."""
    for name in SOME:
        p = np.ones((4, 30), np.float32)
        optimizer = adamas.Optimizer(EVERY[name], p)
        for _ in range(2):
            assert optimizer.step(np.zeros((4, 30), np.float32))
        assert np.isfinite(p).all(), name
