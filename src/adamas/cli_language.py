"""In which language the command line speaks: what `--lang` says, else what the environment says."""

import os
from collections.abc import Mapping

from adamas.pages.sentences import CODES

# In the order in which the C library asks for the language of messages.
VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


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
    return locale.partition(".")[0].partition("@")[0].partition("_")[0].partition("-")[0].lower()
