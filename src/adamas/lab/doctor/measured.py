"""Advice beside what the search measured: none contradicts it, and where no rate helped it says so.

A diagnosis sees one run. The search has seen the same optimizer at a dozen rates, and a page that
names a good rate in one chapter must not advise another in the next.
"""

from collections.abc import Sequence
from math import inf
from typing import Any

from adamas.lab.doctor.chart import charted
from adamas.lab.doctor.findings import FLAT, Finding, finding
from adamas.lab.entrants import entrant
from adamas.lab.problems import Problem
from adamas.lab.tuning import Point, Tuned

RATES = ("lower_lr", "higher_lr")


def helped(points: Sequence[Point], start: float) -> bool:
    """Return whether a rate took the mean loss from `start` down by more than `LEAST` per cent."""
    return any(point.score < start - (1 - FLAT) * abs(start) for point in points)


def agreeing(found: Finding, tuned: Tuned) -> Finding:
    """Return a finding whose advice on the learning rate is what the search found.

    The rate that is named is the tuned one; for a run that diverged at it, or below it, the best of
    the lower rates at which none failed. Without such a rate none is advised.
    """
    if not set(found["advice"]) & set(RATES):
        return found
    lr, best = found["lr"], tuned.lr
    if found["kind"] in ("diverged", "rose") and not best < lr:
        lower = [p for p in tuned.points if p.lr < lr and p.score < inf and not p.diverged]
        best = min(lower, key=lambda point: point.score).lr if lower else lr
    word = RATES[best > lr]
    advice = [word if old in RATES else old for old in found["advice"]]
    advice = [w for w in dict.fromkeys(advice) if best != lr or w not in RATES]
    numbers = {key: value for key, value in found["numbers"].items() if key != "lr"}
    return found | {"advice": advice, "numbers": numbers | ({"lr": best} if best != lr else {})}


def hopeless(
    problem: Problem,
    optimizer: str,
    lr: float,
    seed: int,
    tried: Sequence[Point],
    better: list[str],
) -> Finding:
    """Return the finding about an optimizer that no learning rate helped, from one run at `lr`.

    `better` are those of the comparison that trained. Where the run went uphill, against the sum of
    its gradients, under a second moment that shrinks again, that is the counter-example of Reddi,
    Kale and Kumar (On the Convergence of Adam and Beyond, ICLR 2018), and AMSGrad its remedy.
    """
    chart = charted(problem, optimizer, lr, seed)
    forgets = any(column.root for column in chart.columns.values())
    formula = entrant(optimizer).formula
    forgets &= formula is not None and formula.name != "amsgrad"
    advice = ["amsgrad"] if forgets and chart.uphill else []
    advice += ["another_rule"] if better else [] if advice else ["check_all"]
    numbers = {
        "loss_before": chart.record.losses[0],
        "loss": chart.record.final,
        "rates": float(len({point.lr for point in tried})),
        "lowest_lr": min(point.lr for point in tried),
        "highest_lr": max(point.lr for point in tried),
        "uphill": float(forgets and chart.uphill),
    }
    who: dict[str, Any] = {"optimizer": optimizer, "lr": lr, "seed": seed, "better": better}
    return who | finding("no_rate", advice, numbers)
