"""What the statistics promise, on simulated optimizers whose truth is known.

Every bound is the promise plus or minus four binomial standard deviations, so that a sound
statistic fails one such test in about 15,000; seeds are fixed all the same. The promises are those
of `paired.compare` and of docs/decisions/0011-intervals.md.
"""

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from adamas.lab.statistics.intervals import interval
from adamas.lab.statistics.paired import compare

Floats = NDArray[np.float64]
Finals = dict[str, list[float]]
Draw = Callable[[np.random.Generator, int], Floats]

# Final losses over seeds, with mean 1.
LOSSES: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(1, 0.05, n),
    "lognormal": lambda rng, n: rng.lognormal(-0.045, 0.3, n),
    "heavy": lambda rng, n: 1 + 0.05 * rng.standard_t(3, n),
    "skewed": lambda rng, n: rng.lognormal(-0.32, 0.8, n),
}
# Measured with 4,000 studies each: the lowest over 3, 5, 10 and 20 seeds, rounded down.
COVERAGE = {"normal": 0.945, "lognormal": 0.93, "heavy": 0.935, "skewed": 0.86}
SEEDS = (3, 5, 10, 20)
NAMES = ("adam", "momentum", "sgd", "rmsprop")


def slack(share: float, trials: int) -> float:
    """Return four standard deviations of a share observed in independent trials."""
    return 4 * sqrt(share * (1 - share) / trials)


def generator(*key: object) -> np.random.Generator:
    """Return a generator that depends on all of `key` and on nothing else."""
    return np.random.default_rng(list(repr(key).encode()))


def study(rng: np.random.Generator, seeds: int, spread: float, planted: float = 0.0) -> Finals:
    """Simulate the final losses of four optimizers that share their splits and starts.

    Paired differences are normal with standard deviation `spread`, in units of the mean loss. The
    last optimizer is worse by `planted`.
    """
    shared = 0.3 * rng.lognormal(0, 0.1, seeds)
    noise = rng.normal(0, 0.3 * spread / sqrt(2), (len(NAMES), seeds))
    noise[-1] += 0.3 * planted
    return dict(zip(NAMES, (shared + noise).tolist(), strict=True))


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("kind", LOSSES)
def test_intervals_cover_the_mean(kind: str, seeds: int) -> None:
    """The interval of one optimizer holds its true mean as often as is said, also when skewed."""
    rng, trials = generator(kind, seeds), 400
    hits = 0
    for _ in range(trials):
        found = interval(LOSSES[kind](rng, seeds).tolist())
        hits += found.low <= 1 <= found.high
    assert hits / trials >= COVERAGE[kind] - slack(COVERAGE[kind], trials)
    if kind == "normal":
        assert hits / trials <= 0.955 + slack(0.955, trials)


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("kind", LOSSES)
def test_paired_intervals_cover_the_difference(kind: str, seeds: int) -> None:
    """The interval of a paired difference holds the truth in 95 % of studies, whatever the losses.

    The optimizer is worse by 0.3, and both share a factor that the seed draws.
    """
    rng, trials = generator("paired", kind, seeds), 600
    hits = 0
    for _ in range(trials):
        shared = rng.lognormal(0, 0.3, seeds)
        ours, theirs = (shared + LOSSES[kind](rng, seeds) for _ in range(2))
        (found,) = compare({"ours": (ours + 0.3).tolist(), "theirs": theirs.tolist()}, ["theirs"])
        hits += found.difference.low <= 0.3 <= found.difference.high
    assert hits / trials >= 0.95 - slack(0.95, trials)


@pytest.mark.parametrize(("seeds", "spread"), [(3, 0.05), (5, 0.05), (10, 0.05), (10, 0.1)])
def test_equal_optimizers_are_rarely_told_apart(seeds: int, spread: float) -> None:
    """A/A: any "better" or "worse" among five comparisons in at most 5 % of studies."""
    rng, trials = generator("alike", seeds, spread), 2000 if spread == 0.05 and seeds == 10 else 500
    wrong = 0
    for _ in range(trials):
        words = {found.word for found in compare(study(rng, seeds, spread), NAMES[:2])}
        wrong += not words.isdisjoint({"better", "worse"})
    assert wrong / trials <= 0.05 + slack(0.05, trials)


@pytest.mark.parametrize(
    ("seeds", "spread", "share"),
    [(10, 0.02, 0.98), (10, 0.05, 0.98), (10, 0.075, 0.9), (10, 0.1, 0.6), (20, 0.1, 0.96)],
)
def test_equal_optimizers_tie(seeds: int, spread: float, share: float) -> None:
    """A/A: the comparisons are ties at the rate that `compare` states."""
    rng, trials = generator("tie", seeds, spread), 400
    ties = 0
    for _ in range(trials):
        found = compare(study(rng, seeds, spread), NAMES[:2])
        # One comparison a study, because those of one study depend on each other.
        ties += found[int(rng.integers(len(found)))].word == "tie"
    assert ties / trials >= share - slack(share, trials)


@pytest.mark.parametrize(("seeds", "spread"), [(5, 0.03), (10, 0.05), (20, 0.05)])
def test_a_planted_difference_is_found_at_the_power_of_the_t_test(
    seeds: int, spread: float
) -> None:
    """Alone, a real 5 % is "worse" as often as the noncentral t distribution says."""
    rng, trials = generator("planted", seeds, spread), 1500
    worse = 0
    for _ in range(trials):
        losses = study(rng, seeds, spread, planted=0.05)
        pair = {"rmsprop": losses["rmsprop"], "adam": losses["adam"]}
        worse += compare(pair, ["adam"], margin=0.0)[0].word == "worse"
    power = power_of_t(seeds, 0.05 / spread, 0.05)
    assert abs(worse / trials - power) <= slack(power, trials)


@pytest.mark.parametrize(
    ("seeds", "spread", "stated"), [(10, 0.02, 0.99), (10, 0.05, 0.5), (20, 0.05, 0.94)]
)
def test_a_planted_difference_is_found_among_four(seeds: int, spread: float, stated: float) -> None:
    """Among five corrected comparisons it is found as stated, at least as often as Bonferroni's."""
    rng, trials = generator("among", seeds, spread), 400
    worse = 0
    for _ in range(trials):
        found = compare(study(rng, seeds, spread, planted=0.05), NAMES[:2])
        worse += {(c.optimizer, c.reference): c.word for c in found}["rmsprop", "adam"] == "worse"
    least = max(stated, power_of_t(seeds, 0.05 / spread, 0.05 / 5) - 0.01)
    assert worse / trials >= least - slack(least, trials)


def power_of_t(seeds: int, effect: float, alpha: float) -> float:
    """Return the chance that a two-sided paired t-test finds an effect, in the right direction."""
    bound = stats.t.isf(alpha / 2, seeds - 1)
    return float(stats.nct.sf(bound, seeds - 1, effect * sqrt(seeds)))


def test_failing_alike_is_not_being_better() -> None:
    """A/A with one run in twenty failing: a claim in at most 5 % of studies, at ten seeds."""
    rng, trials = generator("failing"), 500
    wrong = 0
    for _ in range(trials):
        losses = study(rng, 10, 0.05)
        failed = {
            name: [float("inf") if rng.random() < 0.05 else loss for loss in row]
            for name, row in losses.items()
        }
        words = {found.word for found in compare(failed, NAMES[:2])}
        wrong += not words.isdisjoint({"better", "worse"})
    assert wrong / trials <= 0.05 + slack(0.05, trials)
