"""Schedules over arrays and over numbers that a framework traces, and from their text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from adamas import words
from adamas.schedule import (
    Schedule,
    constant,
    cosine,
    exponential,
    linear,
    one_cycle,
    parse,
    step,
    warmup,
    wsd,
)

SINE = ("where", "minimum", "maximum", "sin")
STEPS = [*range(1, 30), 100, 101, 1001, 10**6]
# Corners: nothing to warm up, a peak at an end, both sides of a join undefined beyond it.
SHAPES = [
    constant(0.3),
    linear(0.7, 0.1, steps=9),
    warmup(0.3, steps=7, fraction=0.3),
    cosine(0.7, steps=9, end=0.1),
    cosine(0.7, steps=1),
    step(0.5, every=4, factor=0.3),
    exponential(0.5, factor=0.9),
    one_cycle(0.5, steps=9, div_factor=2, final_div_factor=4),
    one_cycle(0.5, steps=1),
    one_cycle(0.5, steps=9, pct_start=1),
    one_cycle(0.5, steps=9, pct_start=1 / 9),
    wsd(0.3, warmup=2, stable=3, decay=4, end=0.1),
    wsd(0.3, warmup=0, stable=0, decay=1),
    warmup(1e-3, steps=5).then(cosine(1e-3, steps=20, end=1e-5), at=5) * 0.5,
    exponential(1, factor=3).then(constant(2) * cosine(1, steps=9), at=11),
]


def called() -> np.ndarray[Any, Any]:
    """What every schedule returns when it is called, a row for each step."""
    return np.array([[one(t) for one in SHAPES] for t in STEPS])


def test_over_arrays() -> None:
    """In NumPy's words a schedule of many steps at once is what it is of each."""
    found = np.stack([one.over(vars(words))(np.array(STEPS)) + 0 * np.ones(33) for one in SHAPES])
    np.testing.assert_allclose(found.T, called(), rtol=1e-14)


@pytest.mark.parametrize(
    ("dtype", "within", "least"), [("float64", 1e-14, 0.0), ("float32", 2e-5, 1e-37)]
)
def test_traced_by_jax(dtype: str, within: float, least: float) -> None:
    """Jitted with the step as an argument, a schedule is what it is when called, to the dtype."""
    bound = {name: getattr(jnp, name) for name in SINE}
    kind = getattr(jnp, dtype)

    def values(t: Any) -> list[Any]:
        return [one.over(bound, kind)(t.astype(kind)) for one in SHAPES]

    with jax.enable_x64(dtype == "float64"):
        traced = jax.jit(values)
        found = [traced(jnp.int32(t)) for t in STEPS]
    np.testing.assert_allclose(np.array(found), called(), rtol=within, atol=least)


def test_over_tensors_of_torch() -> None:
    """In torch's words a schedule of a tensor is what it is of the number."""
    bound = {name: getattr(torch, name) for name in SINE}

    def number(value: float) -> torch.Tensor:
        return torch.tensor(value, dtype=torch.float64)

    functions = [one.over(bound, number) for one in SHAPES]
    found = [[float(f(number(t))) for f in functions] for t in STEPS]
    np.testing.assert_allclose(np.array(found), called(), rtol=1e-14)


GROWS = exponential(1.0, factor=1.5)
NOTHING = [
    exponential(0.0, factor=1.5),
    step(0.0, every=1, factor=3.0),
    GROWS * 0,
    GROWS * constant(0.0),
    linear(1.0, 0.0, steps=9) * GROWS,
]


@pytest.mark.parametrize("one", NOTHING, ids=repr)
def test_nothing_times_a_large_number_is_nothing(one: Schedule) -> None:
    """A zero grown beyond float64 is zero, called, over arrays and traced alike."""
    bound = {name: getattr(jnp, name) for name in SINE}
    with np.errstate(over="ignore"):
        array = one.over(vars(words))(np.array([20, 5000]))
    assert one(5000) == array[1] == 0
    traced = jax.jit(lambda t: one.over(bound, jnp.float32)(t.astype(jnp.float32)))
    assert traced(jnp.int32(5000)) == 0
    np.testing.assert_allclose(traced(jnp.int32(5)), one(5), rtol=1e-6)


@pytest.mark.parametrize(
    "one",
    [GROWS, GROWS * 2, one_cycle(1e308, steps=9, div_factor=1e-10).then(GROWS, at=2)],
    ids=repr,
)
def test_what_cannot_be_called_is_infinity_traced(one: Schedule) -> None:
    """A value beyond float64 is an error where it is called, and infinity, never NaN, elsewhere."""
    for t in (1, 5000) if one != GROWS and one != GROWS * 2 else (5000,):
        with pytest.raises(OverflowError, match="exceeds float64"):
            one(t)
        with np.errstate(all="ignore"):
            assert one.over(vars(words), np.float64)(np.float64(t)) == np.inf


@pytest.mark.parametrize("t", [jnp.int32(3), np.arange(3), torch.tensor(3)], ids=str)
def test_an_array_for_the_step_is_told_where_to_go(t: Any) -> None:
    """Whoever calls a schedule with an array is told of what takes one."""
    with pytest.raises(TypeError, match=r"schedule\.over\(words\).*adamas\.jax\.schedule"):
        cosine(0.1, steps=9)(t)


IN_TENSORFLOW = """
import sys
import numpy as np, tensorflow as tf
from adamas.schedule import parse
*texts, steps = sys.argv[1:]
words = {name: getattr(tf, name) for name in ("where", "minimum", "maximum", "sin")}

@tf.function(input_signature=[tf.TensorSpec((), tf.int64)])
def values(t):
    number = lambda value: tf.constant(value, tf.float64)
    return [parse(text).over(words, number)(tf.cast(t, tf.float64)) for text in texts]

for t in map(int, steps.split()):
    print(*(repr(float(value)) for value in values(tf.constant(t, tf.int64))))
"""


def test_traced_by_tensorflow() -> None:
    """In a graph of TensorFlow every schedule, from its text, is what it is when called."""
    arguments = [*map(repr, SHAPES), " ".join(map(str, STEPS))]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", IN_TENSORFLOW, *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, **quiet},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [list(map(float, line.split())) for line in done.stdout.splitlines()]
    np.testing.assert_allclose(np.array(found), called(), rtol=1e-14)


@pytest.mark.parametrize("one", SHAPES, ids=repr)
def test_a_text_is_read_back(one: Schedule) -> None:
    """A saved text is the schedule again, and so is what a user writes by hand."""
    assert parse(repr(one)) == one
    assert parse(f"2 * ({one!r})") == one * 2


REFUSED = {
    "__import__('os').getcwd()": "no schedule: there are constant, cosine",
    "cosine": "'cosine' is no schedule",
    "constant(0.1).second": "no schedule",
    "constant(0.1).then(constant(0.2), 3)": "no schedule",
    "constant(*[1])": "no schedule",
    "constant(**{'value': 1})": "no schedule",
    "constant(True)": "'True' is no schedule",
    "constant(-1)": "'-1' is no schedule",
    "constant('0.1')": "\"'0.1'\" is no schedule",
    "constant(0.1) + constant(0.2)": "no schedule",
    "0.1 .then(constant(1), at=2)": "no schedule",
    "Schedule()": "no schedule",
    "0.1": "'0.1' is a number; write constant(0.1)",
    "": "'' is no schedule: SyntaxError",
    "cosine(": "SyntaxError",
    "constant(1)" + " * 1" * 9999: "is no schedule: 40007 characters, at most 4000",
    "cosine(0.1, steps=0)": "cosine: steps=0 is not an int of at least 1",
    "constant(1e999)": "constant: value=inf",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:24])
def test_another_text_is_refused(text: str) -> None:
    """Nothing of a text is evaluated but shapes with numbers, and the message names what else."""
    with pytest.raises(ValueError, match=re.escape(REFUSED[text])):
        parse(text)


def test_what_is_no_text_is_refused() -> None:
    """A number in the place of a text is a TypeError that says what a text looks like."""
    with pytest.raises(TypeError, match="is not the text of a schedule, such as"):
        parse(0.1)  # type: ignore[arg-type]
