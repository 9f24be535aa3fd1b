"""`adamas.lab.compare`: what a notebook hands over, gets back, keeps, and is refused."""

import csv
import html
import io
import itertools
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

import adamas
import adamas.torch
from adamas import lab
from adamas.cli import main
from adamas.lab.needs import UnavailableError
from adamas.lab.notebook import api
from adamas.lab.notebook.comparison import ComparisonResult
from adamas.lab.own import tabular
from adamas.lab.own.content import content
from adamas.lab.protocol import measure, runner, sequential
from adamas.lab.protocol.plan import SIZES, Size
from adamas.lab.report.exports import to_csv
from adamas.lab.trial import Record
from adamas.words import sign
from html_pages import LOADING, Page
from unpainted import leave_out_pictures

PAIR = ("sgd", "adam")
RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 2))
Y = X @ np.array([1.0, -2.0]) + 0.1 * RNG.normal(size=60)


def loss_and_grad(params: Any, x: Any, y: Any) -> Any:
    """Return the squared error of a line, which is never 0, and its gradient."""
    off = x @ params["w"] - y
    return np.mean(off**2) + 0.1, {"w": 2 * x.T @ off / len(y)}


def small(steps: int = 20, loss: Callable[..., Any] = loss_and_grad) -> lab.Problem:
    """Return a problem that takes no time."""
    return lab.numpy_problem(loss, {"w": np.ones(2)}, (X, Y), steps=steps, batch=4)


def quick(problem: Any, optimizers: Any = PAIR, **options: Any) -> ComparisonResult:
    """Compare with few seeds in this process alone, and say nothing."""
    return lab.compare(
        problem, optimizers, **{"quick": True, "workers": 1, "progress": False, **options}
    )


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let searches be short, tables be trained for thirty steps only, and nothing be drawn.

    The comparison that is shown, `found`, is made before and has its pictures.
    """
    leave_out_pictures(monkeypatch)
    monkeypatch.setattr(tabular, "schedule", lambda rows, widths: (8, 30))
    monkeypatch.setitem(SIZES, "quick", Size(tuning=1, refine=2, report=3, reach=0.5))
    monkeypatch.setattr(measure, "REPEATS", 1)


@adamas.rule
def signs(p, g, m, *, lr=1e-3, beta=0.9):  # type: ignore[no-untyped-def]
    """Signum, Bernstein et al. 2018."""
    m = beta * m + (1 - beta) * g
    return p - lr * sign(m), m


@pytest.fixture(scope="module")
def found() -> ComparisonResult:
    """Return one comparison."""
    return quick(small(), [*PAIR, signs])


def test_it_is_the_command(tmp_path: Path) -> None:
    """A name gives the very results of the command line, each in the directory of the other."""
    words = ["compare", "line", "--optimizer", "sgd", "--optimizer", "adam", "--quick"]
    assert main([*words, "--workers", "1", "--out", str(tmp_path / "out")]) == 0
    runs = (tmp_path / "out" / "runs.jsonl").read_bytes()
    other = lab.compare("line", PAIR, quick=True, workers=1, out=tmp_path / "out", progress=False)
    assert other.to_dict() == json.loads((tmp_path / "out" / "results.json").read_text())
    assert (tmp_path / "out" / "runs.jsonl").read_bytes() == runs


def test_the_tables_hold_the_numbers_of_the_results(found: ComparisonResult) -> None:
    """Verdicts, intervals and runs are rows of plain values, those of the tree and the CSV."""
    tree = found.to_dict()
    assert [row["optimizer"] for row in found.optimizers] == [*PAIR, "signs"]
    for row in found.optimizers:
        interval = tree["optimizers"][row["optimizer"]]["interval"]
        assert [row["mean"], row["low"], row["high"]] == [*interval.values()]
    assert {row["reference"] for row in found.comparisons} == {"adam"}
    assert found.words == {row["optimizer"]: row["word"] for row in found.comparisons}
    lines = list(csv.DictReader(io.StringIO(to_csv(tree))))
    shown = [{key: "" if v is None else str(v) for key, v in row.items()} for row in found.runs]
    assert shown == lines
    assert sum(row["kind"] == "tuned" for row in found.runs) == 3 * len(tree["plan"]["report"])
    tree["optimizers"].clear()
    assert found.to_dict()["optimizers"]


@pytest.mark.parametrize("table", ["optimizers", "comparisons", "runs"])
def test_pandas_gets_every_table(table: Any, found: ComparisonResult) -> None:
    """`to_frame` is the table as a data frame with its column names; another name is refused."""
    frame = found.to_frame(table)
    rows = getattr(found, table)
    assert list(frame.columns) == list(rows[0]) and len(frame) == len(rows)
    with pytest.raises(ValueError, match="'wins'; give one of optimizers"):
        found.to_frame("wins")  # type: ignore[arg-type]


def test_without_pandas_the_tables_stay(
    found: ComparisonResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without pandas `to_frame` says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(lab.LabError, match="pip install pandas"):
        found.to_frame()


def test_it_shows_itself(found: ComparisonResult) -> None:
    """Printed it is the terminal's lines under the verdict; in a notebook one escaped table."""
    assert found.verdict in repr(found) and found.table in repr(found)
    assert found.verdict.endswith(".") and not set("*`") & set(found.verdict)
    shown = found._repr_html_()
    assert not LOADING & set(Page(shown).tags)
    assert shown.count("<tr>") == 4 and "<script" not in shown and "<style" not in shown
    assert len(shown) < 5000


def test_save_writes_the_page_and_nothing_else(found: ComparisonResult, tmp_path: Path) -> None:
    """`save` replaces a page at once, and refuses what is no page or has no directory."""
    page = tmp_path / "page.html"
    page.write_text("old")
    assert found.save(page) == page
    assert found.to_dict()["hash"] in page.read_text()
    for wrong in (tmp_path / "data.csv", tmp_path, tmp_path / "nowhere" / "page.html"):
        with pytest.raises(lab.LabError, match=r"page\.html|cannot be written"):
            found.save(wrong)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


FRAME = pd.DataFrame(
    {
        "size": [i % 7 + 0.5 for i in range(60)],
        "kind": pd.Categorical(["a", "b", "c"] * 20),
        "day": pd.date_range("2024-01-31", periods=60)[::-1],
        "tags": [[1]] * 60,
        "gone": pd.array([1, None, 3] * 20, dtype="Int64"),
        "price": [i % 7 * 2.0 + i % 3 for i in range(60)],
    }
)


@pytest.mark.parametrize(
    ("problem", "options", "python"),
    [
        ((X, Y), {}, "(X, y)"),
        ((X.tolist(), ["low", "high"] * 30), {}, "(X, y)"),
        ((FRAME[["size", "kind"]], FRAME["price"]), {}, "(X, y)"),
        ((torch.tensor(X, requires_grad=True), torch.tensor(Y)), {}, "(X, y)"),
        (FRAME, {"target": "price"}, "frame"),
        (pd.DataFrame(np.c_[X, Y]), {"target": 2}, "frame"),
        (small(), {}, "problem"),
    ],
)
def test_what_python_holds_can_be_compared_on(
    problem: Any, options: dict[str, Any], python: str, tmp_path: Path
) -> None:
    """Arrays, data frames and problems are compared on; an equal call makes no run again."""
    first = quick(problem, **options, out=tmp_path / "out")
    assert first.to_dict()["plan"]["identity"]["python"] == python
    call = f"adamas.lab.compare({python}, ['sgd', 'adam'], quick=True"
    assert call in html.unescape((tmp_path / "out" / "report.html").read_text())
    kept = (tmp_path / "out" / "runs.jsonl").read_bytes()
    again = quick(problem, **options, out=tmp_path / "out")
    assert again.to_dict() == first.to_dict()
    assert (tmp_path / "out" / "runs.jsonl").read_bytes() == kept


def test_a_data_frame_reads_as_its_csv(tmp_path: Path) -> None:
    """A frame of numbers, texts and dates trains as the file that pandas writes of it."""
    file = tmp_path / "data.csv"
    frame = FRAME.drop(columns="tags")
    frame.to_csv(file, index=False)
    mine = quick(frame, target="price").optimizers
    assert mine == quick(file, target="price").optimizers


def test_a_frame_of_another_library(tmp_path: Path) -> None:
    """Whatever has `columns` and columns with `to_numpy` is read, such as a polars frame."""

    class Column:
        def __init__(self, values: Any) -> None:
            self.values = values

        def to_numpy(self) -> Any:
            return self.values

    class Frame:
        columns = ("a", "b", "y")

        def __getitem__(self, name: str) -> Column:
            return Column({"a": X[:, 0], "b": X[:, 1], "y": Y}[name])

    assert quick(Frame(), target="y").optimizers[0]["mean"] is not None


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory that declares a comparison on arrays, of which a run was made."""
    out = tmp_path_factory.mktemp("notebook") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequential, "study", refuse_after_one)
        with pytest.raises(lab.LabError, match="enough"):
            quick((X, Y), out=out, seeds=3)
    return out


def refuse_after_one(plan: Any, made: runner.Runner, stage: Any) -> None:
    """Make one run only."""
    made.run([runner.Trial("sgd", 0.1, plan.report[0], plan.steps)])
    raise lab.LabError("that is enough")


@pytest.mark.parametrize(
    "other",
    [
        {"problem": (X + 1, Y)},
        {"problem": (X.astype(np.float32), Y)},
        {"problem": (X, Y[::-1])},
        {"margin": 0.5, "seeds": 3},
        {"seeds": 4},
    ],
)
def test_another_plan_is_refused(other: dict[str, Any], kept: Path) -> None:
    """Other data or another plan in a directory that has runs are refused in Python's words."""
    with pytest.raises(lab.LabError, match=r"declares another comparison.*such as out="):
        quick(**{"problem": (X, Y), "out": kept, **other})


def test_the_hash_of_a_problem_is_its_content() -> None:
    """Equal problems are one problem; another loss, number or array is another."""

    def other(params: Any, x: Any, y: Any) -> Any:
        return loss_and_grad(params, x, y)

    assert content(small()) == content(small())
    assert len({content(p) for p in (small(), small(21), small(loss=other))}) == 3


def test_what_has_no_hash_is_not_resumed(tmp_path: Path) -> None:
    """A problem that nobody could tell from another is compared, but not into a directory."""
    draw = np.random.default_rng(1)

    def noisy(params: Any, x: Any, y: Any) -> Any:
        loss, grads = loss_and_grad(params, x, y)
        return loss + 0 * draw.random(), grads

    assert quick(small(loss=noisy)).words
    with pytest.raises(lab.LabError, match=r"Generator.*compare without out"):
        quick(small(loss=noisy), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_workers_give_the_same_numbers(tmp_path: Path) -> None:
    """Two processes get the problem, a rule and a file's class of the user's; nothing changes."""
    file = tmp_path / "mine.py"
    file.write_text(
        "class Half:\n"
        "    def __init__(self, params, lr=0.1):\n"
        "        self.params, self.lr = params, lr\n"
        "    def step(self, grads):\n"
        "        for name, grad in grads.items():\n"
        "            self.params[name] -= self.lr / 2 * grad\n"
    )
    optimizers = ["adam", signs, f"{file}:Half"]
    one, two = (quick(small(), optimizers, workers=count) for count in (1, 2))
    assert one.to_dict() == two.to_dict()


def test_what_cannot_be_sent_runs_here(capsys: pytest.CaptureFixture[str]) -> None:
    """A problem that cannot be pickled runs in this process, and that is said."""
    lock = threading.Lock()

    def locked(params: Any, x: Any, y: Any) -> Any:
        with lock:
            return loss_and_grad(params, x, y)

    assert quick(small(loss=locked), workers=2, progress=True).words
    assert "runs are made in this one" in capsys.readouterr().out


def test_rules_and_classes_are_optimizers() -> None:
    """Classes and rules of adamas are their names; a function of the same name is refused."""
    classes = quick(small(), [adamas.SGD, adamas.rules.adam])
    assert [row["optimizer"] for row in classes.optimizers] == list(PAIR)

    def adam(p, g, *, lr=0.1):  # type: ignore[no-untyped-def]
        return p - lr * g

    with pytest.raises(lab.LabError, match="two rules are called 'adam'"):
        quick(small(), [adam])
    with pytest.raises(lab.LabError, match="no rule 'signs'"):
        quick(small(), ["signs"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 0}, r"seeds=0 is not a whole number from 1 to 1000"),
        ({"seeds": 2.5}, r"seeds=2\.5 is not a whole number"),
        ({"seeds": True}, "seeds=True is not a whole number"),
        ({"workers": 2.5}, r"workers=2\.5 is not a whole number"),
        ({"margin": 2.0}, "margin=2.0 is not a share"),
        ({"margin": "2%"}, "margin='2%' is not a share"),
        ({"budget": float("inf"), "quick": False}, "budget=inf is not a time"),
        ({"budget": float("nan"), "quick": False}, "budget=nan is not a time"),
        ({"budget": -5, "quick": False}, "budget=-5 is not a time"),
        ({"optimizers": "adam"}, r"optimizers='adam' is no list.*give one such as \['adam'\]"),
        ({"optimizers": []}, r"optimizers=\[\] is no list"),
        ({"optimizers": adamas.Adam}, "Adam'> is no list"),
        ({"optimizers": [["adam"]]}, r"\['adam'\] is no optimizer; give a name"),
        ({"optimizers": [None]}, "None is no optimizer"),
        ({"optimizers": [adamas.Adam(np.zeros(2))]}, "Adam adam: 2 elements.*is no optimizer"),
        ({"reference": []}, r"reference=\[\] is no list"),
        ({"reference": signs}, "reference=signs does not take part"),
        ({"problem": pa.table({"a": X[:, 0], "y": Y}), "target": "y"}, r"Table.*to_pandas\(\)"),
        ({"problem": pa.record_batch({"y": Y}), "target": "y"}, r"RecordBatch.*to_pandas\(\)"),
        ({"goal": float("nan")}, "goal=nan is not a loss"),
        ({"lang": "fr"}, "'fr' is not known"),
        ({"quick": True, "rigorous": True}, "give one of them"),
        ({"reference": "lion"}, "reference=lion does not take part; add optimizer=lion"),
        ({"budget": "soon", "quick": False}, "budget='soon' is not a time"),
        ({"target": "price"}, "target=price is for data files and data frames"),
        ({"problem": FRAME}, "needs target=COLUMN"),
        ({"problem": "digitz"}, "no problem is called 'digitz'"),
        ({"problem": (X, Y[:-1])}, "the shapes must be"),
        ({"problem": (FRAME, Y[:-1])}, "differ in length"),
        ({"problem": 3}, "not int"),
    ],
)
def test_refusals_speak_python(
    options: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be done is refused in one sentence that names arguments, not options."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises((lab.LabError, ValueError, TypeError), match=message) as refusal:
        quick(**{"problem": small(), **options})
    assert "--" not in str(refusal.value)
    assert not os.listdir(tmp_path)


def test_interrupted_it_keeps_what_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt raises, the runs stay in `out`, and the same call goes on with them."""
    made = 0
    train = runner.train

    def counted(load: runner.Load, trial: runner.Trial) -> Record:
        nonlocal made
        made += 1
        if made == 12:
            raise KeyboardInterrupt
        return train(load, trial)

    monkeypatch.setattr(runner, "train", counted)
    with pytest.raises(KeyboardInterrupt):
        quick(small(), out=tmp_path / "out")
    before = (tmp_path / "out" / "runs.jsonl").read_text().splitlines()
    assert len(before) == 11
    whole = quick(small(), out=tmp_path / "out")
    after = (tmp_path / "out" / "runs.jsonl").read_text().splitlines()
    assert set(before) < set(after) and made == 1 + len(after)
    assert whole.to_dict() == quick(small()).to_dict()


@pytest.mark.parametrize("reference", [signs, [signs], ["signs"], adamas.SGD, [adamas.SGD]])
def test_references_are_given_as_optimizers_are(reference: Any) -> None:
    """A reference is a name, a class or a rule, alone or in a list."""
    found = quick(small(), [adamas.SGD, signs], reference=reference)
    name = "sgd" if reference in (adamas.SGD, [adamas.SGD]) else "signs"
    assert {row["reference"] for row in found.comparisons} == {name}


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    """Seeds and shares from an array are those that Python's numbers mean."""
    found = quick(small(), seeds=np.int64(3), margin=np.float32(0.25), out=tmp_path / "out")
    assert found.to_dict() == quick(small(), seeds=3, margin=0.25).to_dict()


def standing(p, g, *, lr=1e-3):  # type: ignore[no-untyped-def]
    """Stay where one is."""
    return p + 0 * lr * g


def disturbed(by: Callable[[], None]) -> lab.Problem:
    """Return a problem that once does something else in a run, and cannot be sent elsewhere."""
    calls, lock = itertools.count(), threading.Lock()

    def loss(params: Any, x: Any, y: Any) -> Any:
        if next(calls) == 100:
            by()
        with lock:
            return loss_and_grad(params, x, y)

    return small(loss=loss)


def test_a_comparison_within_another_gives_back_its_rules() -> None:
    """A comparison that a loss makes leaves the outer one what it was, and both their rules."""
    inner: list[ComparisonResult] = []

    def within() -> None:
        inner.append(quick(small(), ["sgd", standing]))

    outer = quick(disturbed(within), ["sgd", signs]).to_dict()
    assert outer["optimizers"] == quick(small(), ["sgd", signs]).to_dict()["optimizers"]
    assert inner[0].to_dict() == quick(small(), ["sgd", standing]).to_dict()


def test_a_second_thread_is_refused() -> None:
    """While one thread compares another is told to wait, and disturbs nothing."""
    refused: list[BaseException] = []

    def compare() -> None:
        try:
            quick(small(), ["sgd", standing])
        except lab.LabError as error:
            refused.append(error)

    def beside() -> None:
        thread = threading.Thread(target=compare)
        thread.start()
        thread.join()

    outer = quick(disturbed(beside), ["sgd", signs]).to_dict()
    assert "another thread is comparing" in str(refused[0])
    assert outer["optimizers"] == quick(small(), ["sgd", signs]).to_dict()["optimizers"]


@pytest.mark.parametrize(
    ("message", "python"),
    [
        ("--target price is for files", "target=price is for files"),
        ("choose another --out", "choose another out"),
        ("pip install --no-deps stardist", "pip install --no-deps stardist"),
        ("a--out.csv and --output b", "a--out.csv and --output b"),
        ("write one with adamas compare --new mine.py", None),
    ],
)
def test_only_options_become_arguments(message: str, python: str | None) -> None:
    """Words that are no option of the command line stay as they are."""
    assert api.in_python(message) == (python or message)


def test_a_reason_keeps_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A problem that cannot be run here is refused with its type and its sentence in Chinese."""
    reason = UnavailableError("nuclei")

    def unavailable(*_: object) -> None:
        raise reason

    monkeypatch.setattr(api, "perform", unavailable)
    with pytest.raises(UnavailableError, match="pip install --no-deps stardist") as refusal:
        quick("line")
    assert refusal.value.words["zh"] == UnavailableError("nuclei").words["zh"]
