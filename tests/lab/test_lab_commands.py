"""The lab's commands as a user types them: what they print, write, refuse and return."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from adamas.cli import main
from adamas.lab.commands.session import Request
from html_pages import Page

RULE = """
def signum(p, g, m, *, lr=1e-3, beta=0.9):
    m = beta * m + (1 - beta) * g
    return p - lr * sign(m), m
"""
SMALL = ["--quick", "--seeds", "3", "--workers", "1"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of one comparison of two optimizers and a rule of the user's."""
    out = tmp_path_factory.mktemp("lab")
    (out / "mine.py").write_text("from adamas.words import sign\n" + RULE)
    words = ["compare", "digits-softmax", "--optimizer", "sgd", "--optimizer", "adam"]
    words += ["--rule", f"{out / 'mine.py'}:signum", "--out", str(out / "report")]
    words += ["--csv", str(out / "runs.csv"), "--latex", str(out / "table.tex")]
    assert main([*words, *SMALL, "--hypothesis", "Adam wins"]) == 0
    return out


def test_compare_writes_everything(compared: Path) -> None:
    """The plan, every run, the results, the times and the page are in the directory."""
    names = {path.name for path in (compared / "report").iterdir()}
    assert names == {"plan.json", "runs.jsonl", "results.json", "timing.json",
                     "report.html", "report.zh.html"}  # fmt: skip
    results = json.loads((compared / "report" / "results.json").read_text())
    assert results["plan"]["hypothesis"] == "Adam wins"
    assert len(results["optimizers"]) == 3
    assert results["verdict"]["reference"] == "adam"
    page = (compared / "report" / "report.html").read_text()
    assert results["hash"] in page and "signum" in page
    with (compared / "runs.csv").open() as file:
        assert len(list(csv.DictReader(file))) > 9
    assert r"\begin{tabular}" in (compared / "table.tex").read_text()


def test_results_follow_from_the_runs(compared: Path) -> None:
    """The losses that judge are those of the stored runs of the report seeds, at their rates."""
    lines = (compared / "report" / "runs.jsonl").read_text().splitlines()
    runs = [json.loads(line) for line in lines]
    results = json.loads((compared / "report" / "results.json").read_text())
    steps = results["plan"]["steps"]
    for name, row in results["optimizers"].items():
        finals = {
            (run["lr"], run["seed"]): run["final"]
            for run in runs
            if (run["optimizer"], run["at"][-1]) == (name, steps)
        }
        judged = zip(row["lrs"], results["plan"]["report"], strict=True)
        assert row["finals"] == [finals[one] for one in judged]
        assert row["interval"]["mean"] == pytest.approx(np.mean(row["finals"]))


def test_json_is_all_that_is_printed(compared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the output is one tree that a program can read; people are told on stderr."""
    words = ["compare", "digits-softmax", "--optimizer", "sgd", "--optimizer", "adam"]
    words += ["--rule", f"{compared / 'mine.py'}:signum", "--out", str(compared / "report")]
    assert main([*words, *SMALL, "--hypothesis", "Adam wins", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["verdict"]
    assert "report.html" in printed.err


def test_the_template_runs(tmp_path: Path) -> None:
    """What --new writes is a problem that compares as it is; an existing file is kept."""
    mine = tmp_path / "mine.py"
    assert main(["compare", "--new", str(mine)]) == 0
    before = mine.read_text()
    assert main(["compare", "--new", str(mine)]) == 1
    assert mine.read_text() == before
    words = ["compare", f"{mine}:problem", "--optimizer", "adam", "--optimizer", "sgd"]
    assert main([*words, "--out", str(tmp_path / "out"), *SMALL]) == 0


def test_the_list_names_every_problem(capsys: pytest.CaptureFixture[str]) -> None:
    """A user sees what is built in, in both languages."""
    for language in ("en", "zh"):
        assert main(["compare", "--list", "--lang", language]) == 0
        printed = capsys.readouterr().out
        assert all(name in printed for name in ("digits", "line", "detection", "cartpole"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compare"], "name a problem"),
        (["compare", "digitz"], "no problem is called 'digitz'"),
        (["compare", "digits", "--optimizer", "adamm"], "no rule 'adamm'"),
        (["compare", "digits", "--optimizer", "adam", "--optimizer", "adam"], "named twice"),
        (["compare", "digits", "--reference", "lion"], "--reference lion does not take part"),
        (["compare", "digits", "--budget", "soon"], "is not a time"),
        (["compare", "digits", "--budget", "1s"], "give --budget"),
        (["compare", "digits", "--target", "price"], "--target price is for data files"),
        (["compare", "missing.csv", "--target", "price"], "missing.csv"),
        (["find-lr"], "name a problem"),
        (["find-lr", "digits", "--optimizer", "adam:beta9=1"], "cannot be given"),
        (["suite", "--problem", "digitz"], "no problem is called"),
    ],
)
def test_refusals_are_one_line(
    words: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command that cannot be carried out says why in one line, and leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_find_lr_answers_with_a_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is a number inside its interval, with what it cost, on paper and as JSON."""
    words = ["find-lr", "digits-softmax", "--out", str(tmp_path), "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert 0 < found["low"] <= found["lr"] <= found["high"]
    assert found["cost"] > 0
    assert "<svg" in (tmp_path / "find-lr.html").read_text()
    assert 'href="find-lr.html"' in (tmp_path / "find-lr.zh.html").read_text()


def test_a_suite_of_two(tmp_path: Path) -> None:
    """A suite compares each problem, and its profiles rise to at most 1."""
    words = ["suite", "--problem", "line", "--problem", "diabetes", "--out", str(tmp_path)]
    words += ["--optimizer", "adam", "--optimizer", "sgd"]
    assert main([*words, *SMALL]) == 0
    results = json.loads((tmp_path / "suite.json").read_text())
    assert list(results["problems"]) == ["line", "diabetes"]
    for rho in results["profiles"]["rho"].values():
        assert rho == sorted(rho) and rho[0] >= 0 and rho[-1] <= 1
    pages_lead_to_their_twins(tmp_path)


def pages_lead_to_their_twins(out: Path) -> None:
    """Check that a suite is read in one language: its problems' pages are in the suite's own."""
    for own, twin in (("", ".zh"), (".zh", "")):
        page = Page((out / f"suite{own}.html").read_text())
        problems = [f"{name}/report{own}.html" for name in ("line", "diabetes")]
        assert [one for one in page.links if one[0] != "#"] == [f"suite{twin}.html", *problems]
        inner = Page((out / problems[0]).read_text())
        assert f"report{twin}.html" in inner.links
        assert ("学习率" in page.text) == ("学习率" in inner.text) == (own == ".zh")


def test_ctrl_c_keeps_what_was_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Interrupted, the command says how many runs are kept and returns 130."""
    from adamas.lab.commands import session

    def stop(request: Request, *rest: object) -> None:
        request.out.mkdir()
        (request.out / "runs.jsonl").write_text('{"key": "a"}\n')
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "perform", stop)
    assert main(["compare", "digits", "--out", str(tmp_path / "out")]) == 130
    assert "1 run is kept" in capsys.readouterr().err
