"""A declared plan stays: another goal is another directory, and a refusal changes nothing."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from adamas.cli import main
from adamas.lab.commands.progress import Progress
from adamas.lab.commands.session import Request, perform
from adamas.lab.commands.suite import promise_all
from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from adamas.lab.own.spec import Spec
from adamas.lab.protocol import runner
from adamas.lab.protocol.promise import differences
from adamas.lab.protocol.store import Store, held
from adamas.lab.text import Say

PROBLEM = """
import numpy as np
from adamas.lab import numpy_problem

def loss_and_grad(params, x, y):
    off = x @ params["w"] - y
    return np.mean(off**2) + 0.1, {"w": 2 * x.T @ off / len(y)}

x = np.random.default_rng(0).normal(size=(40, 2))
problem = numpy_problem(loss_and_grad, {"w": np.ones(2)}, (x, x[:, 0]), steps=20, batch=4)
"""
WORDS = ["--optimizer", "sgd", "--optimizer", "adam", "--workers", "1"]


def content(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder, with its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of a problem that takes no time."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.py"
    path.write_text(PROBLEM)
    return f"{path}:problem"


@pytest.fixture(scope="module")
def compared(tiny: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a comparison that has been run."""
    out = tmp_path_factory.mktemp("promise") / "report"
    assert main(["compare", tiny, *WORDS, "--out", str(out)]) == 0
    return out


CHANGES = {
    "margin": ([*WORDS, "--margin", "50%"], "the margin (0.02 there, 0.5 here)"),
    "hypothesis": (
        [*WORDS, "--hypothesis", "sgd wins"],
        "(not given there, sgd wins here)",
    ),
    "goal": ([*WORDS, "--goal", "0.1"], "the goal (not given there, 0.1 here)"),
    "mode": ([*WORDS, "--quick"], "the mode (default there, quick here)"),
    "reference": ([*WORDS, "--reference", "sgd"], "the reference (adam there, sgd here)"),
    "optimizers": (
        [*WORDS, "--optimizer", "lion"],
        "(sgd, adam there, sgd, adam, lion here)",
    ),
    "seeds": ([*WORDS, "--seeds", "12"], "(10 from 1 to 10 there, 12 from 1 to 12 here)"),
    "budget": ([*WORDS, "--budget", "9h"], "(not given there, 32400.0 here)"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_plan_that_was_run_is_not_overwritten(
    what: str, tiny: str, compared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Compare, look, and move the goal: refused in a line with both values, nothing is touched."""
    words, message = CHANGES[what]
    before = content(compared)
    assert main(["compare", tiny, *words, "--out", str(compared)]) == 1
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert f"such as --out {compared}-2" in said
    assert content(compared) == before


def test_what_is_not_a_promise_may_change(tiny: str, compared: Path) -> None:
    """Language and further files are not part of the plan, whose bytes stay."""
    before = content(compared)
    words = ["compare", tiny, *WORDS, "--lang", "zh", "--out", str(compared)]
    assert main([*words, "--csv", str(compared.parent / "runs.csv")]) == 0
    after = content(compared)
    for name in ("plan.json", "runs.jsonl", "results.json"):
        assert after[name] == before[name]


def carried_out(tiny: str, out: Path, **declared: Any) -> Any:
    """Return the plan of a comparison that is carried out, without its page."""
    entrant.cache_clear()  # a process of its own has read no rule yet
    request = Request(Spec(tiny), out, **{"optimizers": ("sgd",), "workers": 1, **declared})
    return perform(request, Progress(io.StringIO(), 1), Say("en")).results["plan"]


def test_a_file_that_was_edited_is_another_problem(tiny: str, tmp_path: Path) -> None:
    """A rule or data that changed give another plan, which the old directory does not take."""
    rule, out = tmp_path / "mine.py", tmp_path / "out"
    text = "def mine(p, g, *, lr=0.1):\n    return p - {} * lr * g\n"
    rule.write_text(text.format(1))
    carried_out(tiny, out, optimizers=("sgd", f"{rule}:mine"))
    rule.write_text(text.format(2))
    with pytest.raises(LabError, match=r"the formula of .*mine"):
        carried_out(tiny, out, optimizers=("sgd", f"{rule}:mine"))


def test_a_plan_nobody_has_seen_a_run_of_may_change(tiny: str, tmp_path: Path) -> None:
    """A mistake that is noticed before the first run is mended in place."""
    carried_out(tiny, tmp_path, margin=0.05)
    for name in ("runs.jsonl", "results.json"):
        (tmp_path / name).unlink()
    assert carried_out(tiny, tmp_path)["margin"] == 0.02
    assert json.loads((tmp_path / "plan.json").read_text())["plan"]["margin"] == 0.02


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"plan": 3}', '{"plan"', "\0\1\2"])
def test_a_plan_that_cannot_be_read_is_kept(
    text: str, tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of the plan's name that is no plan is refused by its path and left alone."""
    (tmp_path / "plan.json").write_text(text)
    assert main(["compare", tiny, *WORDS, "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "plan.json cannot be read as a plan" in said and said.count("\n") == 1
    assert content(tmp_path) == {"plan.json": text.encode()}


def test_who_finds_the_directory_taken_changes_nothing(
    tiny: str, compared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second comparison that the lock refuses has not overwritten the plan of the first."""
    before = content(compared)
    with Store(compared):
        assert main(["compare", tiny, *WORDS, "--margin", "9%", "--out", str(compared)]) == 1
    assert "another process is writing" in capsys.readouterr().err
    assert content(compared) == before


def test_a_lock_is_let_go(tmp_path: Path) -> None:
    """A directory is free again after an error, and no file of the lock stays."""
    with pytest.raises(ZeroDivisionError), held(tmp_path):
        1 / 0  # noqa: B018
    with held(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_differences_name_all_that_was_declared() -> None:
    """Seeds and rates are told by how many there are and their ends."""
    old = {"report": [1, 2, 3], "grids": {"sgd": [0.1, 1.0], "adam": [1.0]}, "goal": None}
    new = {"report": [1, 2], "grids": {"sgd": [0.01, 1.0]}, "goal": 0.5}
    assert [one["en"] for one in differences(old, new)] == [
        "the report seeds (3 from 1 to 3 there, 2 from 1 to 2 here)",
        "the learning rates of sgd (2 from 0.1 to 1 there, 2 from 0.01 to 1 here)",
        "the goal (not given there, 0.5 here)",
    ]


def test_a_suite_promises_its_problems(
    tmp_path: Path,
) -> None:
    """After a suite of two problems the one that went well cannot take its place."""
    (tmp_path / "line").mkdir()
    (tmp_path / "line" / "runs.jsonl").write_bytes(b"{}\n")

    def promise(*problems: str) -> None:
        promise_all(tmp_path, {name: Request(Spec(name), tmp_path / name) for name in problems})

    promise("line", "diabetes")
    before = content(tmp_path)
    promise("line", "diabetes")
    with pytest.raises(LabError, match=r"the problems \(line, diabetes there, line here\)"):
        promise("line")
    assert content(tmp_path) == before


@pytest.mark.parametrize("run", ["line", "."])
def test_no_other_suite_takes_the_place_of_one_that_was_run(run: str, tmp_path: Path) -> None:
    """Runs of what was declared count, a suite's or a comparison's, whatever is asked for now."""
    (tmp_path / run).mkdir(exist_ok=True)
    (tmp_path / run / "runs.jsonl").write_bytes(b"{}\n")
    plan = {"problems": ["diabetes", "line"]} if run == "line" else {"problem": "line"}
    (tmp_path / "plan.json").write_text(json.dumps({"plan": plan}))
    before = content(tmp_path)
    with pytest.raises(LabError, match="the problems"):
        promise_all(tmp_path, {"digits": Request(Spec("digits"), tmp_path / "digits")})
    assert content(tmp_path) == before


def test_no_comparison_takes_the_place_of_a_suite_that_was_run(tiny: str, tmp_path: Path) -> None:
    """A suite's directory refuses a comparison too, whose own runs would lie elsewhere."""
    (tmp_path / "line").mkdir()
    (tmp_path / "line" / "runs.jsonl").write_bytes(b"{}\n")
    (tmp_path / "plan.json").write_text(json.dumps({"plan": {"problems": ["line"]}}))
    before = content(tmp_path)
    with pytest.raises(LabError, match="declares another comparison"):
        carried_out(tiny, tmp_path)
    assert content(tmp_path) == before


def test_other_rules_of_searching_are_another_suite(tmp_path: Path) -> None:
    """A suite that was run under other rules of searching and judging is not gone on with."""
    requests = {"line": Request(Spec("line"), tmp_path / "line")}
    old = promise_all(tmp_path, requests)
    (tmp_path / "plan.json").write_text(json.dumps({"plan": old | {"protocol": 1}}))
    (tmp_path / "line").mkdir()
    (tmp_path / "line" / "runs.jsonl").write_bytes(b"{}\n")
    with pytest.raises(LabError, match=r"rules of searching and judging \(1 there, 2 here\)"):
        promise_all(tmp_path, requests)


def test_an_answer_is_not_overwritten_by_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory with one optimizer's learning rate does not take that of another."""
    out = ["--workers", "1", "--out", str(tmp_path / "out")]
    assert main(["find-lr", "diabetes", "--optimizer", "sgd", *out]) == 0
    assert json.loads((tmp_path / "out" / "find-lr.json").read_text())["question"]["protocol"] == 2
    before = content(tmp_path)
    assert main(["find-lr", "diabetes", "--optimizer", "adam", *out]) == 1
    assert "the optimizers (sgd there, adam here)" in capsys.readouterr().err
    assert content(tmp_path) == before


def test_a_first_run_that_fails_leaves_no_plan(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the first run fails nothing was seen, so that no plan stays in the way of another."""
    out = tmp_path / "out"
    monkeypatch.setattr(runner, "trained", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        carried_out(tiny, out)
    assert not out.exists()
