"""The sentences of the guide; `adamas.pages.sentences` says how they are kept."""

from importlib.resources import files

from adamas.pages import sentences as kept
from adamas.pages.sentences import Both, Phrases, by_language


def _all() -> dict[str, Both]:
    """One file for each chapter; a key stands in one of them only."""
    names = sorted(one.name for one in files(__name__).iterdir() if one.name.endswith(".toml"))
    found: dict[str, Both] = {}
    for name in names:
        inside = kept.sentences(__name__, name.removesuffix(".toml"))
        if twice := found.keys() & inside.keys():
            raise ValueError(f"{name} has {min(twice)!r}, which another file has too.")
        found |= inside
    return found


SENTENCES = _all()
LANGUAGES = by_language(SENTENCES)


class Say(Phrases):
    """The guide's sentences of one language, by key.

    >>> Say("en")("button.step")
    'One step'
    """

    def __init__(self, language: str) -> None:
        """Choose "en" or "zh"; `KeyError` for anything else."""
        super().__init__(language, LANGUAGES)
