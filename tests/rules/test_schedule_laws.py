"""The laws of joining and scaling schedules, their identity, storage and errors."""

from __future__ import annotations

import copy
import math
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas import words
from adamas.schedule import parsing as schedule_parsing
from adamas.schedule import shapes as schedule
from adamas.schedule.shapes import (
    Schedule,
    constant,
    cosine,
    exponential,
    linear,
    one_cycle,
    step,
    warmup,
    wsd,
)

NAMES = {name: getattr(schedule, name) for name in schedule.__all__}
# NumPy's own numbers are accepted, though the signatures name float and int.
ONE32: Any = np.float32(1)
TEN64: Any = np.int64(10)

numbers = st.floats(0, 100)
counts = st.integers(1, 30)
factors = st.floats(0.1, 1.1)
shapes = st.one_of(
    st.builds(constant, numbers),
    st.builds(linear, numbers, numbers, steps=counts),
    st.builds(warmup, numbers, steps=counts, fraction=st.floats(0, 1)),
    st.builds(cosine, numbers, steps=counts, end=numbers),
    st.builds(step, numbers, every=counts, factor=factors),
    st.builds(exponential, numbers, factor=factors),
    st.builds(one_cycle, numbers, steps=counts, pct_start=st.floats(0, 1), div_factor=factors),
    st.builds(wsd, numbers, warmup=st.integers(0, 9), stable=counts, decay=counts, end=numbers),
)
schedules = st.recursive(
    shapes,
    lambda inner: st.one_of(
        st.builds(lambda a, b, n: a.then(b, at=n), inner, inner, counts),
        st.builds(lambda a, b: a * b, inner, inner | numbers),
        st.builds(lambda a, b: b * a, inner, numbers),
    ),
    max_leaves=6,
)
steps_t = st.integers(1, 300)


@given(a=schedules, b=schedules, n=counts, t=steps_t)
def test_then_starts_the_second_at_its_own_step_one(
    a: Schedule, b: Schedule, n: int, t: int
) -> None:
    """a.then(b, at=n) is a through step n, then b counted from 1."""
    assert a.then(b, at=n)(t) == (a(t) if t <= n else b(t - n))


@given(a=schedules, b=schedules, c=schedules, n=counts, m=counts, t=steps_t)
def test_then_is_associative(a: Schedule, b: Schedule, c: Schedule, n: int, m: int, t: int) -> None:
    """Three schedules joined from the left or from the right are the same function."""
    assert a.then(b, at=n).then(c, at=n + m)(t) == a.then(b.then(c, at=m), at=n)(t)


@given(a=schedules, b=schedules, x=numbers, t=steps_t)
def test_product_is_pointwise(a: Schedule, b: Schedule, x: float, t: int) -> None:
    """A product is the product of the values, in either order, for schedules and numbers."""
    assert (a * b)(t) == (b * a)(t) == a(t) * b(t)
    assert (a * x)(t) == (x * a)(t) == (a * constant(x))(t) == a(t) * x
    assert (np.float64(x) * a) == a * x
    assert (a * 1)(t) == a(t)


@given(a=schedules, b=schedules, x=numbers, n=counts, t=steps_t)
def test_a_number_distributes_over_then(a: Schedule, b: Schedule, x: float, n: int, t: int) -> None:
    """Scaling the whole is scaling the parts."""
    assert (a.then(b, at=n) * x)(t) == (a * x).then(b * x, at=n)(t)


@given(a=schedules, t=steps_t)
def test_values_are_finite_non_negative_floats(a: Schedule, t: int) -> None:
    """Every value is a float that a hyper-parameter may take: finite, and never below zero."""
    value = a(t)
    assert type(value) is float
    assert 0 <= value < math.inf


@given(a=schedules, t=steps_t)
def test_repr_evaluates_to_an_equal_schedule(a: Schedule, t: int) -> None:
    """The repr is an expression in the public names; it rebuilds the schedule bit for bit."""
    for again in (eval(repr(a), {"__builtins__": {}}, NAMES), schedule_parsing.parse(repr(a))):
        assert again == a
        assert hash(again) == hash(a)
        assert again(t) == a(t)


@given(a=schedules, t=st.lists(steps_t, min_size=2))
def test_over_words_is_what_a_call_is(a: Schedule, t: list[int]) -> None:
    """In NumPy's words, both sides of every choice evaluated, a schedule has the same values."""
    with np.errstate(all="raise", under="ignore"):
        found = a.over(vars(words))(np.array(t)) * np.ones(len(t))
    np.testing.assert_allclose(found, [a(one) for one in t], rtol=1e-13, atol=1e-300)


@given(a=schedules, t=steps_t, protocol=st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_pickle_and_deepcopy_round_trip(a: Schedule, t: int, protocol: int) -> None:
    """A schedule can be sent to another process and copied with the optimizer."""
    for again in (pickle.loads(pickle.dumps(a, protocol)), copy.deepcopy(a)):
        assert again == a
        assert again(t) == a(t)


def test_unpickles_where_nothing_was_imported() -> None:
    """A fresh process needs no import of ours before it loads and calls a schedule."""
    code = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read())(3))"
    data = pickle.dumps(linear(1, 0, steps=4) * cosine(1, steps=2).then(constant(4), at=1))
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert float(done.stdout) == 0.5 * 4


# Identity.


@pytest.mark.parametrize(
    "text",
    [
        "constant(1.0)",
        "cosine(0.001, steps=10000, end=0.0).then(constant(0.1), at=100)",
        "(cosine(0.001, steps=10, end=0.0) * 2.0).then(constant(0.1) * 0.5, at=3)",
        "constant(1.0) * (constant(2.0) * constant(3.0))",
        "constant(1.0) * constant(2.0) * constant(3.0)",
        "one_cycle(1.0, steps=9, pct_start=0.3, div_factor=25.0, final_div_factor=10000.0)",
    ],
)
def test_repr_is_the_expression(text: str) -> None:
    """An expression with every argument written out prints as itself, brackets included."""
    assert repr(eval(text, {}, NAMES)) == text


def test_equality_is_that_of_the_expression() -> None:
    """Types of numbers and spelled-out defaults do not matter; arguments and order do."""
    a = cosine(1, steps=10)
    assert a == cosine(1.0, steps=10, end=0) == cosine(ONE32, steps=TEN64, end=-0.0)
    assert {a, cosine(1.0, steps=10)} == {a}
    assert a not in (cosine(1, steps=11), linear(1, 0, steps=10), repr(a))
    assert a.then(a, at=2) != a.then(a, at=3)
    assert a * constant(1) != constant(1) * a


@pytest.mark.parametrize("ours", [cosine(1, steps=3), cosine(1, steps=3) * 2])
def test_schedules_are_frozen(ours: Schedule) -> None:
    """No attribute can be changed, so a value cannot differ from its repr."""
    for name in (*vars(ours), "lr"):
        with pytest.raises(FrozenInstanceError):
            setattr(ours, name, 2.0)


# Bad arguments: each message names the value, the limit and the fix.

NAN, INF = math.nan, math.inf
ONE = constant(1)
BAD: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: constant(-0.1), ValueError, "constant: value=-0.1 is not a finite number of at least"),
    (lambda: constant(NAN), ValueError, "value=nan"),
    (lambda: constant(10**400), ValueError, "finite number of at least 0, such as 0.001"),
    (lambda: constant(True), TypeError, "value=True"),
    (lambda: constant("0.1"), TypeError, "value='0.1'"),  # type: ignore[arg-type]
    (lambda: linear(1, INF, steps=3), ValueError, "linear: end=inf"),
    (lambda: linear(-1, 1, steps=3), ValueError, "linear: start=-1"),
    (
        lambda: linear(1, 0, steps=0),
        ValueError,
        "steps=0 is not an int of at least 1, such as 1000",
    ),
    (lambda: warmup(1, steps=-3), ValueError, "warmup: steps=-3"),
    (
        lambda: warmup(1, steps=3, fraction=1.1),
        ValueError,
        "fraction=1.1 is not a number from 0 to",
    ),
    (lambda: warmup(1, steps=3, fraction=NAN), ValueError, "fraction=nan"),
    (lambda: cosine(-1e-3, steps=9), ValueError, "cosine: lr=-0.001"),
    (lambda: cosine(ONE32 * NAN, steps=9), ValueError, "nan"),
    (lambda: cosine(1, steps=10.0), TypeError, "steps=10.0 is not an int"),  # type: ignore[arg-type]
    (lambda: cosine(1, steps=True), TypeError, "steps=True"),
    (lambda: cosine(1, steps=9, end=-1), ValueError, "cosine: end=-1"),
    (lambda: cosine(1), TypeError, "cosine: missing a required argument: 'steps'"),  # type: ignore[call-arg]
    (lambda: step(1, every=0, factor=0.5), ValueError, "step: every=0"),
    (lambda: step(1, every=2, factor=0), ValueError, "factor=0 is not a finite number above 0"),
    (lambda: exponential(1, factor=-0.5), ValueError, "exponential: factor=-0.5"),
    (lambda: exponential(1, factor=INF), ValueError, "factor=inf"),
    (lambda: one_cycle(1, steps=0), ValueError, "one_cycle: steps=0"),
    (lambda: one_cycle(1, steps=9, pct_start=-0.1), ValueError, "pct_start=-0.1"),
    (lambda: one_cycle(1, steps=9, pct_start=1.5), ValueError, "pct_start=1.5 is not a number"),
    (lambda: one_cycle(1, steps=9, div_factor=0), ValueError, "div_factor=0"),
    (lambda: one_cycle(1, steps=9, final_div_factor=0), ValueError, "final_div_factor=0"),
    (lambda: wsd(1, warmup=-1, stable=2, decay=2), ValueError, "wsd: warmup=-1"),
    (lambda: wsd(1, warmup=1, stable=-2, decay=2), ValueError, "wsd: stable=-2"),
    (lambda: wsd(1, warmup=1, stable=2, decay=0), ValueError, "wsd: decay=0"),
    (lambda: ONE.then(ONE, at=0), ValueError, "then: at=0 is not an int of at least 1"),
    (lambda: ONE.then(0.1, at=2), TypeError, "0.1 is not a Schedule"),  # type: ignore[arg-type]
    (lambda: ONE * -1, ValueError, "number=-1"),
    (lambda: NAN * ONE, ValueError, "number=nan"),
    (lambda: ONE * "2", TypeError, "multiply"),  # type: ignore[operator]
    (lambda: ONE32.reshape(1) * ONE, TypeError, "unsupported operand"),
    (
        lambda: ONE(0),
        ValueError,
        "t=0 is not an int of at least 1; the first optimizer step is t=1",
    ),
    (lambda: ONE(-5), ValueError, "t=-5"),
    (lambda: ONE(1.0), TypeError, "t=1.0"),  # type: ignore[arg-type]
    (lambda: exponential(1, factor=2)(1025), OverflowError, "t=1025 exceeds float64's 1.8e+308"),
    (lambda: step(1, every=1, factor=2)(1025), OverflowError, "cap it with .then"),
    (lambda: (constant(1e200) * constant(1e200))(1), OverflowError, "t=1 exceeds"),
]


@pytest.mark.parametrize(("call", "error", "words"), BAD)
def test_bad_arguments_are_named(
    call: Callable[[], object], error: type[Exception], words: str
) -> None:
    """A bad argument is refused with its name, its value and what is allowed."""
    with pytest.raises(error, match=re.escape(words)):
        call()
