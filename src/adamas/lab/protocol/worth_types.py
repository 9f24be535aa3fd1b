"""What `results.json` holds of a search over more than the rate; None may be null there."""

from typing import Literal, TypedDict

Number = float | None
Series = list[float | None]


class IntervalTree(TypedDict):
    """A mean and the ends of its 95 % interval."""

    mean: Number
    low: Number
    high: Number


class CandidateTree(TypedDict):
    """One setting of a search over more than the rate, as `wider.Candidate`."""

    lr: float
    settings: dict[str, float | str]
    score: Number
    runs: int
    diverged: int
    stage: Literal["points", "alone", "finalists"]


class AloneTree(TypedDict):
    """The report seeds at the rate alone, as `OptimizerTree` has them with all that was tuned."""

    lr: float
    lrs: list[float]
    finals: Series
    diverged: int
    interval: IntervalTree


class GainTree(TypedDict):
    """What a step of tuning changed, seed by seed: loss after it minus loss before it."""

    difference: IntervalTree
    percent: IntervalTree


class PartTree(TypedDict):
    """One hyper-parameter put back to its default, everything else as chosen.

    `difference` and `percent` are what that changed: loss without it minus loss with it.
    """

    name: str
    default: float | str | None
    finals: Series
    diverged: int
    interval: IntervalTree
    difference: IntervalTree
    percent: IntervalTree


class WorthTree(TypedDict):
    """A search over more than the rate: what was chosen, and what each step of tuning was worth.

    `settings` are the hyper-parameters that were chosen besides lr, `drawn` those of each report
    seed, `edges` the names of those at an end of their range. The steps of `gains` are "rate" (from
    default to the rate alone), "rest" (from there to all) and "all" (both).
    """

    settings: dict[str, float | str]
    drawn: list[dict[str, float | str]]
    candidates: list[CandidateTree]
    edges: list[str]
    alone: AloneTree
    gains: dict[str, GainTree]
    parts: list[PartTree]
