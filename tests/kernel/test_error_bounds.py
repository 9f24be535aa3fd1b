"""The bounds that kernels are held to, where rounding decides more than the last digits."""

from pathlib import Path

import numpy as np
import pytest

from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from error_bounds import WildAnalysis
from few_bits import Array
from hoisted import Interpreter
from written import function

# A difference that is 0 in exact arithmetic and left over from rounding here.
NOTHING = "((p * 0.3 + 1) - 1 - p * 0.3)"
DECIDED: dict[str, str] = {
    "a root of what may be negative": f"sqrt({NOTHING})",
    "the sign of what may be NaN": f"sign(sqrt({NOTHING}))",
    "the power of what may be 0": f"{NOTHING} ** -2",
    "an even power of what may be 0": f"({NOTHING} * 1e6) ** 6",
    "an odd power of what may be 0": f"({NOTHING} * 1e6) ** 5",
    "a root of any degree": f"{NOTHING} ** 0.3",
    "an exponent that may have any sign": f"p ** ({NOTHING} * 1e30)",
    "a power of 1": "(1 - p * 1e-9) ** 3e38",
    "a power of a root": "sqrt(1 - p * 1e-9) ** 3e38",
    "a root of a power": "(p ** 1e-9) ** 3e38",
    "a power of a quotient": "(p / 7 * 7 / p) ** -3e38",
}
POINTS = np.concatenate(
    [np.arange(0, 9, 0.25), np.random.default_rng(0).uniform(0, 8, 2000), 1 + np.arange(99) / 2**23]
)


def beyond(text: str, dtype: str, folder: Path) -> tuple[Array, Array]:
    """Where NumPy in `dtype` and the float64 run are apart, and where that is out of bounds."""
    formula = parse(function(folder, f"def f(p, g):\n    return {text}"))
    p = POINTS.astype(dtype)
    run, reference = Interpreter(formula, p, dtype), Reference(formula, p)
    analysis = WildAnalysis(formula, p, dtype)
    for each in (run, reference, analysis):
        each.step(np.ones_like(p))
    found = run.p.astype(np.float64)
    apart = ~((found == reference.p) | (np.isnan(found) & np.isnan(reference.p)))
    bound = np.broadcast_to(analysis.bound("p"), p.shape)
    return apart, apart & ~(np.abs(found - reference.p) <= bound) & np.isfinite(bound)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", DECIDED)
def test_what_rounding_decides_has_no_false_bound(tmp_path: Path, case: str, dtype: str) -> None:
    """Where one unit makes NaN, 0 or infinity, two runs may have either, and the bound says so."""
    with np.errstate(all="ignore"):
        apart, outside = beyond(DECIDED[case], dtype, tmp_path)
    assert not outside.any(), (POINTS[outside], outside.sum())
    assert apart.any() or dtype == "float64"


@pytest.mark.parametrize("text", ["p * 0.3 + 1", "sqrt(p) * p", "p**3", "p ** 1.5", "1.5 ** p"])
def test_what_rounding_does_not_decide_is_bounded_closely(tmp_path: Path, text: str) -> None:
    """A few operations are off by a few units: the bound is no way to let everything pass."""
    formula = parse(function(tmp_path, f"def f(p, g):\n    return {text}"))
    analysis = WildAnalysis(formula, POINTS, "float32")
    analysis.step(np.ones_like(POINTS))
    assert (analysis.bound("p") <= 64 * 2.0**-24 * np.maximum(analysis.p.value, 1e-30)).all()
