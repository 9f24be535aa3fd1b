"""Which optimizer is better: paired seeds, corrected for the number of questions, in one word.

A seed fixes the data split, the start and the order of the batches for every optimizer, so losses
are subtracted seed by seed. Asking several questions of the same runs finds differences that are
not there; Holm's correction holds the chance of even one false claim at `alpha`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan, sqrt
from statistics import StatisticsError, correlation, mean

import numpy as np
from scipy.special import stdtr

from adamas.lab.constants import MARGIN, MINIMUM_SEEDS
from adamas.lab.statistics.intervals import NOTHING, Interval, t_interval
from adamas.lab.statistics.moments import shrunk, spread

COARSE = 5
"""A tie needs an interval within this many margins: 10 % of the reference's mean by default."""

Finals = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Comparison:
    """One optimizer beside one reference on the same seeds; losses, so lower is better.

    `difference` is optimizer minus reference, `percent` the same in per cent of the reference's
    mean (taken as known); both NaN when a run failed, and `percent` where losses have both signs,
    because a part of such a mean says nothing. `p` is two-sided, `p_holm` corrected for all
    comparisons made together, and for all looks (`repeated.compare_at`). `p_win` is the share of
    pairs of runs in which the optimizer ends lower. `correlation` is Pearson's over seeds, None
    where it is not defined.
    """

    optimizer: str
    reference: str
    difference: Interval
    percent: Interval
    p: float
    p_holm: float
    word: str
    p_win: float
    correlation: float | None
    seeds: int


def compare(
    finals: Finals, references: Sequence[str], margin: float = MARGIN, alpha: float = 0.05
) -> list[Comparison]:
    """Compare every optimizer with every reference; two references meet once.

    `finals` holds the final losses per optimizer, in one order of seeds; a run that failed is inf
    or NaN. `margin` is the share of the reference's mean below which a difference does not matter;
    intervals have the level 1 - `alpha`.
    The word is

    - "diverged" when a run of the optimizer failed;
    - "few" (not enough seeds) below three seeds;
    - "better" or "worse" when `p_holm` < `alpha`, unless the interval is within the margin;
    - "tie" otherwise, if the interval is within five margins: differences above 10 % are ruled out;
    - "few" otherwise: a difference that matters is neither shown nor ruled out.

    The p-value is the paired t-test's. With a failed run it is that of the ranks (see `contrast`);
    when only the reference has failures, the word is "better" or "worse" if that is significant and
    else "few": failures count, but one in ten proves nothing.

    Simulated with four equal optimizers (A/A), two references and ten seeds: "better" or "worse"
    anywhere in 5 % of studies. "tie" in 98 % of comparisons when the paired differences have a
    standard deviation of 2 to 5 % of the mean, in 90 % at 7.5 % and 60 % at 10 % (96 % with 20
    seeds); else mostly "few". A planted difference of 5 % is found in 99 % of studies at a standard
    deviation of 2 %, in half at 5 % (94 % with 20 seeds). docs/decisions/0011-intervals.md.

    Raises `ValueError` for a reference without losses and for losses of unequal number.
    """
    check(finals, references)
    pairs = questions(finals, references)
    raw = [p_value(finals[ours], finals[reference]) for ours, reference in pairs]
    return [
        comparison(pair, finals, (p, p_holm), margin, alpha)
        for pair, p, p_holm in zip(pairs, raw, holm(raw), strict=True)
    ]


def check(finals: Finals, references: Sequence[str]) -> None:
    """Refuse references without losses, and losses that cannot be paired."""
    unknown = [name for name in references if name not in finals]
    if unknown:
        raise ValueError(f"no losses of the references {unknown}; there are {sorted(finals)}")
    counts = {name: len(losses) for name, losses in finals.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"seeds cannot be paired: {counts} losses; give every optimizer the same")


def questions(finals: Finals, references: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs (optimizer, reference), each two names once.

    >>> questions({"adam": [], "momentum": [], "sgd": []}, ["adam", "momentum"])
    [('momentum', 'adam'), ('sgd', 'adam'), ('sgd', 'momentum')]
    """
    chosen = list(dict.fromkeys(references))
    return [
        (name, reference)
        for place, reference in enumerate(chosen)
        for name in finals
        if name not in chosen[: place + 1]
    ]


def comparison(
    pair: tuple[str, str], finals: Finals, p: tuple[float, float], margin: float, alpha: float
) -> Comparison:
    """Put one comparison together; `p` is the p-value before and after the correction."""
    ours, theirs = (finals[name] for name in pair)
    found = t_interval(contrast(ours, theirs), 1 - alpha) if ours else NOTHING
    word = judge((ours, theirs), found, p[1] < alpha, margin)
    wins = win_probability(ours, theirs)
    if failures(ours) + failures(theirs) or not ours:
        return Comparison(*pair, NOTHING, NOTHING, *p, word, wins, None, len(ours))
    one_sign = min(*ours, *theirs) >= 0 or max(*ours, *theirs) <= 0
    percent = in_percent(found, mean(theirs)) if one_sign else NOTHING
    related = pearson(ours, theirs)
    return Comparison(*pair, found, percent, *p, word, wins, related, len(ours))


def judge(
    losses: tuple[Sequence[float], Sequence[float]],
    found: Interval,
    significant: bool,
    margin: float,
) -> str:
    """Choose the word of one comparison by the rule that `compare` states.

    `losses` are the optimizer's and the reference's, `found` the interval of their `contrast`.
    """
    ours, theirs = losses
    if failures(ours):
        return "diverged"
    if len(ours) < MINIMUM_SEEDS:
        return "few"
    direction = "better" if found.mean < 0 else "worse"
    if failures(theirs):
        return direction if significant else "few"
    unit = margin * abs(mean(theirs))
    if significant and not within(found, unit):
        return direction
    return "tie" if within(found, COARSE * unit) else "few"


def within(found: Interval, bound: float) -> bool:
    """Say whether a whole interval lies between -bound and bound."""
    return -bound <= found.low and found.high <= bound


def failures(losses: Sequence[float]) -> int:
    """Count the runs without a finite loss."""
    return sum(not isfinite(loss) for loss in losses)


def contrast(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return the differences seed by seed; with a failed run, those of the ranks among all runs.

    A failed run has no loss to subtract, but it is worse than any run that ended: it ranks last,
    together with all others that failed (the rank transform of Conover and Iman 1981).
    """
    if failures(ours) + failures(theirs):
        from scipy.stats import rankdata

        losses = [loss if isfinite(loss) else inf for loss in (*ours, *theirs)]
        ranks = rankdata(losses).tolist()
        ours, theirs = ranks[: len(ours)], ranks[len(ours) :]
    return [a - b for a, b in zip(ours, theirs, strict=True)]


def p_value(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the two-sided p-value of Student's paired t-test on `contrast`.

    It is 1 below two seeds, and where a difference is beyond the largest number: nothing is known
    about the spread.
    """
    differences = contrast(ours, theirs)
    if len(differences) < 2 or failures(differences):
        return 1.0
    centre = mean(differences)
    deviation = spread(differences, centre)
    if deviation == 0:
        return float(centre == 0)
    t = abs(centre) / deviation * sqrt(len(differences))
    return float(2 * stdtr(len(differences) - 1, -t))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values (Holm 1979), in the order of `p_values`.

    A claim wherever the adjusted value is below alpha is wrong anywhere with chance alpha at most,
    however the comparisons depend on each other.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for done, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - done) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def win_probability(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the share of all pairs of runs in which ours ends lower; a draw counts half.

    All seeds of one side meet all of the other (the Mann-Whitney estimate of P(ours < theirs)). A
    run that failed loses to every run that did not. NaN without runs.

    >>> win_probability([1.0, 2.0], [2.0, float("nan")])
    0.875
    """
    a, b = (np.nan_to_num(np.asarray(x, dtype=float), nan=inf) for x in (ours, theirs))
    if not a.size or not b.size:
        return nan
    below, equal = a[:, None] < b, a[:, None] == b
    return float((below + 0.5 * equal).mean())


def in_percent(found: Interval, scale: float) -> Interval:
    """Return an interval in per cent of `scale`; NaN when that is 0."""
    if scale == 0:
        return NOTHING
    return Interval(*(100 * (end / abs(scale)) for end in (found.mean, found.low, found.high)))


def pearson(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """Return the correlation over seeds; None for fewer than three or for equal losses."""
    if len(ours) < MINIMUM_SEEDS:
        return None
    try:
        return correlation(shrunk(ours)[0], shrunk(theirs)[0])
    except StatisticsError:
        return None
