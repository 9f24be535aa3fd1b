"""Progress for a notebook: one line that is written over, without the codes of a terminal."""

import io
import sys
from typing import TextIO

from adamas.lab.commands.progress import Progress


class InPlace(Progress):
    """Shows the stage in one line that a carriage return brings back to its beginning."""

    def __init__(self, stream: TextIO, total: int) -> None:
        super().__init__(stream, total)
        self.live = True
        self._shown = 0

    def clear(self) -> str:
        """Return spaces over the line that is shown, from its beginning and back."""
        return "\r" + " " * self._shown + "\r"

    def fitted(self, line: str) -> str:
        """Return the whole line, and remember its length."""
        self._shown = 2 * len(line)  # a Chinese character takes two columns
        return line


def shown(progress: bool) -> Progress:
    """Return what tells how far a comparison is: in a notebook, a terminal, a log, or to nobody."""
    if not progress:
        return Progress(io.StringIO(), 1)
    notebook = type(sys.stdout).__module__.partition(".")[0] == "ipykernel"
    return InPlace(sys.stdout, 1) if notebook else Progress(sys.stdout, 1)
