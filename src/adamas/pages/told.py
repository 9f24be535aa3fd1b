"""Errors that say their reason in every language."""

import errno
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from adamas.pages.sentences import CODES, Both, filled, sentences

# What the system says of its own errors, by the name of the number.
SYSTEM = sentences("adamas.pages", "system")


class TranslatedError(Exception):
    """An error whose `words` are its reason in every language; as text it is the English one.

    A kind of error has its sentences in `SENTENCES`, by key; a field may itself be in every
    language. What is no key is the reason itself, as somebody else's program raises it.
    """

    SENTENCES: ClassVar[Mapping[str, Both]] = {}

    def __init__(self, key: str, **fields: object) -> None:
        super().__init__(key)
        self.key, self.fields = key, fields

    @property
    def words(self) -> dict[str, str]:
        """Return the reason in every language; `KeyError` for an unknown field."""
        if self.key not in self.SENTENCES:
            return dict.fromkeys(CODES, self.key)
        return filled(self.SENTENCES[self.key], **self.fields)

    def __str__(self) -> str:
        return self.words["en"]

    def __reduce__(self) -> tuple[Callable[[], "TranslatedError"], tuple[()]]:
        # Errors come back from worker processes.
        return partial(type(self), self.key, **self.fields), ()


def system(error: Exception) -> Both:
    """Return the system's reason for an error in every language, as far as it is a common one.

    >>> system(OSError(28, "No space left on device"))["en"]
    'No space left on device'
    """
    said = getattr(error, "strerror", None) or str(error)
    name = errno.errorcode.get(getattr(error, "errno", None) or 0, "")
    return {**dict.fromkeys(CODES, said), **SYSTEM.get(name, {}), "en": said}
