"""How many seeds would decide: against the noncentral t, a simulation, and whole commands."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from adamas.lab.statistics.deciding import LEVEL, LIMIT, POWER, chance, least, seeds_to_decide
from adamas.lab.statistics.paired import compare
from adamas.lab.statistics.repeated import compare_at


@given(st.integers(3, 120), st.floats(0.05, 3), st.integers(1, 5))
def test_the_power_is_that_of_the_noncentral_t(count: int, effect: float, questions: int) -> None:
    """Where nothing counts as a tie, the chance to decide is the t-test's power (SciPy's nct)."""
    critical = stats.t.isf(LEVEL / questions / 2, count - 1)
    shift = effect * np.sqrt(count)
    # SciPy has no number for some tails that are beyond all digits.
    other = np.nan_to_num(stats.nct.cdf(-critical, count - 1, shift))
    power = stats.nct.sf(critical, count - 1, shift) + other
    assert chance(count, 0.7 * effect, 0.7, 0.0, questions) == pytest.approx(power, abs=2e-3)


@pytest.mark.parametrize(
    ("count", "mean"),
    [(6, 0.0), (6, 0.1), (12, 0.0), (12, 0.06), (12, 0.15), (30, 0.1), (30, 0.04)],
)
def test_the_chance_is_how_often_it_happens(count: int, mean: float) -> None:
    """Of simulated comparisons as many are decided as is foretold, by either of the two."""
    rng, studies = np.random.default_rng(count), 4000
    drawn = mean + 0.1 * rng.normal(size=(studies, count))
    centres, errors = drawn.mean(axis=1), drawn.std(axis=1, ddof=1) / np.sqrt(count)
    shown = np.abs(centres) > stats.t.isf(LEVEL / 4, count - 1) * errors
    tied = np.abs(centres) + stats.t.isf(LEVEL / 2, count - 1) * errors < 0.1
    expected = np.mean(shown | tied)
    assert chance(count, mean, 0.1, 0.1, 2) == pytest.approx(expected, abs=4 * 0.5 / studies**0.5)


def test_the_fewest_seeds_are_the_textbook_s() -> None:
    """An effect of one spread, two-sided 2.5 %: SciPy's power passes 80 % at the same number."""

    def power(count: int) -> float:
        critical = stats.t.isf(LEVEL / 2, count - 1)
        return float(stats.nct.sf(critical, count - 1, np.sqrt(count)))

    fewest = next(n for n in range(3, 100) if power(n) >= POWER)
    assert least(1.0, 1.0, 0.0, 1) == fewest
    assert least(0.01, 1.0, 0.0, 1) is None


def noisy(count: int, shift: float, spread: float) -> dict[str, list[float]]:
    """Return losses around 1 with exactly that mean and that spread of the paired differences."""
    drawn = np.random.default_rng(1).normal(size=count)
    drawn = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return {"ours": (1 + shift + spread * drawn).tolist(), "theirs": [1.0] * count}


def test_what_is_seen_is_what_is_used() -> None:
    """The number comes from the mean and spread seen; a larger spread, as is likely, needs more."""
    finals = noisy(6, 0.05, 0.12)
    found = compare(finals, ["theirs"])
    (seeds,) = seeds_to_decide(found, finals, 0.02)
    assert found[0].word == "few" and seeds is not None
    assert seeds.seen == least(0.05, 0.12, 0.1, 1)
    largest = 0.12 * np.sqrt(5 / stats.chi2.ppf(0.1, 5))
    assert seeds.likely == least(0.05, largest, 0.1, 1)
    assert 6 < seeds.seen < seeds.likely <= LIMIT  # type: ignore[operator]


def test_what_is_decided_or_unknown_needs_none() -> None:
    """No number for a tie, for two seeds, and for a run that failed; None inside for too many."""
    failed = noisy(6, 0.05, 0.12) | {"theirs": [1.0] * 5 + [float("inf")]}
    for finals in (noisy(6, 0.0, 0.001), noisy(2, 0.1, 0.1), failed):
        assert seeds_to_decide(compare(finals, ["theirs"]), finals, 0.02) == [None]
    finals = noisy(6, 0.1, 2.0)
    (seeds,) = seeds_to_decide(compare(finals, ["theirs"]), finals, 0.02)
    assert seeds is not None and (seeds.seen, seeds.likely) == (None, None)


def test_ties_stay_questions() -> None:
    """Five ties are in Holm's number: the seeds named decide in 80 % of simulated studies."""
    finals = noisy(10, 0.06, 0.11) | {f"tie{k}": [1.0, 1.001] * 5 for k in range(5)}
    found = compare(finals, ["theirs"])
    assert [one.word for one in found] == ["few", *["tie"] * 5]
    seeds = seeds_to_decide(found, finals, 0.02)[0]
    assert seeds is not None and seeds.seen is not None
    rng, studies, decided = np.random.default_rng(5), 300, 0
    for _ in range(studies):
        drawn = {"ours": 1.06 + 0.11 * rng.normal(size=seeds.seen), "theirs": np.ones(seeds.seen)}
        drawn |= {f"tie{k}": 1 + 0.001 * rng.normal(size=seeds.seen) for k in range(5)}
        first, *_ = compare_at({k: v.tolist() for k, v in drawn.items()}, ["theirs"], LEVEL)
        decided += first.word != "few"
    assert decided / studies > POWER - 3 * (POWER * (1 - POWER) / studies) ** 0.5


def test_more_questions_need_more_seeds() -> None:
    """Four undecided comparisons are corrected for their number; differences are not counted."""
    one = noisy(8, 0.2, 0.3)
    alone = seeds_to_decide(compare(one, ["theirs"]), one, 0.02)[0]
    many = one | {f"n{k}": one["ours"] for k in range(3)}
    sure = one | {"sure": [3.0 + 0.001 * k for k in range(8)]}
    assert alone is not None and alone.seen is not None
    first = seeds_to_decide(compare(many, ["theirs"]), many, 0.02)[0]
    assert first is not None and first.seen is not None and first.seen > alone.seen
    assert seeds_to_decide(compare(sure, ["theirs"]), sure, 0.02)[0] == alone
