"""What a word of the command line may be; argparse turns each error into one line."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from adamas.cli_text import SENTENCES
from adamas.lab.constants import MINIMUM_SEEDS, MOST_SEEDS, is_count, is_goal, is_share
from adamas.pages.told import TranslatedError

V = TypeVar("V")
MOST_ROWS = 10**9


class WordError(TranslatedError, argparse.ArgumentTypeError):
    """Why a word is no value of an option, in one sentence."""

    SENTENCES = SENTENCES


def reading(read: Callable[[str], V], language: str) -> Callable[[str], V]:
    """Return `read`, one of the functions below, with its errors in "en" or "zh"."""

    def run(value: str) -> V:
        try:
            return read(value)
        except WordError as error:
            raise argparse.ArgumentTypeError(error.words[language]) from None

    return run


def text(value: str) -> str:
    """Return a text that can be written to a file; `WordError` says why it is none."""
    if not value.strip() or "\0" in value:
        raise WordError("refused.text", value=value)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WordError("refused.encoding", value=value) from None
    return value


class NamingError(TranslatedError):
    """Why a name cannot be given, in one sentence."""

    SENTENCES = SENTENCES


class Naming:
    """The options `--optimizer`, `--rule` and `--name`: a name belongs to the optimizer before it.

    `language` is that of errors, which argparse prints in one line.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self.last: str | None = None

    def option(self, *, name: bool) -> type[argparse.Action]:
        """Return the action of `--name`, or of the options that take an optimizer."""
        naming = self

        class Option(argparse.Action):
            def __call__(self, parser: Any, args: Any, value: Any, option: Any = None) -> None:
                if name:
                    kept = dict(getattr(args, self.dest) or {})
                    naming.refuse(value, kept)
                    kept[naming.last] = value
                    setattr(args, self.dest, kept)
                else:
                    naming.last = value
                    setattr(args, self.dest, [*(getattr(args, self.dest) or []), value])

        return Option

    def refuse(self, name: str, kept: Mapping[Any, str]) -> None:
        """Refuse a name without an optimizer before it, or a second one."""
        if self.last is None or self.last in kept:
            key = "refused.name_first" if self.last is None else "refused.name_twice"
            error = NamingError(key, name=name, optimizer=self.last)
            raise argparse.ArgumentError(None, error.words[self.language])


def path(value: str) -> Path:
    """Return a path; `WordError` says why it is none."""
    if not value.strip() or "\0" in value:
        raise WordError("refused.path", value=value)
    return Path(value)


def loss(value: str) -> float:
    """Return a finite number above 0; `WordError` says why it is none."""
    try:
        found = float(value)
    except ValueError:
        found = 0.0
    if not is_goal(found):
        raise WordError("refused.loss", value=value)
    return found


def count(value: str) -> int:
    """Return a number of seeds or workers; `WordError` says why it is none."""
    if not value.isdecimal() or not is_count(int(value)):
        raise WordError("refused.count", value=value, most=MOST_SEEDS)
    return int(value)


def share(value: str) -> float:
    """Return `2%` or `0.02` as 0.02; `WordError` says why it is none."""
    try:
        found = float(value.rstrip("% ")) / (100 if value.rstrip().endswith("%") else 1)
    except ValueError:
        found = -1.0
    if not is_share(found):
        raise WordError("refused.share", value=value)
    return found


def row_count(value: str) -> int:
    """Return a number of rows, above 0; `WordError` says why it is none."""
    if not value.isdecimal() or not 1 <= int(value) <= MOST_ROWS:
        raise WordError("refused.count", value=value, most=MOST_ROWS)
    return int(value)


def seed_count(value: str) -> int:
    """Return the number of report seeds; `WordError` says why it is none."""
    try:
        found = int(value)
    except ValueError:
        raise WordError("refused.whole", value=value) from None
    if not MINIMUM_SEEDS <= found <= MOST_SEEDS:
        raise WordError("refused.few_seeds", value=found, least=MINIMUM_SEEDS, most=MOST_SEEDS)
    return found


def mebi_count(value: str) -> int:
    """Return a size in Mi parameters; `WordError` says why it is none."""
    if not value.isdecimal() or not 1 <= int(value) <= 1 << 14:
        raise WordError("refused.count", value=value, most=1 << 14)
    return int(value)
