"""Every sentence that a reader sees, in English and in Chinese, as data in TOML files.

A file holds both languages under one key. Sentences hold no numbers: a number is a `{field}` that a
run fills in, and `{field:run|runs}` is the first word where the number is 1, else the second. In
page texts `code` and **bold** mark themselves as here, and a backslash takes a mark's meaning away.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from string import Formatter
from tomllib import loads
from typing import Any
from unicodedata import category

Both = Mapping[str, str]
Tables = Mapping[str, Mapping[str, str]]
CODES = ("en", "zh")
# Unicode's categories of control, format, surrogate and unassigned characters, and of line ends.
COMMANDS = ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


def sentences(package: str, subject: str) -> dict[str, Both]:
    """Return what the file `subject`.toml of a package holds: key -> language -> sentence.

    The key of a sentence in a table within a table has a dot, such as "digits.title".

    >>> sentences("adamas.lab.text", "pictures")["chart_step"]["en"]
    'step t'
    """
    text = files(package).joinpath(f"{subject}.toml").read_text("utf-8")
    return dict(_entries(loads(text), ""))


def _entries(table: Mapping[str, Any], before: str) -> Iterator[tuple[str, Both]]:
    for key, inner in table.items():
        if "en" in inner:
            yield before + key, inner
        else:
            yield from _entries(inner, f"{before}{key}.")


def printable(text: str) -> str:
    r"""Return a text without characters that command a terminal, which names in a file may hold.

    >>> printable("a\x1b[31mb\u202e")
    'a\\x1b[31mb\\u202e'
    """
    return "".join(
        char.encode("unicode_escape").decode()
        if category(char) in COMMANDS and char != "\n"
        else char
        for char in text
    )


def by_language(both: Mapping[str, Both]) -> dict[str, dict[str, str]]:
    """Return language -> key -> sentence."""
    return {code: {key: one[code] for key, one in both.items()} for code in CODES}


class _Filling(Formatter):
    """Python's own formatting, and words that depend on a number."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        """Return a field as its specification wants it; `one|many` are words for a count."""
        one, bar, many = format_spec.partition("|")
        if bar:
            return one if str(value) == "1" else many
        return super().format_field(value, format_spec)


_FILLING = _Filling()


def fill(sentence: str, fields: Mapping[str, object]) -> str:
    """Return a sentence with its fields filled in; `KeyError` for a field that is not there.

    >>> [fill("{n} {n:run was|runs were} lost", {"n": n}) for n in (1, 2)]
    ['1 run was lost', '2 runs were lost']
    """
    return _FILLING.vformat(sentence, (), fields)


# What has a meaning in a sentence for a page, and what takes the meaning away.
MARKS = re.compile(r"[\\`*]")
MARKED = re.compile(r"\\([\\`*])|`|\*\*")


def literal(text: str) -> str:
    r"""Return a text of the user, such as a column's name, so that nothing in it is a mark.

    >>> print(literal("a**b"))
    a\*\*b
    """
    return MARKS.sub(r"\\\g<0>", text)


def plain(text: str) -> str:
    r"""Return a sentence for a page as the terminal shows it: without marks.

    >>> plain(r"**Dropped**: `a\*\*b`")
    'Dropped: a**b'
    """
    return MARKED.sub(lambda found: found[1] or "", text)


def filled(both: Both, **fields: object) -> dict[str, str]:
    """Return a sentence in every language, filled in; a field may itself be in every language.

    >>> filled({"en": "no {what}", "zh": "没有{what}"}, what={"en": "file", "zh": "文件"})
    {'en': 'no file', 'zh': '没有文件'}
    """
    return {
        code: fill(
            both[code],
            {name: of[code] if isinstance(of, Mapping) else of for name, of in fields.items()},
        )
        for code in CODES
    }


class Phrases:
    """The sentences of one language, by key; `tables` has those of every language.

    >>> Phrases("en", {"en": {"greeting": "Hello, {name}!"}})("greeting", name="Ada")
    'Hello, Ada!'
    """

    def __init__(self, language: str, tables: Tables) -> None:
        """Choose "en" or "zh"; `KeyError` for anything else."""
        self.language = language
        self._table = tables[language]

    def __call__(self, key: str, **numbers: object) -> str:
        """Return the sentence with its fields filled in; `KeyError` for an unknown key or field."""
        return fill(self._table[key], numbers)

    def known(self, key: str) -> str | None:
        """Return a sentence without fields if there is one for `key`, else None."""
        return self._table.get(key)

    def names(self, items: list[str]) -> str:
        """Return a list of names in one phrase, or the word for none."""
        return self._table["separator"].join(items) or self._table["none"]
