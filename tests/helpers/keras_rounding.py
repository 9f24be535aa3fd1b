"""bfloat16 and other dtypes of variables, gradients and states in `adamas.keras`."""

from typing import Any

import keras
import numpy as np
from keras import ops

import adamas
import adamas.keras
from adamas.codecs import BFLOAT16_RANDOM
from adamas.kernel.formula import parse
from few_bits import FewBits
from keras_numbers import apart, referred, values

COUNT = 2048


def widened(variable: Any) -> Any:
    """A variable's numbers as float32 of NumPy."""
    return ops.convert_to_numpy(ops.cast(variable, "float32"))


def descended(seed: int, steps: int = 50) -> Any:
    """Ones of bfloat16 after steps of 1e-2 downhill."""
    optimizer = adamas.keras.Adam(learning_rate=1e-2, seed=seed)
    variable = keras.Variable(np.ones(COUNT), dtype="bfloat16")
    for _ in range(steps):
        optimizer.apply_gradients([(ops.ones(COUNT, dtype="bfloat16"), variable)])
    assert all(v.dtype == "float32" for v in optimizer.variables[2:])
    return widened(variable)


def check_bfloat16_variables_arrive_on_average() -> None:
    """50 steps of 1e-2 take a bfloat16 variable from 1 to 0.5 on average, the same way again."""
    found = descended(0)
    # A rounding is off by at most one of 2**-8: their mean over 2,048 numbers by four sigmas.
    assert abs(float(found.mean()) - 0.5) < 4 * np.sqrt(50 / 12) * 2**-8 / np.sqrt(COUNT)
    assert found.std() > 0
    np.testing.assert_array_equal(found, descended(0))
    assert (found != descended(1)).any()


def check_bfloat16_rounds_as_the_kernels_do() -> None:
    """Variables and states of bfloat16 are rounded by the random words that kernels use."""
    p, gradients = values(0, 3, 100), values(1, 10, 3, 100)
    start = widened(keras.Variable(p, dtype="bfloat16"))
    codecs = dict.fromkeys(("p", "m", "v"), BFLOAT16_RANDOM)
    oracle = FewBits(parse(adamas.rules.adam), start, codecs, 7, 1, lr=1e-2)
    optimizer = adamas.keras.Adam(learning_rate=1e-2, state="bfloat16", seed=7)
    first = keras.Variable(p, dtype="bfloat16")
    second = keras.Variable(p, dtype="bfloat16")
    for g in gradients:
        oracle.step(g)
        pairs = [(ops.convert_to_tensor(g), v) for v in (first, second)]
        optimizer.apply_gradients(pairs)
    assert [v.dtype for v in optimizer.variables[2:]] == ["bfloat16"] * 4
    # Other orders of operations differ in the last bit of float32, which is rarely rounded apart.
    assert (widened(second) == oracle.p).mean() > 0.98
    assert (widened(first) == oracle.p).mean() < 0.9


def check_bfloat16_state_is_unbiased() -> None:
    """State in bfloat16 trains a float32 variable as float32 state does, on average."""
    gradients = [np.full(COUNT, x, np.float32) for x in np.linspace(1, 3, 60)]
    optimizer = adamas.keras.Adam(learning_rate=1e-2, state={"v": "bfloat16"})
    variable = keras.Variable(np.zeros(COUNT, np.float32))
    for g in gradients:
        optimizer.apply_gradients([(ops.convert_to_tensor(g), variable)])
    assert [v.dtype for v in optimizer.variables[2:]] == ["float32", "bfloat16"]
    expected = referred(adamas.rules.adam, np.zeros(1), [g[:1] for g in gradients], lr=1e-2)
    assert abs(float(widened(variable).mean()) / float(expected[0]) - 1) < 1e-3


def check_few_bits_compute_in_float32() -> None:
    """Gradients and variables of float16 and bfloat16 are stepped in float32, zeros included."""
    for dtype in ("float16", "bfloat16"):
        optimizer = adamas.keras.Adam(learning_rate=1e-2)
        variable = keras.Variable(np.ones(4), dtype=dtype)
        for g in (np.zeros(4), np.full(4, 1e-6)):
            optimizer.apply_gradients([(ops.cast(ops.convert_to_tensor(g), dtype), variable)])
        assert np.isfinite(widened(variable)).all()
        assert (widened(variable) < 1).all()


def check_float64_variables_have_float64_state() -> None:
    """A float64 variable is stepped in float64, where the backend has it."""
    if keras.backend.backend() == "jax":
        return
    p, gradients = values(2, 50).astype(np.float64), values(3, 30, 50).astype(np.float64)
    optimizer = adamas.keras.AdamW(learning_rate=0.0625)
    variable = keras.Variable(p, dtype="float64")
    for g in gradients:
        optimizer.apply_gradients([(ops.convert_to_tensor(g), variable)])
    expected = referred(adamas.rules.adamw, p, gradients, lr=0.0625)
    assert apart(ops.convert_to_numpy(variable), expected) < 1e-14
    assert [v.dtype for v in optimizer.variables[2:]] == ["float64", "float64"]


def check_averages_of_few_bits_are_fine() -> None:
    """The average of bfloat16 variables is kept in float32, with the share that was asked for."""
    optimizer = adamas.keras.SGD(learning_rate=0.25, use_ema=True, ema_momentum=0.99,
                                 ema_overwrite_frequency=3)  # fmt: skip
    variable = keras.Variable(np.ones(2), dtype="bfloat16")
    ones = ops.ones(2, dtype="bfloat16")
    expected = 0.75
    optimizer.apply_gradients([(ones, variable)])
    for p in (0.5, 0.25):
        optimizer.apply_gradients([(ones, variable)])
        expected = 0.99 * expected + 0.01 * p
    average = optimizer.variables[2]
    np.testing.assert_allclose(ops.convert_to_numpy(average), expected, rtol=1e-6)
    np.testing.assert_allclose(widened(variable), expected, rtol=2**-8)
