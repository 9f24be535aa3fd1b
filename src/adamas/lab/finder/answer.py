"""What a search for a learning rate answers: a number, an interval, its cost, and the evidence.

The answer is never nothing: where no learning rate trains, it is the default, and `fallback` says
so in words.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import inf, isfinite, sqrt
from typing import Any

from adamas.lab.finder.range_test import Curve
from adamas.lab.trial import finite
from adamas.lab.tuning import Point, width

# Within this of the best score a short run cannot tell learning rates apart: so much do the means
# of three seeds of the digits differ between draws of the seeds.
MARGIN = 0.10


@dataclass(frozen=True)
class Found:
    """A learning rate, and the interval of those that a short run cannot tell from the best.

    `cost` is the updates that were made, in full runs; `steps` the length of each run of the sweep;
    `points` its learning rates with their mean scores, infinite where a run failed. `open_ended`
    says that the interval reached an end of what was tried. `curve` is the range test's.
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
    fallback: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON, where None stands for what is not finite."""
        tree = asdict(self)
        tree["points"] = [asdict(p) | {"score": finite(p.score)} for p in self.points]
        tree["curve"] |= {
            "lrs": list(self.curve.lrs),
            "losses": [finite(loss) for loss in self.curve.losses],
        }
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
    reason = (
        f"no learning rate from {points[0].lr:g} to {points[-1].lr:g} lowered the loss within "
        f"{steps} updates, so this is the default; check the gradient, the data and the steps"
    )
    return Found(optimizer, default, default, default, False, **evidence, fallback=reason)


def choose(points: Sequence[Point], share: float) -> tuple[float, float, float, bool]:
    """Return the learning rate to use, its interval, and whether that is open-ended.

    Short runs favour large learning rates: how far a run gets shows at once, what noise its steps
    leave shows at the end. Where noise decides, the best lr falls with the root of the number of
    steps (Nemirovski et al. 2009, section 2.2); where stability decides, it stays. So the answer is
    the smallest lr that cannot be told from the best, but not below what the root allows. Some
    score must be finite.
    """
    points = positive(points)
    best = best_of(points)
    span = width(points, best.score * (1 + MARGIN))
    lr = max(span.low, best.lr * sqrt(share))
    return tidy(lr), tidy(span.low), tidy(span.high), span.open_ended


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


def best_of(points: Sequence[Point]) -> Point:
    """Return the point of the lowest score; among equals, the lowest learning rate."""
    return min(points, key=lambda point: (point.score, point.lr))


def beyond(points: Sequence[Point], share: float, ratio: float) -> list[float]:
    """Return the learning rates to try next because the answer may lie outside, or nothing."""
    points = positive(points)
    best, first, last = best_of(points), points[0], points[-1]
    if best.score == inf or best is first:
        return [first.lr / ratio**2, first.lr / ratio]
    if best is last:
        return [last.lr * ratio, last.lr * ratio**2]
    if first.score <= best.score * (1 + MARGIN) and first.lr > best.lr * sqrt(share):
        return [first.lr / ratio]
    return []


def tidy(lr: float) -> float:
    """Return a learning rate with three digits, as people write it.

    >>> tidy(0.0031622776)
    0.00316
    """
    return float(f"{lr:.3g}")
