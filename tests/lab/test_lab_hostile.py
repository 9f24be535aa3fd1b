"""Hostile words on the command line: one line, exit code 1 or 2, and nothing left behind."""

import html
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adamas.cli import main
from adamas.lab import finder
from adamas.lab.commands import session
from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from chinese_pages import english

BEGUN = "the first run would begin here"
FILES = {
    "broken.py": "def f(:\n",
    "exits.py": "import sys\nsys.exit(3)\n",
    "raises.py": "x = 1\nx / 0\n",
    "number.py": "f = 3\n",
    "nul.py": "\0\0",
    "still.py": "def f(p, g, *, lr=0.0):\n    return p - lr * g\n",
    "empty.csv": "",
    "data.csv": "a,y\n" + "".join(f"{i * i % 17},{i % 11}.5\n" for i in range(60)),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder of such files, where no run is ever made."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.setattr(session, "seconds_per_run", refuse)
    monkeypatch.setattr(finder, "find_lr", refuse)
    entrant.cache_clear()
    return tmp_path


def refuse(*_: object, **__: object) -> None:
    """Stand in for the first run."""
    raise LabError(BEGUN)


def ended(words: list[str]) -> int | str | None:
    """Return the exit code of a command."""
    try:
        return main(words)
    except SystemExit as end:
        return end.code


REFUSED = [
    (["compare", "line", "--optimizer", "adam:beta1=2"], "beta1=2.0 is not allowed"),
    (["compare", "line", "--optimizer", "adam:beta1=0.1,beta1=0.2"], "twice"),
    (["compare", "line", "--optimizer", "still.py:f"], "default lr=0.0"),
    (["compare", "line", "--rule", "broken.py:f"], "SyntaxError: invalid syntax"),
    (["compare", "line", "--rule", "exits.py:f"], "SystemExit: 3 (line 2)"),
    (["compare", "raises.py:f"], "ZeroDivisionError: division by zero (line 2)"),
    (["compare", "x" * 300], "no problem is called"),
    (["compare", "9" * 5000], "no problem is called"),
    (["find-lr", "x" * 300], "no problem is called"),
    (["compare", "x" * 300 + ".csv"], "File name too long"),
    (["compare", "line", "--out", "x" * 300], "File name too long"),
    (["compare", "line", "--out", "/x" * 5000], "cannot write to --out"),
    (["compare", "line", "--out", "data.csv"], "is a file"),
    (["compare", "line", "--reference", "adam", "--reference", "adam"], "named twice"),
    (["compare", "line", "--budget", "9" * 400 + "h"], "is not a time"),
    (["compare", "line", "--budget", "5m", "--seeds", "7"], "--seeds 7 would not be heard"),
    (["compare", "line", "--optimizer", "sgd", "--fail-if-worse", "2%"], "two optimizers"),
    (["compare", "line", "--new", "mine.py"], "PROBLEM would not be heard"),
    (["compare", "--list", "--quick", "--out", "a"], "--quick, --out would not be heard"),
    (["compare", "line", "--csv", "folder"], "--csv"),
    (["compare", "line", "--csv", "none/runs.csv"], "no such directory"),
    (["compare", "line", "--csv", "a", "--latex", "a"], "is taken"),
    (["compare", "line", "--out", "folder", "--csv", "folder/runs.jsonl"], "is taken"),
    (["compare", "line", "--out", "folder", "--csv", "folder/../folder/plan.json"], "is taken"),
    (["compare", "line", "--out", "new", "--csv", "folder/../new/plan.json"], "is taken"),
    (["compare", "line", "--csv", "a", "--latex", "folder/../a"], "is taken"),
    (["compare", "line", "--figures", "data.csv"], "is taken"),
    (["compare", "line", "--dask", "nowhere"], "--dask nowhere cannot be reached"),
    (["find-lr", "line", "--dask", "foo://bar"], "unknown address scheme"),
    (["find-lr", "line", "--out", "a/b/c"], BEGUN),
    (["compare", "line", "--out", "a/b/c"], BEGUN),
    (["suite", "--out", "a/b/c"], BEGUN),
    (["suite", "--problem", "line", "--problem", "digitz"], "no problem is called 'digitz'"),
    (["suite", "--problem", "line", "--problem", "line"], "named twice"),
    (["show", "broken.py:f"], "SyntaxError"),
    (["show", "nul.py:f"], "SyntaxError"),
    (["show", "number.py:f"], "int, not a function"),
    (["show", "x" * 300 + ".py:f"], "is not a Python file"),
    (["show", "adam", "--formula", "--state", "int8"], "--dtype and --state"),
    (["show", "--dtype", "float64"], "--dtype and --state"),
    (["show", "adam", "--state", "int3"], "no storage format 'int3'"),
    (["show", "adam", "--dtype", "x"], "Convert the array with"),
    (["compare", "line", "--optimizer", "adam:eps=-1"], "eps must not be negative"),
    (["show", "--formula"], "needs the name of a rule"),
    (["bench", "--out", "none/bench.json"], "cannot be written"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_refused_in_a_line(
    words: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be done, or would not be heard, is refused in a line and leaves no file."""
    before = sorted(path.name for path in folder.iterdir())
    assert ended(words) == 1
    printed = capsys.readouterr()
    assert message in printed.err and printed.err.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == before


# What others say is told as they say it: Python, Dask; names, paths and options are what they are.
THEIRS = re.compile(
    r"(Syntax|ZeroDivision)Error: [^（]*|（(?!第)[^）]*）|[\w.-]+(, [\w.-]+)+|--[\w-]+"
    r"|\S*[/:]\w\S*|'.*?'"
)


@pytest.mark.parametrize("words", [words for words, said in REFUSED if said != BEGUN])
def test_refused_in_chinese(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--lang zh` the line is Chinese, and nothing else is changed."""
    before = sorted(path.name for path in folder.iterdir())
    assert ended([*words, "--lang", "zh"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert untranslated(told.partition(": ")[2]) == []
    assert sorted(path.name for path in folder.iterdir()) == before


def untranslated(text: str) -> list[str]:
    """A text if it is English, or has nothing Chinese."""
    plain = THEIRS.sub("0", text)
    chinese = re.search("[\u4e00-\u9fff]", plain)
    return english(f"<p>{html.escape(plain)}</p>") if chinese else [text]


WRONG = [
    ["compare", "line", "--goal", "nan"],
    ["compare", "line", "--goal", "-1"],
    ["compare", "line", "--hypothesis", "\udcff"],
    ["compare", "line", "--out", ""],
    ["compare", "line", "--out", "a\0b"],
    ["compare", "line", "--margin", "nan"],
    ["compare", "line", "--quick", "--budget", "5m"],
    ["compare", "line", "--workers", "2", "--dask", "tcp://host:8786"],
    ["suite", "--seeds", "9" * 5000],
    ["bench", "--size", "9" * 5000],
]


@pytest.mark.parametrize("words", WRONG)
def test_wrong_words_are_usage(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A value that no command takes, or options that exclude each other, end with 2."""
    assert ended(words) == 2
    assert "error: argument" in capsys.readouterr().err
    assert ended([*words, "--lang", "zh"]) == 2
    assert untranslated(capsys.readouterr().err.partition("错误：")[2]) == []
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "folder"])


OPTIONS = {
    "compare": ["--target", "--optimizer", "--rule", "--reference", "--goal", "--hypothesis",
                "--margin", "--fail-if-worse", "--seeds", "--budget", "--workers", "--out", "--csv",
                "--latex", "--figures", "--new", "--lang"],
    "find-lr": ["--target", "--optimizer", "--seeds", "--out", "--workers", "--lang"],
    "suite": ["--problem", "--optimizer", "--rule", "--seeds", "--budget", "--out", "--workers"],
    "show": ["--dtype", "--state"],
}  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=9),
    st.sampled_from([*FILES, *(f"{name}:f" for name in FILES), "folder", "adam:", "adam:eps=-1"]),
    st.from_regex(r"(adam|sgd|momentum):[a-z]{2,5}[12]?=-?[0-9.e]{1,5}", fullmatch=True),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(data=st.data())
def test_no_word_makes_a_traceback(data: st.DataObject, folder: Path) -> None:
    """Whatever is given to any option, a command ends with an exit code that is documented."""
    command = data.draw(st.sampled_from(sorted(OPTIONS)))
    words = [command]
    if command != "suite":
        words.append(data.draw(st.one_of(st.just("line" if command != "show" else "adam"), VALUES)))
    option = data.draw(st.sampled_from(OPTIONS[command]))
    value = data.draw(VALUES)
    # Away from what lies above the folder: /tmp is not this test's to write to.
    value = value.replace("/", "").replace("..", "")
    assert ended([*words, f"{option}={value}"]) in (0, 1, 2)


def test_a_full_disk_at_any_place_is_a_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of the system that no command foresees is one line with its reason."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28), "/somewhere")

    monkeypatch.setattr(session, "seconds_per_run", full)
    assert main(["compare", "line"]) == 1
    assert capsys.readouterr().err == ("adamas: [Errno 28] No space left on device: '/somewhere'\n")
    assert not (folder / "adamas-compare-line").exists()
