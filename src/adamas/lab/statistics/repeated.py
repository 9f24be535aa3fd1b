"""Looking before the end: seeds are added until all is decided, and the error rate is kept.

To add seeds until a difference is significant finds one where there is none (Armitage, McPherson
and Rowe 1969). Here the numbers of seeds at which is looked are declared beforehand, and each look
spends a part of the 5 %, in proportion to the seeds that it adds (Lan and DeMets 1983; the power
family of Kim and DeMets 1987 with exponent 1). The parts are taken as if looks had nothing in
common, which is a bound whatever the losses are like and for any number of comparisons at once;
Student's t is exact at each. Intervals of that level hold at all looks together: repeated
confidence intervals (Jennison and Turnbull 1989).
"""

from collections.abc import Sequence
from dataclasses import replace

from adamas.lab.constants import ALPHA, MARGIN
from adamas.lab.statistics.paired import Comparison, Finals, compare


def doubling(first: int, most: int) -> tuple[int, ...]:
    """Return the numbers of seeds to look at: twice as many each time, and `most` at the end.

    >>> doubling(10, 80), doubling(6, 20), doubling(10, 10)
    ((10, 20, 40, 80), (6, 12, 20), (10,))
    """
    found = [first]
    while found[-1] < most:
        found.append(min(2 * found[-1], most))
    return tuple(found)


def spending(looks: Sequence[int], alpha: float = ALPHA) -> tuple[float, ...]:
    """Return what each look spends of `alpha`: as large a part as that of the seeds it adds.

    >>> spending((10, 20, 40, 80))
    (0.00625, 0.00625, 0.0125, 0.025)
    """
    added = [count - before for before, count in zip((0, *looks), looks, strict=False)]
    return tuple(alpha * more / looks[-1] for more in added)


def compare_at(
    finals: Finals,
    references: Sequence[str],
    spent: float,
    margin: float = MARGIN,
    alpha: float = ALPHA,
) -> list[Comparison]:
    """Compare as `paired.compare` does at a look that spends a part of `alpha`.

    Words and intervals are those of the level `spent`; `p_holm` is brought to the scale of `alpha`,
    so that it is significant below that as ever.
    """
    found = compare(finals, references, margin, spent)
    return [replace(one, p_holm=min(1.0, one.p_holm * alpha / spent)) for one in found]
