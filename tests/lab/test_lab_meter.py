"""How long still: foretold once enough is known, from this process's own runs alone."""

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]

from adamas.lab.commands import meter
from adamas.lab.commands.meter import SETTLED, Meter
from adamas.lab.commands.progress import Progress
from adamas.lab.entrants import entrant
from adamas.lab.protocol import beside, measure, runner
from adamas.lab.protocol.measure import STARTING, Apart
from adamas.lab.protocol.plan import SIZES, declare
from adamas.lab.protocol.runner import Runner, Trial
from adamas.lab.text import Say
from adamas.lab.zoo import built_in


class Screen(io.StringIO):
    """A terminal, so that every run may be shown."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def shown(monkeypatch: pytest.MonkeyPatch, ends: list[float], fresh: list[bool]) -> list[str]:
    """Return what is shown after each of a hundred full runs that end at these seconds."""
    screen, now = Screen(), [0.0]
    monkeypatch.setattr(meter.time, "monotonic", lambda: now[0])
    meters = Meter(Progress(screen, 1), Say("en"), runs=100, weight=100.0)
    meters.stage("search")
    lines = []
    for now[0], one in zip(ends, fresh, strict=True):
        screen.truncate(screen.seek(0))
        meters.done(1.0, one)
        lines.append(screen.getvalue())
    return lines


def test_the_wait_for_workers_is_not_foretold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first runs take a minute and the others 2 s each: with 80 of 100 to go, 160 s are left.

    Nothing is foretold before a twentieth of the work has been seen after the first runs.
    """
    ends = [60.0] * SETTLED + [60.0 + 2 * n for n in range(1, 13)]
    lines = shown(monkeypatch, ends, [True] * len(ends))
    assert not re.search("left", "".join(lines[: SETTLED + 5]))
    assert "about 3 min left" in lines[-1]
    assert all("left" in line for line in lines[SETTLED + 5 :])


def test_runs_that_were_kept_foretell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier process left takes no time; the rest is foretold from what is run now."""
    ends = [0.5] * 60 + [0.5 + n for n in range(1, 21)]
    lines = shown(monkeypatch, ends, [False] * 60 + [True] * 20)
    assert "left" not in "".join(lines[:60])
    assert "about 20 s left" in lines[-1]


def test_what_follows_the_runs_is_foretold(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 20 runs of 2 s to go and a minute of baselines behind them, 100 s are left."""
    now = [0.0]
    monkeypatch.setattr(meter.time, "monotonic", lambda: now[0])
    screen = Screen()
    meters = Meter(Progress(screen, 1), Say("en"), runs=100, weight=100.0, after=60.0)
    for _ in range(80):
        now[0] += 2.0
        meters.done(1.0, True)
    assert "about 2 min left" in screen.getvalue().rpartition("run 80")[2]


def test_what_a_stage_asks_for_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 90 of 100 planned runs of 2 s, 40 are asked for: 80 s are left, and 130 runs in all."""
    now = [0.0]
    monkeypatch.setattr(meter.time, "monotonic", lambda: now[0])
    screen = Screen()
    meters = Meter(Progress(screen, 1), Say("en"), runs=100, weight=100.0)
    for k in range(91):
        now[0] += 2.0
        if k == 90:
            meters.coming(40, 40.0)
        meters.done(1.0, True)
    assert "run 91 of 130" in screen.getvalue()
    assert "about 80 s left" in screen.getvalue().rpartition("run 91")[2]


def test_a_runner_says_what_it_runs_next() -> None:
    """Of three trials, one of which is known, the two others are told before the first is run."""
    told, ended = list[list[int]](), list[int]()
    coming = lambda trials: told.append([trial.seed for trial in trials])  # noqa: E731
    runs = Runner(lambda: replace(built_in("line"), steps=40), {}, seen=lambda trial, key:
                  ended.append(trial.seed), coming=coming)  # fmt: skip
    runs.run([Trial("sgd", 1e-3, 1, 40)])
    runs.run([Trial("sgd", 1e-3, seed, 40) for seed in (1, 2, 3)])
    assert told == [[1], [2, 3]] and ended == [1, 2, 3]


def test_a_table_costs_more_than_its_runs() -> None:
    """Besides its runs it is loaded by workers, drawn for each seed, and fitted by baselines."""
    plan = declare(built_in("diabetes"), {}, [entrant("sgd")], SIZES["default"])
    assert [len(seeds) for seeds in (plan.tuning, plan.refine, plan.report)] == [3, 5, 10]
    apart = Apart(loading=7.0, drawing=0.5, fitting=2.0)
    # 3 + 5 seeds of the search, and 10 that judge twice, tuned and untuned.
    assert apart.whole(plan, 1) == 0.5 * 28 + 2 * 10
    assert apart.whole(plan, 2) == STARTING + 7 + 0.5 * 28 + 2 * 10 / 2


def test_imports_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first baselines of a process import scikit-learn, and foretell nothing of the others."""
    clock, fits = [0.0], list[int]()

    def baselines(seed: int) -> dict[str, dict[str, float]]:
        clock[0] += 1.0 if fits else 40.0
        fits.append(seed)
        return {}

    def task(seed: int) -> Any:
        clock[0] += 0.25

    problem = replace(built_in("line"), task=task, baselines=baselines)
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock[0])
    assert measure.seconds_apart(problem, 5.0) == Apart(loading=5.0, drawing=0.25, fitting=1.0)


def test_baselines_have_one_thread() -> None:
    """A process limited before scikit-learn was imported fits on one thread all the same."""

    def baselines(seed: int) -> dict[str, dict[str, float]]:
        return {"threads": {lib["filepath"]: lib["num_threads"] for lib in threadpool_info()}}

    problem = replace(built_in("line"), baselines=baselines)
    with threadpool_limits(limits=2):
        found = beside.fitted(lambda: problem, 1)["threads"]
    assert found and set(found.values()) == {1}


def test_runs_of_one_seed_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process keeps the data of two seeds, so runs are made seed by seed, whoever asks how."""
    made = []

    def train(_: object, trial: Trial) -> Any:
        made.append(trial.seed)
        return trial

    monkeypatch.setattr(runner, "train", train)
    trials = [Trial("sgd", lr, seed, 10) for lr in (0.1, 0.2) for seed in (3, 1, 2)]
    assert Runner(lambda: built_in("line"), "line").run(trials) == trials
    assert made == [1, 1, 2, 2, 3, 3]
