"""Figures of the guide that take frameworks or the lab to make: recorded once, repeated by a test.

`tools/measure_learn.py` runs everything and writes `measured.json`; `measured()` is how a chapter
reads it. The layout is group, then row, then figure, as the types here say. Losses are those that
the lab judges by (on held-out data where there are any); an interval is 95 % over seeds.
"""

import json
from functools import cache
from importlib.resources import files
from typing import TypedDict, cast


class AdamHome(TypedDict):
    """One Adam: where it ends after the same 100 gradients, and the defaults of its signature.

    `line` is w after the gradients that the tutorial's line gives at lr = 1/1024 (which float32
    holds, as Keras keeps lr in it), float64 throughout, from w = 0; `tiny` after the same gradients
    times 1e-9, that is with the loss in another unit. Only lr is given. `lr` is None where there is
    no default; `adamw_decay` is the default weight decay of the home's AdamW (Adam's is 0).
    """

    line: float
    tiny: float
    lr: float | None
    beta1: float
    beta2: float
    eps: float
    adamw_decay: float


class HomeDistance(TypedDict):
    """How far 100 float32 steps of one rule end from its float64 run (SciPy: float64).

    `norm` is relative, over 257 numbers; `farthest` is that of the farthest number, |a - b| / (|b|
    + 1e-3); `from_numpy` the same beside NumPy's end. `examples/six_homes.py` makes them.
    """

    norm: float
    farthest: float
    from_numpy: float


class Contestant(TypedDict):
    """One optimizer of a contest at its own tuned learning rate.

    `lr` is that rate; `lrs` and `finals` are the rate and the final loss on each seed (seeds 1, 2,
    ...), `loss`, `low`, `high` the mean loss with its interval. `accuracy` is the mean share of
    held-out samples that are right. `steps` is the median of the updates to the target, None if
    half the seeds never got there. The rest is beside Adam: `word` (better, worse, tie, few for too
    few seeds; reference for Adam itself), the difference in per cent of Adam's loss, and the
    p-value corrected for all comparisons of the contest (Holm).
    """

    lr: float
    lrs: list[float]
    finals: list[float]
    loss: float
    low: float
    high: float
    accuracy: float
    steps: float | None
    word: str
    percent: float
    percent_low: float
    percent_high: float
    p_holm: float


class Contest(TypedDict):
    """The lab's comparison on one problem, in its default protocol; `target` is a loss."""

    seeds: int
    target: float
    optimizers: dict[str, Contestant]


class BatchRate(TypedDict):
    """The best learning rate at one batch size, the same number of samples seen at each.

    `lr` is the mean (of logarithms) of `chosen`, the best rate of each seed (the middle of those
    near the best, as the lab chooses); `low` and `high` its interval. `loss` is the mean loss at
    the best rate of each seed, `steps` the number of updates.
    """

    lr: float
    low: float
    high: float
    chosen: list[float]
    loss: float
    steps: int


class Factor(TypedDict):
    """How many times the best rate grows from one batch size to one 8 times as large."""

    factor: float
    low: float
    high: float


class BatchStudy(TypedDict):
    """One optimizer on digits: rows by batch size "8", "64", "512"; `factors` "8-64", "64-512"."""

    batches: dict[str, BatchRate]
    factors: dict[str, Factor]


class ScheduleStudy(TypedDict):
    """Adam with a constant rate and with a cosine to 0, each tuned alike, on the same seeds.

    `floor` is the least loss that there can be, 0 where nobody knows. `constant_finals` and
    `cosine_finals` are the final losses above it on each seed, `constant` and `cosine` their means.
    `percent` is how the cosine's differ, in per cent of the constant's (negative is better), `word`
    the lab's.
    """

    constant_lr: float
    cosine_lr: float
    constant: float
    cosine: float
    constant_finals: list[float]
    cosine_finals: list[float]
    floor: float
    percent: float
    percent_low: float
    percent_high: float
    word: str


class AdamRate(TypedDict):
    """Adam's best learning rate on one problem, as the lab finds it, and what smaller ones cost.

    `loss` is the mean final loss at it, `loss_3`, `loss_4`, `loss_5` at 1e-3, 1e-4 and 1e-5, over
    the same `seeds`; `steps` is the number of updates.
    """

    lr: float
    loss: float
    loss_3: float
    loss_4: float
    loss_5: float
    steps: int
    seeds: int


class Measured(TypedDict):
    """Everything recorded.

    `versions`: package -> version. `adam`: "adamas" (rules.adam), "eps_hat" (the dialect), "torch",
    "optax", "keras". `homes`: as `six_homes.HOMES` names them. `contests` and `rates`: the lab's
    name of a problem. `batches`: "sgd", "adam". `schedules`: "line" (one sample a step), "digits".
    """

    versions: dict[str, str]
    adam: dict[str, AdamHome]
    homes: dict[str, HomeDistance]
    contests: dict[str, Contest]
    batches: dict[str, BatchStudy]
    schedules: dict[str, ScheduleStudy]
    rates: dict[str, AdamRate]


@cache
def measured() -> Measured:
    """Return what was measured; read once, and not to be changed."""
    text = files("adamas.learn").joinpath("measured.json").read_text("utf-8")
    return cast(Measured, json.loads(text))
