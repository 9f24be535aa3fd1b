"""Every sentence that a reader of the page or the terminal sees, in English and in Chinese.

Sentences are data: a TOML file beside this one holds them, both languages under one key. They hold
no numbers: a number is a `{field}` that the run fills in. In page texts `code` and **bold** mark
themselves as here.
"""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from tomllib import loads
from typing import Any

# One file for each subject; a key stands in one of them only.
SUBJECTS = ("demo", "pictures", "report", "evidence", "compare", "problems", "tables", "reasons")
Both = Mapping[str, str]


def sentences(subject: str) -> dict[str, Both]:
    """Return what one file holds: key -> language -> sentence.

    The key of a sentence in a table within a table has a dot, such as "digits.title".

    >>> sentences("pictures")["chart_step"]["en"]
    'step t'
    """
    text = files("adamas.lab.text").joinpath(f"{subject}.toml").read_text("utf-8")
    return dict(_entries(loads(text), ""))


def _entries(table: Mapping[str, Any], before: str) -> Iterator[tuple[str, Both]]:
    for key, inner in table.items():
        if "en" in inner:
            yield before + key, inner
        else:
            yield from _entries(inner, f"{before}{key}.")


# In the order of the files.
SENTENCES = {key: both for subject in SUBJECTS for key, both in sentences(subject).items()}
LANGUAGES: dict[str, dict[str, str]] = {
    language: {key: both[language] for key, both in SENTENCES.items()} for language in ("en", "zh")
}


def words(key: str, **numbers: object) -> dict[str, str]:
    """Return a sentence in every language with its fields filled in, for results that both read.

    Raises `KeyError` for an unknown key or field.

    >>> sorted(words("chart_step"))
    ['en', 'zh']
    """
    return {language: Say(language)(key, **numbers) for language in LANGUAGES}


class Say:
    """The sentences of one language, by key.

    >>> Say("en")("chart_step")
    'step t'
    """

    def __init__(self, language: str) -> None:
        """Choose "en" or "zh"; `KeyError` for anything else."""
        self.language = language
        self._table = LANGUAGES[language]

    def __call__(self, key: str, **numbers: object) -> str:
        """Return the sentence with its fields filled in; `KeyError` for an unknown key or field."""
        return self._table[key].format(**numbers)

    def known(self, key: str) -> str | None:
        """Return a sentence without fields if there is one for `key`, else None."""
        return self._table.get(key)

    def names(self, items: list[str]) -> str:
        """Return a list of names in one phrase, or the word for none."""
        return self._table["separator"].join(items) or self._table["none"]
