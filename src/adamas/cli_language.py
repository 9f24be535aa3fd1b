"""In which language the command line speaks, and how argparse is brought to speak it."""

import argparse
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unicodedata import east_asian_width

from adamas.cli_text import ARGPARSE, LANGUAGES
from adamas.pages.sentences import CODES, Phrases

# In the order in which the C library asks for the language of messages.
VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
# No line begins with one of these, or ends with one of those.
CLOSING, OPENING = "，。；：、！？）”》", "（“《"


def environment_language(environment: Mapping[str, str] = os.environ) -> str:
    """Return "en" or "zh": the language that the environment asks for, English if it asks for none.

    `LANGUAGE`, a list in order of preference, counts before the locale unless that is "C", as in
    GNU gettext. Every kind of Chinese is "zh", whatever the country and the character set.

    >>> environment_language({"LANG": "zh_CN.UTF-8"})
    'zh'
    """
    locale = next((found for name in VARIABLES if (found := environment.get(name))), "")
    if _language(locale) in ("", "c", "posix"):
        return "en"
    preferred = [*environment.get("LANGUAGE", "").split(":"), locale]
    return next((code for one in preferred if (code := _language(one)) in CODES), "en")


def _language(locale: str) -> str:
    """Return `zh` of `zh_CN.UTF-8`."""
    return re.split("[._@-]", locale, maxsplit=1)[0].lower()


def asked_language(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> str:
    """Return the language that the words of a command line ask for, else that of the environment.

    It is known before they are parsed, so that errors and help are in it too.

    >>> asked_language(["demo", "--lang=zh", "--seeds", "x"], {})
    'zh'
    """
    found = environment_language(environment)
    for word, after in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        # As argparse does, shortened options too; with less, `--list` and `--latex` are meant too.
        if len(name) > len("--l") and "--lang".startswith(name):
            said = value if equals else after
            found = said if said in CODES else found
    return found


class Speech(Phrases):
    """The sentences of the command line in one language, by key, and how help is laid out in it."""

    def __init__(self, language: str) -> None:
        """Choose "en" or "zh"; `KeyError` for anything else."""
        super().__init__(language, LANGUAGES)

    def layout(self, plain: type[argparse.HelpFormatter]) -> type[argparse.HelpFormatter]:
        """Return `plain`, the layout of a help in English, or that of one in Chinese."""
        return plain if self.language == "en" else ChineseHelp


class ChineseHelp(argparse.HelpFormatter):
    """A help whose lines are as wide as a terminal shows them, and break between any characters."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return [line for given in text.splitlines() for line in wrapped(given, width)]

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        # What is indented are examples, to be copied as they are.
        lines = ([one] if one[:1] == " " else wrapped(one, width) for one in text.splitlines())
        return "\n".join(indent + line for each in lines for line in each)

    def _format_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None) -> str:
        # argparse counts characters; three of these are as wide as six of those.
        english = "usage: " if prefix is None else prefix
        text = super()._format_usage(usage, actions, groups, english)
        return text if prefix is not None else text.replace(english, ARGPARSE[english]["zh"], 1)


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes.

    >>> width_of("Adam 优化器")
    11
    """
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def wrapped(text: str, width: int) -> list[str]:
    """Return a line of Chinese as lines of at most `width` columns, which words in Latin stay in.

    A line that fits, or has nowhere to break, is as it was, its indentation too.

    >>> wrapped("比较 Adam 与 SGD。", 10)
    ['比较 Adam', '与 SGD。']
    """
    lines, line = [], ""
    for piece in re.findall(rf"\s*[{OPENING}]*(?:[\x21-\u2e7f]+|.)[{CLOSING}]*", text):
        if line and width_of(line + piece) > width:
            lines.append(line)
            piece = piece.lstrip()
            line = ""
        line += piece
    return [*lines, line]


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let argparse say what it says by itself in a language, while parsers are made and parse.

    It asks gettext, which reads compiled catalogues; the sentences here are data like all others.
    """
    held = {name: getattr(argparse, name) for name in ("_", "ngettext")}

    def said(text: Any) -> Any:
        return ARGPARSE[text][language] if text in ARGPARSE else held["_"](text)

    def counted(one: str, many: str, count: int) -> Any:
        return said(one if count == 1 else many)

    if language != "en":
        vars(argparse).update(_=said, ngettext=counted)
    try:
        yield
    finally:
        vars(argparse).update(held)
