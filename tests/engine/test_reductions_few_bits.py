"""Rules with reductions in few bits: sums are of what is computed, not of what is kept."""

from typing import Any

import numpy as np
import pytest

import adamas
from adamas import rules
from few_bits import everywhere
from reduction_foreign import Array, gradients, start
from reduction_steps import by_kernel

SHAPE, STEPS = (25, 40), 40
# Least correlation with float32's way, and least length of the way beside its: as for the family.
NEAR = {"bfloat16": (0.99, 0.8), "int8": (0.97, 0.8)}


def path(rule: Any, form: str) -> Array:
    """How far every element has moved after STEPS noisy gradients of an uneven bowl."""
    rng = np.random.default_rng(0)
    begun = rng.normal(size=SHAPE).astype(np.float32)
    steep = 10.0 ** rng.uniform(-1, 1, SHAPE)
    p = begun.copy()
    optimizer = adamas.Optimizer(rule, p, state=everywhere(form))
    for _ in range(STEPS):
        optimizer.step(((p + 0.3 * rng.normal(size=SHAPE)) * steep).astype(np.float32))
        assert np.isfinite(p).all()
    return (p - begun).ravel()


@pytest.mark.parametrize(
    ("rule", "form"),
    [(rules.lamb, "int8"), (rules.lamb, "bfloat16"), (rules.cautious_adamw, "int8")],
)
def test_tracks_float32(rule: Any, form: str) -> None:
    """After forty steps the elements have moved as in float32: same directions, similar lengths."""
    few, whole = path(rule, form), path(rule, "float32")
    least, shortest = NEAR[form]
    assert np.corrcoef(few, whole)[0, 1] > least
    assert shortest < np.linalg.norm(few) / np.linalg.norm(whole) < 1.25


@pytest.mark.parametrize("form", ["int8"])
def test_states_of_rows_and_columns_are_not_rounded(form: str) -> None:
    """Adafactor's factors are few already: in any format its bits are those of float32."""
    assert path(rules.adafactor, form).tobytes() == path(rules.adafactor, "float32").tobytes()


@pytest.mark.parametrize("rule", [rules.lamb, rules.cautious_adamw])
def test_one_step_in_few_bits_is_one_in_float32(rule: Any) -> None:
    """Only what is kept is rounded, so the first step has no loss at all."""
    p, grads = start(SHAPE, "float32"), gradients(SHAPE, "float32")[:1]
    whole = by_kernel(rule, p, grads)[0]["p"]
    few = by_kernel(rule, p, grads, state=everywhere("int8"))[0]["p"]
    assert few.tobytes() == whole.tobytes()


def test_another_dtype_for_rows_is_refused() -> None:
    """What a row has one number of is kept in the dtype of the arithmetic, and not otherwise."""
    p = np.ones((4, 3), np.float32)
    with pytest.raises(
        ValueError, match="kept once a row, in the dtype of the arithmetic, here fl"
    ):
        adamas.Optimizer(rules.adafactor, p, state={"r": "float64"})
    made = adamas.Optimizer(rules.adafactor, p, state={"r": "float32"})
    assert made.storage[0]["r"] == "float32"
