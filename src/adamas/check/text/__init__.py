"""The sentences of `adamas check`; see `adamas.pages.sentences` for their form."""

from adamas.pages.sentences import Phrases, by_language, sentences

SENTENCES = {k: v for name in ("found", "refused") for k, v in sentences(__name__, name).items()}
LANGUAGES = by_language(SENTENCES)


class Say(Phrases):
    """The sentences of one language, by key."""

    def __init__(self, language: str) -> None:
        """Choose "en" or "zh"; `KeyError` for anything else."""
        super().__init__(language, LANGUAGES)
