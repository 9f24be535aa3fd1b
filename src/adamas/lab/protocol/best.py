"""The second judgement: what each run would have ended with, had it been stopped at its best.

The minimum is taken over the evaluations on the rows that judge, as early stopping does where
nothing else is set aside: it is optimistic, and more so for a loss that jumps. The first judgement,
at the declared end, is the one that answers; see docs/decisions/0029-the-page.md.
"""

from dataclasses import asdict
from math import inf, isfinite
from statistics import median
from typing import Any

from adamas.lab.protocol.comparing import compared
from adamas.lab.protocol.study import Study
from adamas.lab.statistics.ranges import loss_interval
from adamas.lab.trial import Record


def best_so_far(study: Study, random: bool) -> dict[str, Any]:
    """Return every run's lowest loss with its step, and the comparisons of those losses."""
    found = {name: [lowest(one) for one in study.report[name]] for name in study.plan.optimizers}
    losses = {name: [loss for loss, _ in pairs] for name, pairs in found.items()}
    return {
        "optimizers": {
            name: {
                "losses": losses[name],
                "steps": [step for _, step in pairs],
                "median_step": median(step for _, step in pairs),
                "interval": asdict(loss_interval(losses[name])),
            }
            for name, pairs in found.items()
        },
        "comparisons": [asdict(one) for one in compared(losses, study, random)],
    }


def lowest(record: Record) -> tuple[float, int]:
    """Return the lowest loss of a run and the first step at which it was so low.

    Evaluations that were not finite do not count; where all were, the loss is infinite. A run that
    diverged later still has a lowest loss: stopping would have saved it.
    """
    pairs = zip(record.losses, record.steps, strict=True)
    return min(((loss, step) for loss, step in pairs if isfinite(loss)), default=(inf, 0))
