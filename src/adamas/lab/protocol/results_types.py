"""What `results.json` and `timing.json` hold, as types: what is None here may be null there.

A number is null where a run failed or was not made; everything else is always there.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

from adamas.lab.protocol.worth_types import IntervalTree as IntervalTree
from adamas.lab.protocol.worth_types import Number as Number
from adamas.lab.protocol.worth_types import Series as Series
from adamas.lab.protocol.worth_types import WorthTree

# A text in each language.
Texts = Mapping[str, str]


class PointTree(TypedDict):
    """One learning rate of a search, as `tuning.Point`."""

    lr: float
    score: Number
    runs: int
    diverged: int
    stage: str


class WidthTree(TypedDict):
    """How far a learning rate may move, as `tuning.Width`."""

    low: float
    high: float
    open_ended: bool
    decades: float


class CurveTree(TypedDict):
    """Mean losses at the evaluations that all runs reached."""

    at: list[int]
    mean: Series
    low: Series
    high: Series
    train: Series


class ArrivalTree(TypedDict):
    """Updates to the target on each report seed."""

    reached: int
    of: int
    median: Number
    steps: Series


class DefaultTree(TypedDict):
    """The runs at the default learning rate."""

    lr: float
    finals: Series
    diverged: int
    ends: list[str]
    interval: IntervalTree
    penalty: Number


class OptimizerTree(TypedDict):
    """Everything about one optimizer; `lrs` are the rates of the report seeds.

    `ends` says how each of their runs ended, as `ends.ending`, and `lasted` at which step.
    `worth` is there after a search over more than the rate, `batch` where it has one of its own.
    """

    lr: float
    lrs: list[float]
    at_edge: bool
    extended: int
    points: list[PointTree]
    width: WidthTree | None
    finals: Series
    diverged: int
    ends: list[str]
    lasted: list[int]
    interval: IntervalTree
    extras: dict[str, IntervalTree]
    curve: CurveTree
    target: ArrivalTree
    default: DefaultTree
    best_of: Series
    runs: int
    kind: str
    asks: bool
    batch: NotRequired[int]
    worth: NotRequired[WorthTree]


class SeedsTree(TypedDict):
    """How many seeds would decide, as `deciding.Seeds`; None is more than its limit."""

    seen: int | None
    likely: int | None


class ComparisonTree(TypedDict):
    """One optimizer beside one reference, as `paired.Comparison`."""

    optimizer: str
    reference: str
    difference: IntervalTree
    percent: IntervalTree
    p: Number
    p_holm: Number
    word: str
    p_win: Number
    correlation: Number
    seeds: int
    seeds_to_decide: NotRequired[SeedsTree | None]


class LowestTree(TypedDict):
    """The lowest loss of each report seed's run, and the step at which it was so low."""

    losses: Series
    steps: list[int]
    median_step: float
    interval: IntervalTree


class BestTree(TypedDict):
    """The second judgement, of each run's lowest loss, as `best.best_so_far`."""

    optimizers: dict[str, LowestTree]
    comparisons: list[ComparisonTree]


class LookTree(TypedDict):
    """A look at a comparison with looks, as `study.Look`."""

    seeds: int
    spent: float
    undecided: list[str]


class SpaceTree(TypedDict):
    """What is searched besides the rate, as `space.Space`."""

    asked: list[str]
    points: int
    finalists: int
    dimensions: dict[str, list[dict[str, Any]]]


class PlanTree(TypedDict):
    """What was declared, as `plan.Plan`; `search` only where more than the rate is searched."""

    problem: str
    identity: dict[str, Any]
    optimizers: list[str]
    formulas: dict[str, str]
    steps: int
    every: int
    batch: int
    share: float
    grids: dict[str, list[float]]
    defaults: dict[str, float]
    tuning: list[int]
    refine: list[int]
    report: list[int]
    references: list[str]
    margin: float
    goal: Number
    hypothesis: str | None
    mode: Literal["quick", "default", "rigorous"]
    version: str
    protocol: int
    search: NotRequired[SpaceTree]
    most_runs: int
    looks: NotRequired[list[int] | None]


class QualityTree(TypedDict):
    """A sensible result, as `problems.Quality`."""

    metric: str
    value: float
    basis: Texts


class ColumnTree(TypedDict):
    """One column of a table, as `problems.ColumnFate`."""

    name: str
    kind: str
    missing: int
    inputs: int
    fate: str
    different: int
    words: list[str]
    reading: list[str]


class ProblemTree(TypedDict):
    """What is known of the problem, as `problems.About`; `loop` is there for a user's own loop."""

    name: str
    random: bool
    parameters: int
    title: Texts
    kind: str
    model: Texts
    loss: Texts
    sources: list[dict[str, str]]
    label: str
    quality: QualityTree | None
    higher: list[str]
    notes: Texts
    columns: list[ColumnTree]
    split: Texts
    loop: NotRequired[bool]


class InsideTree(TypedDict):
    """What was seen inside one run at the steps `at`, as `doctor.inside.seen_inside` returns it."""

    at: list[int]
    update_in_lr: dict[str, Series]
    effective_step: dict[str, Series] | None
    m_rms: Series | None
    v_rms: Series | None
    bias_m: Series | None
    bias_v: Series | None
    grad_norm: Series
    update_to_weight: dict[str, Series]


class FindingTree(TypedDict):
    """What was wrong with one run, as `doctor.diagnose` returns it."""

    settings: NotRequired[dict[str, float | str]]
    optimizer: str
    lr: float
    seed: int
    kind: str
    step: int | None
    parameter: str | None
    update_to_weight: Number
    advice: list[str]
    numbers: dict[str, Number]
    better: NotRequired[list[str]]
    error: NotRequired[str]


class GoalTree(TypedDict):
    """The loss that counts as arrived, and who set it."""

    value: Number
    origin: str


class BaselineTree(TypedDict):
    """A model that is no network on the seeds that judge; `words` are the optimizers' beside it."""

    finals: list[float]
    interval: IntervalTree
    extras: dict[str, IntervalTree]
    words: dict[str, str]


class Looked(TypedDict, total=False):
    """What further runs told, which the demo does not make."""

    inside: dict[str, InsideTree]
    doctor: list[FindingTree]
    baselines: dict[str, BaselineTree]


class Results(Looked):
    """The whole of `results.json`; the demo's comparisons have no `machine`.

    `names` are those that the user gave to optimizers. `alone` are the
    comparisons at the rate alone, where more than the rate was searched.
    """

    adamas: str
    plan: PlanTree
    hash: str
    problem: ProblemTree
    optimizers: dict[str, OptimizerTree]
    target: GoalTree
    comparisons: list[ComparisonTree]
    verdict: dict[str, Any]
    best: BestTree
    looks: NotRequired[list[LookTree]]
    names: NotRequired[dict[str, str]]
    alone: NotRequired[list[ComparisonTree]]
    machine: NotRequired[dict[str, Any]]


class StepTimes(TypedDict):
    """Microseconds of a step of each optimizer and of the model, and bytes of state.

    A null time is that of an optimizer whose steps compute gradients of their own; both are null
    for one that failed while it was timed.
    """

    per_step: dict[str, Number]
    model_step: float
    state_bytes_per_parameter: dict[str, Number]


class Timing(StepTimes):
    """The whole of `timing.json`, with the seconds and processes of the comparison."""

    seconds: float
    workers: int
