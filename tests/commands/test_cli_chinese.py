"""With `--lang zh` the command line is Chinese: help, errors, and what argparse says by itself."""

import argparse
import ast
import errno
import html
import inspect
import os
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas import cli, cli_text, rules
from adamas.bench.peers import SENTENCES as BENCH
from adamas.cli_language import CLOSING, OPENING, asked_language, width_of, wrapped
from adamas.cli_text.core_words import CORE
from adamas.lab.text import SENTENCES as LAB
from adamas.pages.told import SYSTEM
from asked_keys import asked
from chinese_pages import english
from places import PACKAGE

COMMANDS = [
    *["", "demo", "compare", "find-lr", "suite", "check", "inspect", "convert", "learn", "show"],
    "bench",
]
# What argparse tells the programmer, who made a parser that cannot be.
PROGRAMMERS = re.compile(
    "conflict|cannot |invalid option string|dest=|required' is|must be optional|__call__|callable"
    "|mode|subcommands|None|invalid conflict"
)
# Examples, options, fields, what usage has in brackets, placeholders, code, lists of names.
NAMES = re.compile(
    r"(?m)^  adamas .*|--?[\w-]+|\{.*?\}|\[[^]]*\]|[A-Z]{2,}|`.*?`|%\(\w+\)s|\w+(?:,\s+\w+)+"
)
EVERY = {**cli_text.SENTENCES, **{key: both for key, both in LAB.items() if "error." in key}}
ALL = [
    *EVERY.values(),
    *BENCH.values(),
    *CORE.values(),
    *cli_text.ARGPARSE.values(),
    *SYSTEM.values(),
]


def ended(words: list[str]) -> int | str | None:
    """The exit code of a command."""
    try:
        return cli.main(words)
    except SystemExit as end:
        return end.code


def untranslated(text: str) -> list[str]:
    """What is English in a text of the terminal; options, names and examples are not."""
    return english(f"<p>{html.escape(NAMES.sub('0', text))}</p>")


@pytest.mark.parametrize("columns", ["60", "80", "200"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_chinese(
    command: str, columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every help is Chinese, and no line of its prose is wider than the terminal."""
    monkeypatch.setenv("COLUMNS", columns)
    assert ended([*command.split(), "--help", "--lang", "zh"]) == 0
    told = capsys.readouterr().out
    assert untranslated(told) == []
    assert (
        "用法： adamas" in told
        and "显示本帮助并退出" in told
        and "示例" in told + "示例" * (command == "demo")
    )
    prose = [line for line in told.splitlines() if not line.startswith("  adamas ")]
    assert max(map(width_of, prose)) <= int(columns)


def test_english_is_found() -> None:
    """The check itself can fail: help in English is not Chinese."""
    assert untranslated(cli.build_parser("en").format_help())


def test_argparse_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever uses argparse after a command in Chinese is spoken to in English again."""
    assert ended(["--lang", "zh", "demo", "--seeds", "x"]) == 2
    assert "错误：参数 --seeds：'x' 不是整数" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        argparse.ArgumentParser(prog="other").parse_args(["word"])
    assert "other: error: unrecognized arguments: word" in capsys.readouterr().err


def test_all_that_argparse_says_to_users_is_translated() -> None:
    """A Python that says something new in argparse fails here, not in English before a reader."""
    said = {
        node.value
        for call in ast.walk(ast.parse(inspect.getsource(argparse)))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("_", "ngettext")
        for node in call.args
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert len(said) > 20
    assert {text for text in said - set(cli_text.ARGPARSE) if not PROGRAMMERS.search(text)} == set()


@pytest.mark.parametrize("both", ALL, ids=lambda both: str(both["en"])[:30])
def test_a_sentence_has_its_fields_in_both_languages(both: dict[str, str]) -> None:
    """The Chinese sentence tells every value that the English one does, and is Chinese."""
    formats = r"%\(\w+\)[rs]|%[rs]"
    fields = {
        code: [
            {name for _, name, _, _ in string.Formatter().parse(text) if name},
            sorted(re.findall(formats, text)),
        ]
        for code, text in both.items()
    }
    assert fields["en"] == fields["zh"]
    assert untranslated(both["zh"]) == []


@pytest.mark.parametrize("name", rules.__all__)
def test_the_list_of_rules_has_their_first_sentences(name: str) -> None:
    """What the list says of a rule in English is the first sentence of its docstring."""
    told = cli_text.SENTENCES[f"rule.{name}"]
    assert told["en"] == str(getattr(rules, name).__doc__).splitlines()[0]


def test_no_sentence_is_left_over() -> None:
    """Every sentence of the command line is asked for somewhere in its code."""
    files = [*PACKAGE.glob("cli*.py"), PACKAGE / "show.py"]
    read = [file.read_text("utf-8") for file in files]
    patterns = {re.compile(key) for source in read for key in asked(source)}
    left = [key for key in cli_text.SENTENCES if not any(one.fullmatch(key) for one in patterns)]
    assert left == []


def test_reasons_of_the_system_are_its_own() -> None:
    """The English beside a translated reason is what this system says of that number."""
    told = {name: os.strerror(getattr(errno, name)) for name in SYSTEM}
    assert told == {name: both["en"] for name, both in SYSTEM.items()}


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("demo --lang zh", "zh"),
        ("demo --lang=zh --seeds x", "zh"),
        ("demo --lan zh", "zh"),
        ("compare --list", "en"),
        ("compare --l zh", "en"),
        ("demo --lang fr", "en"),
        ("demo --lang", "en"),
        ("--lang zh show", "zh"),
        ("show --lang en --lang zh", "zh"),
        ("", "en"),
    ],
)
def test_the_language_is_known_before_the_words_are(words: str, language: str) -> None:
    """An error in the words before or after `--lang` is told in its language, too."""
    assert asked_language(words.split(), {}) == language
    assert asked_language(words.split(), {"LANG": "zh_CN.UTF-8"}) in (language, "zh")


TEXTS = st.text(st.sampled_from("优化器，。（）“”Adam-1 =x"), min_size=1, max_size=40).filter(
    # A space before a comma is a place to break that no author leaves.
    lambda text: not re.search(rf"\s[{CLOSING}]", text)
)


@given(TEXTS, st.integers(12, 40))
def test_wrapped_lines_are_the_text(text: str, width: int) -> None:
    """Wrapping loses nothing but spaces at the breaks, and lines break where Chinese allows it."""
    lines = wrapped(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines[1:]:
        assert line[:1] not in CLOSING or not line
    for line in lines:
        pieces = re.findall(rf"[{OPENING}]*(?:[\x21-\u2e7f]+|\S)[{CLOSING}]*", line)
        assert width_of(line) <= width or len(pieces) <= 1
