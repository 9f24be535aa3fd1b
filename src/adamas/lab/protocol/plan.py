"""What is decided before the first run, and its hash: nobody can move the goal afterwards.

The numbers of seeds, the grid and the share of the steps come from measurements on real problems:
half-decade steps miss the best learning rate by 2 %, whole decades by 7 %; a learning rate chosen
and reported on the same seeds looks up to 5 % better than it is; chosen on one seed it differs so
much between two searches that equal optimizers are told apart twice as often as is said; below five
report seeds nothing but large differences can be told.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from math import ceil
from typing import Any, Literal

from adamas.kernel.build import adamas_version
from adamas.lab.constants import LAST_LOOK, MARGIN, REFERENCES, REPORT_SEEDS
from adamas.lab.entrant_base import Entrant
from adamas.lab.needs import LabError
from adamas.lab.problems import Problem
from adamas.lab.protocol.cube import Space
from adamas.lab.protocol.search import EXTENSIONS, WALK
from adamas.lab.protocol.space import Asked, space
from adamas.lab.statistics.repeated import doubling
from adamas.lab.tuning import log_grid

Mode = Literal["quick", "default", "rigorous"]
REPORT_FROM, TUNING_FROM, REFINE_FROM = 1, 1001, 2001
# A comparison that looks before the end is what follows one that ended in too few seeds, with looks
# or without: what was seen there must not be a part of it. So each largest number of seeds has a
# block of its own, which has room for all that it needs.
BLOCK = 10_000
SHARE = 0.25
# Which rules of searching and judging: another number is another plan. 1 chose the lowest score.
PROTOCOL = 2


@dataclass(frozen=True)
class Size:
    """How many seeds of each kind, and how many decades the grid reaches to either side.

    Of a search over more than the rate: the `points` that it tries, and the `finalists` of them.
    With `most` seeds that judge at the end, these are the sizes up to the first look at the
    results; every further `report` seeds have a search of their own.
    """

    tuning: int
    refine: int
    report: int
    reach: float = 2.0
    points: int = 8
    finalists: int = 2
    most: int | None = None

    @property
    def searches(self) -> int:
        """Return how many searches there are."""
        return ceil((self.most or self.report) / self.report)


SIZES: dict[Mode, Size] = {
    "quick": Size(tuning=2, refine=4, report=REPORT_SEEDS["quick"], points=16),
    "default": Size(3, 5, REPORT_SEEDS["default"], points=32, finalists=3),
    "rigorous": Size(5, 8, REPORT_SEEDS["rigorous"], points=64, finalists=4),
}
# What a time budget goes down through, one after the other, before it is called too small.
SMALLER = (
    SIZES["rigorous"],
    SIZES["default"],
    Size(tuning=3, refine=4, report=7, points=16, finalists=3),
    SIZES["quick"],
    Size(tuning=2, refine=3, report=4),
    Size(tuning=2, refine=3, report=3, reach=1.5),
    Size(tuning=2, refine=3, report=3, reach=1.0, points=4),
)


def growing(size: Size, times: int = LAST_LOOK) -> Size:
    """Return a size with looks at results, the last at `times` as many seeds as the first."""
    return replace(size, most=times * size.report)


# The same with looks: two at least.
SMALLER_WITH_LOOKS = (
    *(growing(SIZES["default"], times) for times in (16, 8, 4, 3, 2)),
    growing(SIZES["quick"], 2),
)


@dataclass(frozen=True)
class Plan:
    """A declared comparison; `hash` is over everything in it.

    `identity` says what the problem is (a name, or a file with its checksum), `formulas` what each
    optimizer computes. `share` is the part of the steps that the first search runs for, `search`
    what is searched besides the rate. `looks` are the numbers of report seeds after which is looked
    whether all is decided; None looks once, at the end. Raises `LabError` when seeds would both
    tune and judge.
    """

    problem: str
    identity: dict[str, Any]
    optimizers: tuple[str, ...]
    formulas: dict[str, str]
    steps: int
    every: int
    batch: int
    share: float
    grids: dict[str, tuple[float, ...]]
    defaults: dict[str, float]
    tuning: tuple[int, ...]
    refine: tuple[int, ...]
    report: tuple[int, ...]
    references: tuple[str, ...]
    margin: float = MARGIN
    goal: float | None = None
    hypothesis: str | None = None
    mode: str = "default"
    version: str = ""
    protocol: int = PROTOCOL
    looks: tuple[int, ...] | None = None
    search: Space | None = None

    def __post_init__(self) -> None:
        """Refuse a plan that would judge an optimizer on seeds it was tuned on."""
        shared = sorted({*self.tuning, *self.refine} & set(self.report))
        if shared:
            raise LabError("error.shared_seeds", shared=shared)

    @property
    def hash(self) -> str:
        """Return 16 hexadecimal digits that change with anything that was declared."""
        return digest(self._tree)[:16]

    @property
    def _tree(self) -> dict[str, Any]:
        """Return what was declared; of a search over more than the rate only where there is one."""
        tree = asdict(self)
        return tree if self.search else {key: tree[key] for key in tree if key != "search"}

    @property
    def short_steps(self) -> int:
        """Return the updates of a run of the first search."""
        return max(self.every, round(self.steps * self.share))

    def parts(self) -> tuple["Plan", ...]:
        """Return the plan as several without looks, each with a search of its own.

        A search is chance too, and its chance is common to all seeds that judge at its rates: it
        does not shrink with their number. With a search for every so many seeds it does.
        """
        if self.looks is None:
            return (self,)
        size = self.looks[0]
        count = ceil(len(self.report) / size)
        kinds = [
            [seeds[len(seeds) * k // count : len(seeds) * (k + 1) // count] for k in range(count)]
            for seeds in (self.tuning, self.refine)
        ]
        return tuple(
            replace(self, tuning=tuning, refine=refine, report=self.report[k * size :][:size],
                    looks=None)
            for k, (tuning, refine) in enumerate(zip(*kinds, strict=True))
        )  # fmt: skip

    def costs(self) -> tuple[int, float]:
        """Return the runs that are planned, and how many full runs' updates they take.

        Extensions at the boundary come on top: at most `EXTENSIONS` decades and `WALK` refinements
        for each optimizer.
        """
        full = (len(self.refine) * 3 + 2 * len(self.report)) * len(self.grids)
        short = sum(len(grid) * len(self.tuning) for grid in self.grids.values())
        if self.search:
            short += self.search.points * len(self.tuning) * len(self.grids)
            full += (self.search.finalists + 1) * len(self.refine) * len(self.grids)
            # The rate alone, and every other hyper-parameter put back.
            judged = sum(1 + len(dims) for dims in self.search.dimensions.values())
            full += judged * len(self.report)
        return short + full, short * self.short_steps / self.steps + full

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return self._tree | {"most_runs": self.most_runs}

    @property
    def most_runs(self) -> int:
        """Return the runs if every search had to be extended as far as the rules allow."""
        more = EXTENSIONS * 2 * len(self.tuning) + WALK * len(self.refine)
        return self.costs()[0] + more * len(self.optimizers)


def declare(
    problem: Problem,
    identity: dict[str, Any],
    entrants: Sequence[Entrant],
    size: Size,
    searched: Asked | None = None,
    **declared: Any,
) -> Plan:
    """Return the plan of comparing `entrants` on `problem`; `declared` are further fields.

    `searched` is what is searched besides the rate, by name, with a range or None for the usual.
    A problem without randomness needs one seed of each kind. References that do not take part are
    left out; when none is left, the first optimizer is the reference.
    """
    names = tuple(who.text for who in entrants)
    if len(set(names)) < len(names):
        raise LabError("error.optimizer_twice", names=", ".join(names))
    if not problem.random:
        size = replace(size, tuning=1, refine=1, report=1, most=None)
    wanted = declared.pop("references", REFERENCES)
    searches, most = size.searches, size.most or size.report
    start = BLOCK * (size.most or 0)
    tuning, refine, report = (start + one for one in (TUNING_FROM, REFINE_FROM, REPORT_FROM))
    grids = {who.text: around(who.centre, size.reach) for who in entrants}
    return Plan(
        problem=problem.name,
        identity=identity,
        optimizers=names,
        formulas={who.text: who.fingerprint for who in entrants},
        steps=problem.steps,
        every=problem.every,
        batch=problem.batch,
        share=declared.pop("share", SHARE),
        grids=declared.pop("grids", grids),
        defaults={who.text: who.default_lr for who in entrants},
        tuning=tuple(range(tuning, tuning + searches * size.tuning)),
        refine=tuple(range(refine, refine + searches * size.refine)),
        report=tuple(range(report, report + most)),
        looks=doubling(size.report, size.most) if size.most else None,
        references=tuple(name for name in wanted if name in names) or names[:1],
        version=adamas_version(),
        search=space(searched or {}, entrants, size.points, size.finalists),
        **declared,
    )


def around(centre: float, reach: float) -> tuple[float, ...]:
    """Return learning rates half a decade apart, `reach` decades to either side of `centre`.

    >>> [f"{lr:.3g}" for lr in around(1e-3, 1)]
    ['0.0001', '0.000316', '0.001', '0.00316', '0.01']
    """
    return tuple(float(f"{centre * factor:.6g}") for factor in log_grid(-reach, reach))


def digest(tree: Any) -> str:
    """Return the SHA-256 of a tree of plain values, whatever the order of its keys."""
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
