"""Progress for people and for logs: one line that updates on a terminal, plain lines elsewhere."""

import shutil
import time
from typing import TextIO
from unicodedata import east_asian_width

from adamas.pages.sentences import printable

CLEAR = "\r\x1b[K"


class Progress:
    """Reports stages of a job that has `total` of them to `stream`.

    On a terminal the current stage is one line that replaces itself, so that lines said in between
    stay readable; elsewhere each stage is a line of its own and no control character is written.
    `live` says whether there is such an updating line. A subclass for another kind of screen sets
    it and overrides `clear` and `fitted`.
    """

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._total = total
        self._done = 0
        self.live = stream.isatty()
        self._started = time.monotonic()
        self._status = ""

    @property
    def seconds(self) -> float:
        """Return the time since the job began."""
        return time.monotonic() - self._started

    def stage(self, name: str) -> None:
        """Begin the next stage."""
        self._done += 1
        self.status(f"[{self._done:2d}/{self._total}] {name}")

    def status(self, text: str) -> None:
        """Show what is going on: in place of what was shown before, or as a line of its own."""
        self._status = printable(text)
        if self.live:
            self._show()
        else:
            self._write(self._status + "\n")

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self._write(self.clear() + printable(line) + "\n")
        if self.live and self._status:
            self._show()

    def finish(self) -> None:
        """Remove the updating line; what is said from here on stands alone."""
        self._status = ""
        self._write(self.clear())

    def clear(self) -> str:
        """Return what removes the updating line when it is written; nothing where there is none."""
        return CLEAR if self.live else ""

    def fitted(self, line: str) -> str:
        """Return as much of an updating line as there is room for; called before it is written."""
        return fitting(line, shutil.get_terminal_size().columns - 1)

    def _show(self) -> None:
        self._write(self.clear() + self.fitted(f"{self._status}  {self.seconds:.0f} s"))

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def fitting(text: str, columns: int) -> str:
    """Return the beginning of `text` that fits in `columns`, where Chinese characters take two.

    >>> fitting("梯度 descent", 6)
    '梯度 d'
    """
    used = 0
    for i, char in enumerate(text):
        used += 2 if east_asian_width(char) in "WF" else 1
        if used > columns:
            return text[:i]
    return text
