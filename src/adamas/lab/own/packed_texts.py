"""A column of texts in a few long strings: half a million Python strings would take ten times that.

A cell costs its characters and one more. Going through the column makes its strings anew. Of a
table that is too large for memory the long strings lie in its room.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import overload

from adamas.lab.own.room import Place, Room

BETWEEN = "\0"  # what no text has


class Texts(Sequence[str]):
    """The texts of one column.

    >>> texts = Texts()
    >>> texts.add(["a ", "", "b"])
    >>> list(texts), len(texts), texts[2]
    (['a', '', 'b'], 3, 'b')
    """

    def __init__(self, room: Room | None = None) -> None:
        """Begin without any."""
        self._room = room
        self._blocks: list[str | Place] = []
        self._count = 0

    def add(self, texts: Sequence[str]) -> None:
        """Append texts, without the blanks around them; `ValueError` for one with a zero byte."""
        if not texts:
            return
        block = BETWEEN.join(map(str.strip, texts))
        if block.count(BETWEEN) >= len(texts):
            raise ValueError("a text holds a zero byte")
        self._blocks.append(block if self._room is None else self._room.add(block.encode()))
        self._count += len(texts)

    def __len__(self) -> int:
        """Return how many texts there are."""
        return self._count

    def __iter__(self) -> Iterator[str]:
        """Go through the texts."""
        return chain.from_iterable(self._block(one).split(BETWEEN) for one in self._blocks)

    def _block(self, found: str | Place) -> str:
        if isinstance(found, str):
            return found
        assert self._room is not None
        return self._room.read(found).decode()

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        """Return one text, or some; this reads the whole column."""
        return list(self)[place]
