"""What a search for a learning rate answers: a number, an interval, its cost, and the evidence.

The answer is never nothing: where no learning rate trains, it is the default, and `fallback` says
so in words.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import inf, isfinite, log1p, sqrt
from typing import Any

import numpy as np

from adamas.lab.finder.range_test import Curve
from adamas.lab.problems import Words
from adamas.lab.text import words
from adamas.lab.trial import finite
from adamas.lab.tuning import Point, best_of, width

# Within this of the best score a short run cannot tell learning rates apart: so much do the means
# of three seeds of the digits differ between draws of the seeds.
ALIKE = 0.10
# A parabola through the scores near the best is less noisy than they are, so its margin is smaller.
# Of these and other numbers, over eight draws of the seeds on three problems, these ended nearest
# to the best: all 96 searches within 15 %, and without the parabola 92.
NEAR, CLOSE = 1.5, 0.05
# A parabola that rises by less than this, in logarithms, a decade beside its lowest point is flat.
FLAT = 0.05


@dataclass(frozen=True)
class Found:
    """A learning rate, and the interval of those that a short run cannot tell from the best.

    `cost` is the updates that were made, in full runs; `steps` the length of each run of the sweep;
    `points` its learning rates with their mean scores, infinite where a run failed. `open_ended`
    says that the interval reached an end of what was tried. `curve` is the range test's. `reason`
    is in every language.
    """

    optimizer: str
    lr: float
    low: float
    high: float
    open_ended: bool
    cost: float
    steps: int
    points: tuple[Point, ...]
    curve: Curve
    reason: Words | None = None

    @property
    def fallback(self) -> str | None:
        """Return why this is the default, in English; None where some learning rate trained."""
        return self.reason["en"] if self.reason else None

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON, where None stands for what is not finite."""
        tree = asdict(self)
        tree["points"] = [asdict(p) | {"score": finite(p.score)} for p in self.points]
        tree["curve"] |= {
            "lrs": list(self.curve.lrs),
            "losses": [finite(loss) for loss in self.curve.losses],
        }
        tree["fallback"] = tree.pop("reason")
        return tree


def answer(
    optimizer: str,
    points: tuple[Point, ...],
    curve: Curve,
    *,
    steps: int,
    share: float,
    cost: float,
    default: float,
) -> Found:
    """Return what `points` say, or the `default` and why, when no learning rate trained."""
    evidence: dict[str, Any] = {"cost": cost, "steps": steps, "points": points, "curve": curve}
    if any(isfinite(point.score) for point in points):
        return Found(optimizer, *choose(points, share), **evidence)
    ends = {"low": f"{points[0].lr:g}", "high": f"{points[-1].lr:g}"}
    reason = words("found_fallback", steps=steps, **ends)
    return Found(optimizer, default, default, default, False, **evidence, reason=reason)


def choose(points: Sequence[Point], share: float) -> tuple[float, float, float, bool]:
    """Return the learning rate to use, its interval, and whether that is open-ended.

    Short runs favour large learning rates: how far a run gets shows at once, what noise its steps
    leave shows at the end. Where noise decides, the best lr falls with the root of the number of
    steps (Nemirovski et al. 2009, section 2.2); where stability decides, it stays. So the answer is
    the smallest lr that is close to the best, but not below what the root allows. Some score must
    be finite.
    """
    points = positive(points)
    best = best_of(points)
    centre, close = valley(points) or (best.lr, width(points, best.score * (1 + CLOSE)).low)
    lr = max(close, centre * sqrt(share), points[0].lr)
    span = width(points, best.score * (1 + ALIKE))
    return readable(lr), readable(min(lr, span.low)), readable(max(lr, span.high)), span.open_ended


def valley(points: Sequence[Point]) -> tuple[float, float] | None:
    """Return where a parabola through the scores near the best is lowest, and its close low end.

    Fitted to the logarithms of score and lr. None where there are too few points or no valley.
    """
    best = best_of(points)
    near = [point for point in points if point.score <= NEAR * best.score]
    if len(near) < 4:
        return None
    x = np.log10([point.lr for point in near])
    curve, slope, _ = np.polyfit(x, np.log([point.score for point in near]), 2)
    if curve < FLAT:
        return None
    centre = min(max(-slope / (2 * curve), x[0]), x[-1])
    return float(10**centre), float(10 ** (centre - sqrt(log1p(CLOSE) / curve)))


def positive(points: Sequence[Point]) -> Sequence[Point]:
    """Return points whose scores may be compared by ratio.

    Scores that are positive already are. A loss that may be negative has no zero of its own: the
    best one becomes 1 and the worst 2.
    """
    scores = [point.score for point in points if isfinite(point.score)]
    low, high = min(scores, default=inf), max(scores, default=inf)
    if low > 0:
        return points
    span = high - low or 1.0
    return [replace(point, score=1 + (point.score - low) / span) for point in points]


def beyond(points: Sequence[Point], share: float, ratio: float) -> list[float]:
    """Return the learning rates to try next because the answer may lie outside, or nothing."""
    points = positive(points)
    best, first, last = best_of(points), points[0], points[-1]
    if best.score == inf or best is first:
        return [first.lr / ratio**2, first.lr / ratio]
    if best is last:
        return [last.lr * ratio, last.lr * ratio**2]
    if first.score <= best.score * (1 + ALIKE) and first.lr > best.lr * sqrt(share):
        return [first.lr / ratio]
    return []


def readable(lr: float) -> float:
    """Return a learning rate with three digits, as people write it.

    >>> readable(0.0031622776)
    0.00316
    """
    return float(f"{lr:.3g}")
