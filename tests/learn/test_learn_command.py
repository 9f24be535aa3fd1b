"""`adamas learn` puts the pages where the reader wants them."""

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


def test_where_nothing_can_be_written(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A place that is no directory is one line, and nothing else is left."""
    (built / "file").write_text("kept", encoding="utf-8")
    assert cli.main(["learn", "--out", str(built / "file")]) == 1
    told = capsys.readouterr()
    assert told.err.startswith("adamas: ") and told.err.count("\n") == 1 and not told.out
    assert (built / "file").read_text("utf-8") == "kept"
