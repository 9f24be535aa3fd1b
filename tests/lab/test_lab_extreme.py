"""Losses of 0, or near the ends of what a number can hold: a comparison ends with its page."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import inf, isfinite, sqrt
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab import compare
from adamas.lab.commands.suite import shares
from adamas.lab.problems import Params, Problem
from adamas.lab.protocol.comparing import exactly
from adamas.lab.report.exports import to_csv, to_latex
from adamas.lab.report.numbers import decimals_of
from adamas.lab.report.twins import twin_name
from adamas.lab.statistics import paired
from adamas.lab.statistics.intervals import bootstrap_interval, t_interval
from adamas.lab.statistics.moments import average, spread
from adamas.lab.tuning import Point, chosen
from html_pages import Page

# The loss of a run by its seed and by how far the weight has come from 1.
Loss = Callable[[int, float], float]


@dataclass(frozen=True)
class Slope:
    """A task whose gradient is tiny everywhere: Adam moves by lr, SGD hardly at all."""

    loss: Loss
    seed: int

    def start(self) -> Params:
        """Return 1."""
        return {"w": np.ones(2)}

    def batches(self) -> Iterator[None]:
        """Yield nothing of interest."""
        while True:
            yield None

    def gradient(self, params: Params, batch: None, grads: Params) -> float:
        """Push the weight downwards, and tell no more than a 1."""
        grads["w"][...] = 1e-6
        return 1.0

    def evaluate(self, params: Params) -> float:
        """Return 1 at the start, which must be above 0, and the loss from then on."""
        way = 1 - float(params["w"][0])
        return self.loss(self.seed, way) if way else 1.0

    def extras(self, params: Params) -> dict[str, float]:
        """Return the loss once more."""
        return {"again": self.evaluate(params)}


LOSSES: dict[str, Loss] = {
    "zero for all": lambda seed, way: 0.0,
    "zero for adam": lambda seed, way: 0.0 if way > 1e-3 else 1.0 + seed / 1000,
    "zero for some": lambda seed, way: 0.5 * (seed % 2),
    "near 1e300": lambda seed, way: 1e300 * (1 + seed / 100),
    "near 1e-320": lambda seed, way: 1e-320 * (seed % 7),
    "smallest": lambda seed, way: 5e-324,
    "largest": lambda seed, way: 1.7e308,
    "negative": lambda seed, way: -1.0 - seed / 100,
    "from end to end": lambda seed, way: 1.7e308 * (-1) ** seed,
}
# Those whose runs are compared as two numbers.
CERTAIN = {"zero for some", "smallest", "largest", "negative"}


@pytest.mark.parametrize("name", LOSSES)
def test_a_comparison_ends_with_its_page(tmp_path: Path, name: str) -> None:
    """Whatever the losses, there are results in strict JSON and a page in both languages."""
    problem = Problem("slope", 20, 10, 1, partial(Slope, LOSSES[name]), random=name not in CERTAIN)
    found = compare(problem, ["sgd", "adam"], quick=True, workers=1, progress=False,
                    out=tmp_path / "out")  # fmt: skip
    text = (tmp_path / "out" / "results.json").read_text("utf-8")
    results = json.loads(text, parse_constant=pytest.fail)
    for page in ("report.html", twin_name("report.html", "zh")):
        Page((tmp_path / "out" / page).read_text("utf-8"))
    assert to_csv(results) and to_latex(results)
    (one,) = results["comparisons"]
    means = {key: row["interval"]["mean"] for key, row in results["optimizers"].items()}
    assert (one["percent"]["mean"] is None) >= (means["adam"] == 0)
    assert one["word"] == ("worse" if name == "zero for adam" else "tie"), found


FINITE = st.floats(allow_nan=False, allow_infinity=False)
ORDINARY = st.lists(st.floats(1e-150, 1e150), min_size=2, max_size=12)


@given(st.lists(FINITE, min_size=1, max_size=12))
def test_any_mean_is_that_of_the_fractions(values: list[float]) -> None:
    """The mean of any numbers is the exact one, but for what rounding their sum costs."""
    exact = sum(map(Fraction, values)) / len(values)
    size = max(map(abs, values))
    assert abs(Fraction(average(values)) - exact) <= Fraction(size) / 2**51 + Fraction(5e-324)


@given(ORDINARY)
def test_ordinary_losses_keep_their_bits(values: list[float]) -> None:
    """Where Python's own functions give an answer it is theirs, to the last bit."""
    assert average(values) == fmean(values)
    assert spread(values, fmean(values)) == stdev(values, fmean(values))


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=15))
def test_intervals_scale_with_the_losses(values: list[int]) -> None:
    """Losses of 2**990 have the interval and the p-value of those losses by 1, 2**990 times."""
    plain, large = [float(v) for v in values], [v * 2.0**990 for v in values]
    for of in (t_interval, bootstrap_interval):
        one, other = of(plain), of(large)
        assert [other.mean, other.low, other.high] == [
            end * 2.0**990 for end in (one.mean, one.low, one.high)
        ]
    turned = sorted(plain), sorted(large)
    (here,) = paired.compare({"a": plain, "b": turned[0]}, ["b"])
    (there,) = paired.compare({"a": large, "b": turned[1]}, ["b"])
    assert (here.word, here.p, here.percent) == (there.word, there.p, there.percent)
    assert here.correlation == there.correlation


def test_the_spread_of_huge_losses_is_the_textbook_s() -> None:
    """For 1 and 3 times any size it is sqrt(2) times that size; beyond all numbers it is inf."""
    assert spread([1e300, 3e300], 2e300) == pytest.approx(sqrt(2) * 1e300)
    assert spread([-1.7e308, 1.7e308], 0.0) == inf


def test_a_difference_beyond_all_numbers_is_not_shown() -> None:
    """Where losses cannot be subtracted nothing is claimed."""
    sides = {"a": [1.7e308] * 4, "b": [-1.7e308] * 4}
    (one,) = paired.compare(sides, ["b"])
    assert (one.word, one.p) == ("few", 1.0)


@pytest.mark.parametrize(
    ("ours", "other", "percent", "word"),
    [(0.0, 0.0, None, "tie"), (1.0, 0.0, None, "worse"), (-1.0, 0.0, None, "better"),
     (-1.5, -1.0, -50.0, "better"), (-0.5, -1.0, 50.0, "worse"), (-1.01, -1.0, -1.0, "tie"),
     (1.5, 1.0, 50.0, "worse")],
)  # fmt: skip
def test_two_runs_without_chance(
    ours: float, other: float, percent: float | None, word: str
) -> None:
    """A lower loss is better whatever its sign, and nothing is a share of 0."""
    finals = {"a": [ours], "b": [other]}
    (one,) = paired.compare(finals, ["b"])
    found = exactly(one, finals, 0.02)
    share = found.percent.mean if isfinite(found.percent.mean) else None
    assert (share if share is None else round(share, 9), found.word) == (percent, word)


def test_shares_of_a_mean_of_0_are_1_or_infinite() -> None:
    """In a suite a loss of 0 equals a reference at 0, and any other is beyond all bounds."""
    rows = {"a": {"interval": {"mean": 0.5}, "finals": [0.0, 1.0, None]},
            "b": {"interval": {"mean": 0.0}, "finals": [0.0, 0.0, 0.0]}}  # fmt: skip
    assert shares({"optimizers": rows}, "a", "b") == [1.0, inf, inf]  # type: ignore[typeddict-item]


@given(FINITE, FINITE)
def test_any_interval_has_decimals(low: float, high: float) -> None:
    """Digits are found for any ends, so that a table can be printed."""
    assert 0 <= decimals_of({"mean": low / 2 + high / 2, "low": low, "high": high}) <= 8


def test_a_rate_is_chosen_at_the_smallest_loss() -> None:
    """The smallest number above 0 is a score like any other."""
    points = [Point(lr, score, 1, 0) for lr, score in ((0.01, 1.0), (0.1, 5e-324), (1.0, 1.0))]
    assert chosen(points) == 0.1
