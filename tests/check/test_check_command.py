"""`adamas check` answers first, in both languages, as text, JSON and a page, with a status."""

import json
import re
from pathlib import Path

import pytest

from adamas import cli
from adamas.check import check
from adamas.check.text import SENTENCES, Say
from adamas.check.told import answer, chapters
from asked_keys import asked
from chinese_pages import english
from places import PACKAGE, ROOT

MINE = """
import sys
sys.path.insert(0, {helpers!r})
from checked import IgnoresDecay as MyAdam, LikeMLX, LosesStep
thing = 3
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A file of a user with optimizers in it."""
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(helpers=str(ROOT / "tests/helpers")))
    return path


def test_the_answer_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    """The first line names the rule, and every chapter is there."""
    assert cli.main(["check", "torch.optim.AdamW"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("torch.optim.AdamW computes adamw: in 28 steps in float64")
    for chapter in ("Formula", "Arguments", "Numbers", "Memory", "Resume"):
        assert chapter in told
    assert any(line.startswith("    def adamw(p, g, m, v, *, t") for line in told)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("torch.optim.AdamW --expect adamw", 0),
        ("torch.optim.AdamW --expect adam", 3),
        ("torch.optim.SGD --set momentum=0.9 --expect momentum", 0),
        ("torch.optim.Nothing --expect adam", 1),
    ],
)
def test_the_exit_status(words: str, status: int) -> None:
    """A rule that was expected ends with 0, another with 3, what cannot be checked with 1."""
    assert cli.main(["check", *words.split()]) == status


@pytest.mark.parametrize("words", ["", "torch.optim.SGD --set momentum", "a.b --set =1"])
def test_wrong_words_are_usage(words: str) -> None:
    """What argparse refuses ends with its own status."""
    with pytest.raises(SystemExit) as end:
        cli.main(["check", *words.split()])
    assert end.value.code == 2


def test_json_is_all_that_was_found(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json stdout is one object, the same that Python gets."""
    assert cli.main(["check", f"{mine}:MyAdam", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rule"] == "adam" and "weight_decay" in found["effects"]["without"]
    assert found["origin"] == str(mine)
    assert json.loads(json.dumps(check("torch.optim.SGD").to_dict()))["rule"] == "sgd"


@pytest.mark.parametrize(
    ("text", "words"),
    [("mine.py:thing", "not an optimizer"), ("mine.py:nothing", "has no"), ("no.py:x", "no.py")],
)
def test_a_file_that_has_no_optimizer(
    text: str, words: str, mine: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """A refusal is one line on stderr, in the language that was asked for."""
    monkeypatch.chdir(mine.parent)
    assert cli.main(["check", text]) == 1
    assert words in capsys.readouterr().err
    assert cli.main(["check", text, "--lang", "zh"]) == 1
    assert english(f"<p>{re.sub(r'[^ ]*[.]py(:[a-z]+)?', '', capsys.readouterr().err)}</p>") == []


def test_the_page_is_there_in_both_languages(mine: Path, tmp_path: Path) -> None:
    """Two pages that link to each other load nothing and say the same; the numbers are JSON."""
    out = tmp_path / "found"
    assert cli.main(["check", f"{mine}:LikeMLX", "--out", str(out)]) == 0
    assert {one.name for one in out.iterdir()} == {"check.html", "check.zh.html", "check.json"}
    pages = {name: (out / name).read_text("utf-8") for name in ("check.html", "check.zh.html")}
    for name, other in (("check.html", "check.zh.html"), ("check.zh.html", "check.html")):
        assert f'href="{other}"' in pages[name]
        assert not re.search(r'(?:src|href)="(?:https?:)?//', pages[name])
        assert pages[name].count("<dt>") == pages["check.html"].count("<dt>") > 20
    read = pages["check.zh.html"].replace("<wbr>", "")
    assert english(read.replace(str(mine), "")) == []


def test_an_interrupted_check_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends with 130, and leaves no directory."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("adamas.check.checking.effects", interrupted)
    out = tmp_path / "found"
    assert cli.main(["check", "torch.optim.SGD", "--out", str(out)]) == 130
    assert not out.exists() and "Interrupted" in capsys.readouterr().err


def test_every_sentence_is_asked_for() -> None:
    """No sentence is left over, and none is missing for what can be found."""
    read = [path.read_text("utf-8") for path in (PACKAGE / "check").rglob("*.py")]
    read.append((PACKAGE / "cli_check.py").read_text("utf-8"))
    pages = {"skip", "contents", "separator", "none"}
    patterns = {re.compile(key) for source in read for key in asked(source)}
    # Labels of what was found are put together of a kind and a word.
    made = re.compile(
        "(momentum|second|correction|eps|lookahead|gradient|length|answer|part|chapter)[.].+"
    )
    left = [
        key
        for key in SENTENCES
        if key not in pages and not made.fullmatch(key)
        and not any(one.fullmatch(key) for one in patterns)
    ]  # fmt: skip
    assert left == []


@pytest.mark.parametrize("name", ["NAdam", "Rprop", "Muon"])
def test_every_kind_of_answer_has_its_words(name: str) -> None:
    """Narrow, near, unlike, partly refused: each is said in both languages."""
    found = check(f"torch.optim.{name}")
    for language in ("en", "zh"):
        say = Say(language)
        told = answer(found, say)
        assert told and len(chapters(found, say)) == 5
    assert not english(f"<p>{told.replace(found.name, '')}</p>")
