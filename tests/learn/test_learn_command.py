"""`adamas learn` puts the pages where the reader wants them."""

import io
from pathlib import Path

import pytest

from adamas import cli
from adamas.learn import command


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for the pages that ship, so that a test needs no build."""
    for folder in command.FOLDERS:
        (tmp_path / "built" / folder).mkdir(parents=True)
        for language in ("en", "zh"):
            text = f"{folder} {language}"
            (tmp_path / "built" / folder / f"{language}.html").write_text(text, encoding="utf-8")
    monkeypatch.setattr(command, "BUILT", tmp_path / "built")
    return tmp_path


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages_are_written(built: Path, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All pages are written, whole, over older ones, and the one asked for is named."""
    out = built / "out"
    (out / "learn").mkdir(parents=True)
    (out / "learn" / "en.html").write_text("old", encoding="utf-8")
    assert cli.main(["learn", "--out", str(out), "--lang", language]) == 0
    assert capsys.readouterr().out.strip() == str(out / "learn" / f"{language}.html")
    found = sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())
    assert found == [f"{f}/{code}.html" for f in command.FOLDERS for code in ("en", "zh")]
    assert (out / "learn" / "en.html").read_text("utf-8") == "learn en"


@pytest.mark.parametrize(
    ("language", "advice"), [("en", "name another directory with --out"), ("zh", "换一个目录")]
)
@pytest.mark.parametrize("kind", ["file", "link", "directory in the way"])
def test_where_nothing_can_be_written(
    built: Path, capsys: pytest.CaptureFixture[str], language: str, advice: str, kind: str
) -> None:
    """A place that is no directory is one line with its name and what to do; nothing is left."""
    out = built / "out"
    if kind == "file":
        out.write_text("kept", encoding="utf-8")
    elif kind == "link":
        out.symlink_to(built / "nowhere")
    else:
        (out / "learn" / "en.html" / "kept").mkdir(parents=True)
    assert cli.main(["learn", "--out", str(out), "--lang", language]) == 1
    told = capsys.readouterr()
    assert told.err.startswith("adamas learn: ") and told.err.count("\n") == 1 and not told.out
    assert str(out) in told.err and advice in told.err
    assert "Errno" not in told.err and not list(built.rglob("*.tmp"))
    assert kind != "file" or out.read_text("utf-8") == "kept"


def test_a_tree_without_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no pages were built, the command that builds them is named."""
    monkeypatch.setattr(command, "BUILT", tmp_path / "built")
    assert cli.main(["learn", "--out", str(tmp_path / "out")]) == 1
    assert "tools/write_learn.py" in capsys.readouterr().err


def narrow(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """Let standard output have ASCII letters only, and return what comes there."""
    stream = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(stream, "ascii", write_through=True))
    return stream


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_path_is_told_whole(built: Path, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """An output without Chinese letters gets the path with their numbers, not question marks."""
    stream = narrow(monkeypatch)
    assert cli.main(["learn", "--out", str(built / "目录"), "--lang", language]) == 0
    told = stream.getvalue().decode("unicode_escape").strip()
    assert Path(told).is_file()


@pytest.mark.parametrize("options", [[], ["--formula"]])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_program_is_never_told_in_part(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    language: str,
    options: list[str],
) -> None:
    """A rule that the output has no letters for is refused with what to set, not corrupted."""
    file = tmp_path / "mine.py"
    file.write_text("def 规则(p, g, *, lr=0.1):\n    return p - lr * g\n", encoding="utf-8")
    stream = narrow(monkeypatch)
    assert cli.main(["show", f"{file}:规则", "--lang", language, *options]) == 1
    assert stream.getvalue() == b""
    err = capsys.readouterr().err
    assert err.startswith("adamas show: ") and "规则" in err and "PYTHONIOENCODING=utf-8" in err
