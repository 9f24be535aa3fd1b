"""The sentences of the lab's pages and terminal; see `adamas.pages.sentences` for their form."""

from adamas.pages import sentences as kept
from adamas.pages.sentences import Both, Phrases, by_language, filled

# One file for each subject; a key stands in one of them only.
SUBJECTS = (
    "demo",
    "pictures",
    "report",
    "evidence",
    "worth",
    "compare",
    "problems",
    "tables",
    "reasons",
    "errors",
)


def sentences(subject: str) -> dict[str, Both]:
    """Return what one of the lab's files holds: key -> language -> sentence."""
    return kept.sentences(__name__, subject)


# In the order of the files.
SENTENCES = {key: both for subject in SUBJECTS for key, both in sentences(subject).items()}
LANGUAGES = by_language(SENTENCES)


def words(key: str, **numbers: object) -> dict[str, str]:
    """Return a sentence in every language with its fields filled in, for results that both read.

    Raises `KeyError` for an unknown key or field.

    >>> sorted(words("chart_step"))
    ['en', 'zh']
    """
    return filled(SENTENCES[key], **numbers)


class Say(Phrases):
    """The lab's sentences of one language, by key.

    >>> Say("en")("chart_step")
    'step t'
    """

    def __init__(self, language: str) -> None:
        """Choose "en" or "zh"; `KeyError` for anything else."""
        super().__init__(language, LANGUAGES)
