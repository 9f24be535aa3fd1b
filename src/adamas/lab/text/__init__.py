"""Every sentence that a reader of the page or the terminal sees, in English and in Chinese.

Sentences hold no numbers: a number is a `{field}` that the run fills in. In page texts `code` and
**bold** mark themselves as here.
"""

from adamas.lab.text.en import ENGLISH
from adamas.lab.text.en_compare import ENGLISH_COMPARE
from adamas.lab.text.en_evidence import ENGLISH_EVIDENCE
from adamas.lab.text.en_pictures import ENGLISH_PICTURES
from adamas.lab.text.en_report import ENGLISH_REPORT
from adamas.lab.text.zh import CHINESE
from adamas.lab.text.zh_compare import CHINESE_COMPARE
from adamas.lab.text.zh_evidence import CHINESE_EVIDENCE
from adamas.lab.text.zh_pictures import CHINESE_PICTURES
from adamas.lab.text.zh_report import CHINESE_REPORT

LANGUAGES: dict[str, dict[str, str]] = {
    "en": ENGLISH | ENGLISH_PICTURES | ENGLISH_REPORT | ENGLISH_EVIDENCE | ENGLISH_COMPARE,
    "zh": CHINESE | CHINESE_PICTURES | CHINESE_REPORT | CHINESE_EVIDENCE | CHINESE_COMPARE,
}


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
