"""Every sentence that a reader sees, in English and in Chinese, as data in TOML files.

A file holds both languages under one key. Sentences hold no numbers: a number is a `{field}` that a
run fills in. In page texts `code` and **bold** mark themselves as here.
"""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from tomllib import loads
from typing import Any

Both = Mapping[str, str]
Tables = Mapping[str, Mapping[str, str]]
CODES = ("en", "zh")


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


def by_language(both: Mapping[str, Both]) -> dict[str, dict[str, str]]:
    """Return language -> key -> sentence."""
    return {code: {key: one[code] for key, one in both.items()} for code in CODES}


def filled(both: Both, **fields: object) -> dict[str, str]:
    """Return a sentence in every language, filled in; a field may itself be in every language.

    >>> filled({"en": "no {what}", "zh": "没有{what}"}, what={"en": "file", "zh": "文件"})
    {'en': 'no file', 'zh': '没有文件'}
    """
    return {
        code: both[code].format(
            **{name: of[code] if isinstance(of, Mapping) else of for name, of in fields.items()}
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
        return self._table[key].format(**numbers)

    def known(self, key: str) -> str | None:
        """Return a sentence without fields if there is one for `key`, else None."""
        return self._table.get(key)

    def names(self, items: list[str]) -> str:
        """Return a list of names in one phrase, or the word for none."""
        return self._table["separator"].join(items) or self._table["none"]
