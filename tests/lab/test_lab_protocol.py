"""The protocol: plans that cannot be bent, runs that are kept, numbers that stay the same."""

import io
import json
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.commands import session
from adamas.lab.commands.progress import Progress
from adamas.lab.commands.session import Request, perform
from adamas.lab.constants import CLASSICAL
from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.protocol.budget import fit, seconds_in
from adamas.lab.protocol.plan import SIZES, SMALLER, Plan, Size, declare
from adamas.lab.protocol.results import reached
from adamas.lab.protocol.runner import Runner, Trial
from adamas.lab.protocol.store import Store
from adamas.lab.protocol.study import study
from adamas.lab.text import Say
from adamas.lab.trial import Record
from adamas.lab.zoo.digits import SOFTMAX
from adamas.lab.zoo.line import FULL
from long_form import LONG
from places import HELPERS

FOUR = [entrant(name) for name in CLASSICAL]


def plan(size: Size = SIZES["quick"], **declared: Any) -> Plan:
    """Return a plan on the digits."""
    return declare(SOFTMAX, {"text": "digits"}, FOUR, size, **declared)


def test_equal_budgets_and_disjoint_seeds() -> None:
    """Every optimizer gets as many rates and seeds, and no seed both tunes and judges."""
    made = plan(SIZES["default"])
    assert {len(grid) for grid in made.grids.values()} == {9}
    assert not {*made.tuning, *made.refine} & {*made.report}
    assert not {*made.tuning} & {*made.refine}
    assert made.costs()[0] == 4 * (9 * 3 + 3 * 5 + 2 * 10)
    shared = {"tuning": (1, 2), "report": (2, 3)}
    with pytest.raises(LabError, match=r"seeds \[2\] would both tune and judge"):
        Plan(**{**made.__dict__, **shared})


def test_the_hash_covers_everything_declared() -> None:
    """A plan with any other margin, goal, hypothesis, seeds or optimizer has another hash."""
    plain = plan()
    others = [
        plan(margin=0.05),
        plan(goal=0.1),
        plan(hypothesis="Adam wins"),
        plan(SIZES["default"]),
        declare(SOFTMAX, {"text": "digits"}, FOUR[:3], SIZES["quick"]),
        declare(SOFTMAX, {"text": "digits", "sha256": "0"}, FOUR, SIZES["quick"]),
    ]
    assert len({made.hash for made in (plain, *others)}) == 7
    assert plan().hash == plain.hash


def test_a_rule_that_is_edited_is_another_plan(tmp_path: Path) -> None:
    """The formula itself is declared, not only the name of the file that it is in."""
    found = []
    for factor in (1, 2):
        file = tmp_path / f"{factor}" / "mine.py"
        file.parent.mkdir()
        file.write_text(f"def mine(p, g, *, lr=0.1):\n    return p - lr * {factor} * g\n")
        found.append(entrant(f"{file}:mine"))
    assert found[0].fingerprint != found[1].fingerprint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adamm", "no rule 'adamm'"),
        ("adam:beta=0.9", "adam cannot be given 'beta=0.9'; it takes beta1, beta2"),
        ("adam:lr=0.1", "lr is what is searched"),
        ("adam:beta1=x", "beta1='x' is not a finite number"),
        ("missing.py:rule", "missing.py is not a Python file"),
    ],
)
def test_unknown_optimizers_are_refused_by_name(text: str, message: str) -> None:
    """A text that names no optimizer is refused with what would be one."""
    with pytest.raises(LabError, match=message.replace("(", r"\(")):
        entrant(text)


def test_a_problem_without_chance_needs_one_seed() -> None:
    """Where the seed changes nothing, more seeds would count one run several times."""
    made = declare(FULL, {}, FOUR, SIZES["default"])
    assert (made.tuning, made.refine, made.report) == ((1001,), (2001,), (1,))


@given(st.floats(1, 1e6), st.floats(1e-3, 100), st.integers(1, 64))
def test_a_budget_is_kept_or_refused(budget: float, each: float, workers: int) -> None:
    """The largest plan that fits is taken; nothing is dropped; too little time is refused."""
    smallest = fit(lambda size: plan(SMALLER[-1]), SMALLER[-1:], each, workers, None).seconds
    if smallest > budget:
        with pytest.raises(LabError, match="give --budget"):
            fit(plan, SMALLER, each, workers, budget)
        return
    fitted = fit(plan, SMALLER, each, workers, budget)
    assert fitted.seconds <= budget
    assert fitted.plan.optimizers == CLASSICAL
    assert len(fitted.plan.report) >= 3
    sizes = [plan(size) for size in SMALLER]
    larger = sizes[: [one.hash for one in sizes].index(fitted.plan.hash)]
    assert all(fit(lambda size, p=p: p, SMALLER[:1], each, workers, None).seconds > budget
               for p in larger)  # fmt: skip


@pytest.mark.parametrize("text", ["5 minutes", "-3", "0", "m", "1e3", ""])
def test_times_that_are_none(text: str) -> None:
    """A budget that is not a time is refused by its text."""
    with pytest.raises(LabError, match="is not a time"):
        seconds_in(text)


def test_arrival_is_the_first_evaluation_below_the_goal() -> None:
    """Time to target counts updates up to the first evaluation that is low enough."""
    record = Record("adam", 0.1, 1, (0, 10, 20), (3.0, 1.0, 2.0), 2.0, False, {})
    assert [reached(record, goal) for goal in (3.0, 1.5, 0.5, float("inf"))] == [
        0,
        10,
        float("inf"),
        float("inf"),
    ]


def carried_out(workers: int) -> list[tuple[str, float, float, tuple[float, ...]]]:
    """Return every report run of a small study."""
    load = partial(resolve, Spec("diabetes"))
    runner = Runner(load, "diabetes", workers=workers)
    found = study(plan(Size(1, 1, 3, 0.5)), runner, lambda name: None)
    return [(r.optimizer, r.lr, r.final, r.losses) for rs in found.report.values() for r in rs]


@cache
def alone() -> list[tuple[str, float, float, tuple[float, ...]]]:
    """Return them from one process."""
    return carried_out(1)


def test_the_number_of_workers_changes_no_number() -> None:
    """One, two and four processes give the same learning rates and losses, bit for bit."""
    assert carried_out(2) == alone()
    assert carried_out(4) == alone()


def test_a_cluster_changes_no_number() -> None:
    """The same numbers come back from the workers of a Dask cluster."""
    distributed = pytest.importorskip("distributed")
    from adamas.lab.protocol.runner import cluster

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
        ) as local,
        cluster(local.scheduler_address),
    ):
        spread = carried_out(2)
    assert spread == alone()


def test_a_run_is_made_once(tmp_path: Path) -> None:
    """What is in the store is not run again, and says the same."""
    trial = Trial("adam", 0.01, 1, 50)
    fresh: list[str] = []
    records = []
    for _ in range(2):
        with Store(tmp_path) as store:
            known = set(store.known)
            runner = Runner(lambda: SOFTMAX, "digits", store)
            records.append(runner.run([trial, trial])[0])
            fresh += set(store.known) - known
    assert len(fresh) == 1
    assert records[0] == records[1] or repr(records[0]) == repr(records[1])  # NaN is not itself


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork to be killed")
def test_killed_comparisons_go_on_to_the_same_bytes(tmp_path: Path) -> None:
    """Killed at random moments and run again, time after time, the files are those of one run."""
    times = 20 if LONG else 4
    done = subprocess.run(
        [sys.executable, str(HELPERS / "killed.py"), str(tmp_path), str(times)],
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    assert f"{times} comparisons, same bytes" in done.stdout


def test_a_cut_plan_is_kept_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comparison cut to a time has the same plan again, however long a run takes by then."""
    hashes = set()
    for each in (0.12, 5.0):
        monkeypatch.setattr(session, "seconds_per_run", lambda *asked, each=each: each)
        request = Request(Spec("diabetes"), tmp_path, ("sgd", "adam"), budget=6.0, workers=1)
        results = perform(request, Progress(io.StringIO(), 1), Say("en")).results
        hashes.add(results["hash"])
        written = json.loads((tmp_path / "plan.json").read_text())
        written["expected"] += 1
        (tmp_path / "plan.json").write_text(json.dumps(written))
    assert len(hashes) == 1
