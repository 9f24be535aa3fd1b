"""Rules of every structure step in every format, and stay near their float32 runs.

Not all rules in all formats, which would compile for minutes: `test_few_bits` has those with a
mean and a square, with one mean, with four states, with a scalar state and with an exact one; here
are the structures that are left, of which every run takes some.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from adamas import rules
from few_bits import everywhere
from long_form import few_of
from reduction_steps import SUMMING
from stepping import make

Array = NDArray[Any]
SIZE, STEPS = 500, 40
# Two squares, of which one feeds the step; a running maximum of sizes; few bits beside an exact
# maximum; a choice by the step; three states; a square of a difference; a masked step; an angle;
# a masked decay; a mean of quotients; a square read before it moves; a size apart from its sign.
RULES = ["adadelta", "adamax", "amsgrad", "radam", "ademamix", "adabelief", "masked_adamw"]
RULES += ["adam_atan2", "cautious_decay_adamw", "laprop", "adopt", "grams"]
# Least correlation with float32's way, and least length of the way beside its. The squares of this
# bowl span 13 octaves in a block, of which four bits have 8: the flat elements are held back.
NEAR = {"bfloat16": (0.99, 0.8), "int8": (0.97, 0.8), "int4": (0.5, 0.3)}
CASES = [(rule, "int8") for rule in RULES]
CASES += [
    ("adadelta", "int4"),
    ("adopt", "int4"),
    ("laprop", "int4"),
    ("ademamix", "int4"),
    ("adadelta", "bfloat16"),
    ("amsgrad", "int4"),
]


def path(rule: str, form: str) -> Array:
    """How far every element has moved after STEPS noisy gradients of an uneven bowl."""
    rng = np.random.default_rng(0)
    start = rng.normal(size=SIZE).astype(np.float32)
    steep = 10.0 ** rng.uniform(-1, 1, SIZE)
    p = start.copy()
    optimizer = make(rule, p, state=everywhere(form))
    for _ in range(STEPS):
        optimizer.step(((p + 0.3 * rng.normal(size=SIZE)) * steep).astype(np.float32))
        assert np.isfinite(p).all()
    for name in optimizer.formula.states:
        assert np.isfinite(optimizer.values(0)[name]).all()
    return p - start


@pytest.mark.parametrize(("rule", "form"), few_of(CASES, 7))
def test_tracks_float32(rule: str, form: str) -> None:
    """After forty steps the elements have moved as in float32: same directions, similar lengths.

    In int4 this is a smoke test: its bounds only tell a working rule from a broken one.
    """
    few, whole = path(rule, form), path(rule, "float32")
    least, shortest = NEAR[form]
    assert np.corrcoef(few, whole)[0, 1] > least
    assert shortest < np.linalg.norm(few) / np.linalg.norm(whole) < 1.25


@pytest.mark.parametrize("rule", ["adagrad", "rmsprop_centered"])
@pytest.mark.parametrize("form", ["int8", "int4", "bfloat16"])
def test_rules_that_keep_everything_exact(rule: str, form: str) -> None:
    """Where every state is exact, few bits change nothing: the bits of the float32 run."""
    assert path(rule, form).tobytes() == path(rule, "float32").tobytes()


def test_rules_left_out_are_covered_elsewhere() -> None:
    """The rules without few-bit runs here share a structure with one that has them."""
    covered = {*RULES, "adagrad", "rmsprop_centered"}
    covered |= {"adamw", "lion", "adan", "momentum", "nadam", "schedule_free_adamw"}
    # Those that sum are in `test_reductions_few_bits`.
    covered |= {*SUMMING}
    # The same states and words: adam and adamc as adamw, nesterov as momentum, rmsprop as adadelta,
    # signum as lion, the schedule-free ones as the one of them.
    alike = {"adam", "adamc", "nesterov", "rmsprop", "signum"}
    alike |= {"schedule_free_sgd", "schedule_free_radam"}
    assert set(rules.__all__) - covered == {"sgd", *alike}


@pytest.mark.parametrize("form", ["int8", "bfloat16"])
def test_a_mean_of_constant_gradients_arrives(form: str) -> None:
    """A first moment that never sees another gradient settles on it: a mean that forgets, g.

    Rounded to nearest it would stop where a tenth of what is missing is less than half a digit.
    """
    g = np.random.default_rng(5).uniform(0.5, 1.0, 8192).astype(np.float32)
    p = np.zeros_like(g)
    optimizer = make("adamw", p, lr=0.0, state={"m": form, "v": form})
    for _ in range(150):
        optimizer.step(g)
    m = optimizer.values(0)["m"].astype(np.float64)
    # What 150 steps leave out, 0.9**150, is below 1e-6; the mean of 8,192 errors of at most 1/16.
    assert np.mean(m / g) == pytest.approx(1.0, abs=2e-3)
