"""With `--lang zh` the faults of a rule are told in Chinese, place and carets as they are."""

import html
import re
from pathlib import Path

import pytest

import adamas
from adamas import cli
from adamas.cli_text.core_words import known
from adamas.kernel.formula import FormulaError
from chinese_pages import english
from refusals import BODY, LINES, WHOLE
from written import module

RULES = [*(BODY.format(line) for line, _, _ in LINES), *(text for text, _, _ in WHOLE)]
# Code, names in quotes, and the list of words are in no language.
CODE = re.compile(r"`.*?`|“.*?”|'.*?'|\w+(, \w+)+|Allowed: [^、]*、|import")


def untranslated(line: str) -> bool:
    """Whether a line is English, or has nothing Chinese."""
    plain = CODE.sub("0", line)
    return bool(english(f"<p>{html.escape(plain)}</p>")) or not re.search("[\u4e00-\u9fff]", plain)


@pytest.mark.parametrize("text", RULES)
def test_a_fault_is_told_in_chinese(tmp_path: Path, text: str) -> None:
    """Every refusal of the language is known in Chinese, with the lines between as they were."""
    space = module(tmp_path, text.replace("«", "").replace("»", ""))
    with pytest.raises(FormulaError) as caught:
        adamas.rule(space.f)
    said = str(caught.value)
    told = known(said)
    assert told["en"] == said
    problem, *place, advice = told["zh"].split("\n")
    assert place == said.split("\n")[1:-1]
    assert not untranslated(problem.partition("：")[2])
    assert not untranslated(advice)


def test_several_faults_are_told_one_by_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`adamas show` counts them and tells each, as in English, and ends with the same status."""
    path = tmp_path / "mine.py"
    path.write_text("def f(p, g, *, lr=0.1):\n    u = g @ p\n    return p - lr * max(u)\n")
    blocks = {}
    for language in ("en", "zh"):
        assert cli.main(["show", f"{path}:f", "--lang", language]) == 1
        blocks[language] = capsys.readouterr().err.split("\n\n")
    assert blocks["zh"][0] == "adamas show: 规则 'f'：有 2 处错误"
    assert len(blocks["en"]) == len(blocks["zh"]) == 3
    for en, zh in zip(blocks["en"][1:], blocks["zh"][1:], strict=True):
        assert en.split("\n")[1:4] == zh.split("\n")[1:4]


@pytest.mark.parametrize("said", ["", "what nobody knows", "rule 'f': what\nnobody knows", "`a` b"])
def test_what_is_not_known_stays_english(said: str) -> None:
    """A text of another form is repeated as it is, whole."""
    told = known(said)
    assert told["en"] == said and said.rpartition(": ")[2] in told["zh"]


def test_english_is_found() -> None:
    """The check itself can fail: a fault in English is not Chinese."""
    assert untranslated("Write the function beside the rule.")
    assert untranslated("`g @ p` is not part of the formula language")
