"""The figures that the guide reads from `measured.json` are those that a run gives today.

Everything is judged again from what was recorded of each seed; runs are repeated for some seeds,
some batch sizes and some of the rates only: what takes minutes rests on the record.
"""

from collections.abc import Iterator
from itertools import product
from math import isfinite
from typing import Any, get_type_hints

import pytest
from threadpoolctl import threadpool_limits

import learn_runs as runs
import measure_learn
from adamas.lab.statistics import paired
from adamas.lab.statistics.intervals import interval
from adamas.lab.trial import run
from adamas.lab.zoo import built_in
from adamas.learn import measured as layout
from adamas.learn.measured import measured

# Runs in float32 sum in another order on another processor, and training enlarges that.
FLOAT32 = 0.03
FOUND = measured()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As they were measured."""
    with threadpool_limits(limits=1):
        yield


def rows() -> Iterator[tuple[Any, type]]:
    """Every row with the type that describes it."""
    plain = {"adam": "AdamHome", "homes": "HomeDistance", "schedules": "ScheduleStudy"}
    plain |= {"contests": "Contest", "batches": "BatchStudy", "rates": "AdamRate"}
    tree: Any = FOUND
    for group, name in plain.items():
        yield from ((row, getattr(layout, name)) for row in tree[group].values())
    for contest in FOUND["contests"].values():
        yield from ((row, layout.Contestant) for row in contest["optimizers"].values())
    for study in FOUND["batches"].values():
        yield from ((row, layout.BatchRate) for row in study["batches"].values())
        yield from ((row, layout.Factor) for row in study["factors"].values())


def near(now: Any, said: Any, rel: float) -> None:
    """Hold one row against another: words must be the same, numbers close."""
    assert [*now] == [*said]
    for key, value in said.items():
        close = value if value is None or isinstance(value, str) else pytest.approx(value, rel=rel)
        assert now[key] == close, key


def test_every_figure_is_where_its_type_says() -> None:
    """A chapter finds each figure that is described, and none is left over or not finite."""
    assert [*FOUND] == [*get_type_hints(layout.Measured)]
    for row, kind in rows():
        assert [*row] == [*get_type_hints(kind)]
        flat = [
            v for value in row.values() for v in (value if isinstance(value, list) else [value])
        ]
        assert all(isfinite(value) for value in flat if isinstance(value, float))


def test_adam_is_computed_as_the_homes_do() -> None:
    """torch, optax and Keras end where it is said, with the defaults that are said."""
    now = measure_learn.adam()
    for name, row in FOUND["adam"].items():
        near(now[name], row, 1e-12)


@pytest.mark.parametrize("problem", FOUND["contests"])
def test_a_verdict_follows_from_its_runs(problem: str) -> None:
    """The word, the interval and the corrected p-value are the lab's for the recorded losses."""
    contest = FOUND["contests"][problem]
    finals = {name: row["finals"] for name, row in contest["optimizers"].items()}
    for row in contest["optimizers"].values():
        assert len(row["finals"]) == len(row["lrs"]) == contest["seeds"]
        found = interval(row["finals"])
        assert [row["loss"], row["low"], row["high"]] == pytest.approx([*vars(found).values()])
    for one in paired.compare(finals, ["adam", "momentum"]):
        if one.reference == "adam":
            row = contest["optimizers"][one.optimizer]
            ends = [row["percent"], row["percent_low"], row["percent_high"], row["p_holm"]]
            assert row["word"] == one.word
            assert ends == pytest.approx([*vars(one.percent).values(), one.p_holm])


@pytest.mark.parametrize(
    ("problem", "optimizer"),
    [
        *(("digits", name) for name in FOUND["contests"]["digits"]["optimizers"]),
        *product(["mnist5k", "sentiment"], ["sgd", "adam"]),
    ],
)
def test_a_run_of_a_contest_is_repeated(problem: str, optimizer: str) -> None:
    """The first seed ends at the recorded loss."""
    row = FOUND["contests"][problem]["optimizers"][optimizer]
    final = run(built_in(problem), optimizer, row["lrs"][0], 1).final
    assert final == pytest.approx(row["finals"][0], rel=FLOAT32)


@pytest.mark.parametrize("rule", FOUND["batches"])
def test_the_best_rate_of_a_batch_size_is_found_again(rule: str) -> None:
    """The first seed has the recorded best rate, and intervals follow from those of all seeds."""
    study = FOUND["batches"][rule]
    for batch, row in study["batches"].items():
        assert runs.interval_of_logs(row["chosen"]) == pytest.approx(
            (row["lr"], row["low"], row["high"])
        )
        assert int(batch) * row["steps"] == runs.SEEN
        if batch != "8":
            assert runs.best_rate(rule, int(batch), 1)[0] == pytest.approx(
                row["chosen"][0], rel=0.15
            )
    now = runs.factors(study["batches"])
    assert {key: pytest.approx(one) for key, one in study["factors"].items()} == now


@pytest.mark.parametrize("problem", FOUND["schedules"])
def test_a_schedule_is_judged_again(problem: str) -> None:
    """Constant and cosine end where it is said on two seeds, and the verdict follows from all."""
    study = FOUND["schedules"][problem]
    finals = {"constant": study["constant_finals"], "cosine": study["cosine_finals"]}
    lrs = {"constant": study["constant_lr"], "cosine": study["cosine_lr"]}
    near(runs.judged(lrs, finals, study["floor"]), study, 1e-6)
    for key, way in runs.WAYS.items():
        for seed in (1, 2):
            final = way(runs.SCHEDULES[problem][0], lrs[key], seed).final - study["floor"]
            assert final == pytest.approx(finals[key][seed - 1], rel=FLOAT32)


@pytest.mark.parametrize("problem", ["line", "words", "diabetes"])
def test_the_best_rate_for_adam_is_found_again(problem: str) -> None:
    """The lab finds the recorded rate, and the losses at smaller ones are what they were."""
    now = runs.rate(problem, runs.compared(problem, ["adam"]))
    near(now, FOUND["rates"][problem], FLOAT32)
