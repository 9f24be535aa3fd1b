"""Who is shown to be worse than a reference by more than a limit, and who is shown not to be.

The question of a pipeline, which is another one than whether there is a difference. "Worse by
more" is said of an optimizer when the lower end of an interval is above the limit, and "not worse
by more" when the upper end is below it. Naming culprits can go wrong for each of them, so the lower
ends are corrected for their number (Holm 1979); that none is worse is said only when every one is
shown not to be, which needs no correction (the intersection-union test: Berger 1982, Multiparameter
hypothesis testing and acceptance sampling).
"""

from collections.abc import Sequence
from math import inf, isfinite, sqrt
from statistics import mean
from typing import Literal

from scipy.special import stdtr

from adamas.lab.constants import MINIMUM_SEEDS
from adamas.lab.statistics.moments import spread
from adamas.lab.statistics.paired import Finals, contrast, failures, holm, p_value

Standing = Literal["worse", "not", "open"]


def beyond(
    finals: Finals, reference: str, limit: float, alpha: float = 0.05, least: int = MINIMUM_SEEDS
) -> dict[str, Standing]:
    """Return how every other optimizer stands to `reference` and to `limit`, a share of its mean.

    - "worse": shown to be worse by more than the limit, one-sided at `alpha` / 2 over all of them
      together; an optimizer with a failed run is worse than any reference without one;
    - "not": shown not to be, one-sided at `alpha` / 2;
    - "open": neither, as with fewer than `least` seeds. Give `least=1` where nothing is random.

    `finals` are as `paired.compare` takes them. Where a run of the reference failed, losses have
    no mean, and the ranks answer: an optimizer that they show to be better is "not" worse, and one
    is "worse" that they show to be even with the limit, a share of the mean of the others, given.
    """
    names = [name for name in finals if name != reference]
    theirs = finals[reference]
    tails = {name: tail(finals[name], theirs, limit, least) for name in names}
    above = dict(zip(names, holm([one[0] for one in tails.values()]), strict=True))
    return {
        name: "worse"
        if above[name] < alpha / 2
        else "not"
        if tails[name][1] < alpha / 2
        else "open"
        for name in names
    }


def tail(
    ours: Sequence[float], theirs: Sequence[float], limit: float, least: int
) -> tuple[float, float]:
    """Return the one-sided p-values against "not worse by more", and against "worse by more"."""
    if failures(ours) and not failures(theirs):
        return 0.0, 1.0
    if len(ours) < least:
        return 1.0, 1.0
    if failures(theirs):
        ended = [loss for loss in theirs if isfinite(loss)]
        given = limit * abs(mean(ended)) if ended else 0.0
        return above_by_ranks(ours, [loss + given for loss in theirs]), above_by_ranks(theirs, ours)
    shift = limit * abs(mean(theirs))
    differences = contrast(ours, theirs)
    if failures([*differences, shift]):
        return 1.0, 1.0
    centre = mean(differences)
    deviation = spread(differences, centre) if len(differences) > 1 else 0.0
    if deviation == 0:
        t = inf if centre > shift else -inf
    else:
        t = (centre - shift) / deviation * sqrt(len(differences))
    count = max(len(differences) - 1, 1)
    return float(stdtr(count, -t)), float(stdtr(count, t))


def above_by_ranks(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the one-sided p-value of the ranks against "ours is not above theirs".

    A single seed, where nothing is random, shows what it shows.
    """
    centre = mean(contrast(ours, theirs))
    if centre <= 0:
        return 1.0
    return p_value(ours, theirs) / 2 if len(ours) > 1 else 0.0
