"""Errors that say their reason in every language."""

import errno
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from adamas.pages.sentences import CODES, Both, filled, sentences

# What the core says, in English: form -> language -> sentence.
OTHERS = {both["en"]: both for both in sentences("adamas.pages", "others").values()}
# What the system says of its own errors, by the name of the number.
SYSTEM = sentences("adamas.pages", "system")


class TranslatedError(Exception):
    """An error whose `words` are its reason in every language; as text it is the English one.

    A kind of error has its sentences in `SENTENCES`. A field may itself be in every language.
    """

    SENTENCES: ClassVar[Mapping[str, Both]] = {}

    def __init__(self, key: str, **fields: object) -> None:
        super().__init__(key)
        self.key, self.fields = key, fields

    @property
    def words(self) -> dict[str, str]:
        """Return the reason in every language; `KeyError` for an unknown key or field."""
        return filled(self.SENTENCES[self.key], **self.fields)

    def __str__(self) -> str:
        return self.words["en"]

    def __reduce__(self) -> tuple[Callable[[], "TranslatedError"], tuple[()]]:
        # Errors come back from worker processes.
        return partial(type(self), self.key, **self.fields), ()


def told(error: BaseException) -> Both:
    """Return what an error says in every language, as far as what it says is known."""
    return error.words if isinstance(error, TranslatedError) else known(str(error))


def known(said: str) -> Both:
    """Return a sentence of the core in every language; in English where its form is not known.

    >>> known("adam: beta1=2.0 is not allowed; beta1 must be at least 0 and below 1.")["zh"]
    'adam：不能用 beta1=2.0；beta1 必须不小于 0 且小于 1。'
    """
    for form, both in OTHERS.items():
        pieces = re.split(r"\{(\w+)\}", form)
        fields, between = pieces[1::2], map(re.escape, pieces[::2])
        if found := re.fullmatch("(.+?)".join(between), said, re.DOTALL):
            inner = {name: known(text) for name, text in zip(fields, found.groups(), strict=True)}
            return {**filled(both, **inner), "en": said}
    return dict.fromkeys(CODES, said)


def system(error: Exception) -> Both:
    """Return the system's reason for an error in every language, as far as it is a common one.

    >>> system(OSError(28, "No space left on device"))["en"]
    'No space left on device'
    """
    said = getattr(error, "strerror", None) or str(error)
    name = errno.errorcode.get(getattr(error, "errno", None) or 0, "")
    return {**dict.fromkeys(CODES, said), **SYSTEM.get(name, {}), "en": said}
