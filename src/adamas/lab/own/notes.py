"""What was done to a table, told in each language: nothing is dropped or changed in silence."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from adamas.lab.problems import Words
from adamas.lab.text import LANGUAGES, SENTENCES, Say
from adamas.pages.sentences import literal

# How many columns one note names before it counts the others.
NAMED = 6
# In the order in which they are told.
KEYS: tuple[str, ...] = tuple(
    key.removeprefix("note.") for key in SENTENCES if key.startswith("note.")
)
# Those about rows that are not used.
OF_ROWS = ("pieces", "ragged", "left_out", "unplaced", "sample", "rare")


@dataclass
class Notes:
    """Sentences by key: those about columns gather names, the others are said once."""

    names: dict[str, list[str]] = field(default_factory=dict)
    said: dict[str, dict[str, str]] = field(default_factory=dict)

    def column(self, key: str, name: str) -> None:
        """Add a column to the sentence `key`."""
        self.names.setdefault(key, []).append(name)

    def say(self, key: str, **values: str) -> None:
        """Say the sentence `key` with these values."""
        self.said[key] = {name: literal(value) for name, value in values.items()}

    def words(self) -> Words:
        """Return all sentences as one text for each language."""
        return self._text(KEYS)

    def of_rows(self) -> Words:
        """Return the sentences about rows that are not used as one text, "" if all are."""
        return self._text(OF_ROWS)

    def _text(self, keys: Iterable[str]) -> Words:
        says = map(Say, LANGUAGES)
        return {say.language: say("sentence_gap").join(self._sentences(say, keys)) for say in says}

    def _sentences(self, say: Say, keys: Iterable[str]) -> Iterable[str]:
        for key in keys:
            if key in self.names:
                yield say(f"note.{key}", names=_listed(self.names[key], say))
            elif key in self.said:
                yield say(f"note.{key}", **self.said[key])


def _listed(names: list[str], say: Say) -> str:
    """Name the first few columns and how many there are."""
    text = say.names([literal(name) for name in names[:NAMED]])
    if len(names) <= NAMED:
        return text
    return say("named_some", names=text, others=len(names) - NAMED, count=len(names))
