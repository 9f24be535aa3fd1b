"""When a run that diverged left: the update that did it, told from batches that were only hard."""

from collections.abc import Sequence
from statistics import median

from adamas.lab.doctor.chart import Chart

# A loss this many times the first one has left.
LEFT = 3.0
# A loss below this share of the first one is clearly improved, seen over so many batches.
GOOD, WINDOW = 0.9, 9


def leaving(chart: Chart) -> int:
    """Return the update after which the loss left and did not come back.

    It left when it first was above three times its first value after it had last been clearly
    below that; a run that never rose so far left when it was last below. Where only the validation
    loss is lost, it left after its last evaluation that was not.
    """
    losses, record = chart.losses, chart.record
    last = last_good(losses)
    if not median(losses[-WINDOW:]) < GOOD * losses[0]:
        above = (k for k in range(last + 1, len(losses)) if not losses[k] <= LEFT * losses[0])
        return next(above, last + 1)
    below = [s for s, loss in zip(record.steps, record.losses, strict=True)
             if loss <= record.losses[0]]  # fmt: skip
    return min(below[-1] + 1, chart.steps)


def last_good(losses: Sequence[float]) -> int:
    """Return the last place where the loss, and the median up to there, were clearly improved.

    The median, because a single batch of a run that is lost may be an easy one.

    >>> last_good([1.0, 0.8, 0.7, 9.0, 9.0, 9.0, 9.0, 0.5, 9.0]), last_good([1.0, 4.0])
    (2, 0)
    """
    limit = GOOD * losses[0]
    good = (
        k
        for k in range(len(losses) - 1, 0, -1)
        if losses[k] < limit and median(losses[max(0, k + 1 - WINDOW) : k + 1]) < limit
    )
    return next(good, 0)
