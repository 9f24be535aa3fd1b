"""Progress on a terminal, in a log and in a notebook: what is written, character by character."""

import io
import re
from collections.abc import Callable

import pytest

from adamas.lab.commands.progress import CLEAR, Progress
from adamas.lab.notebook.in_place import InPlace


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def written(made: Callable[[io.StringIO], Progress], stream: io.StringIO) -> str:
    """What a job of one stage writes that says a line in between; every time is 0."""
    progress = made(stream)
    progress.status("梯度")
    progress.say("a line")
    progress.finish()
    return re.sub(r"\d+ s", "0 s", stream.getvalue())


@pytest.mark.parametrize(
    ("made", "stream", "expected"),
    [
        (Progress, io.StringIO, "梯度\na line\n"),
        (Progress, Terminal, f"{CLEAR}梯度  0 s{CLEAR}a line\n{CLEAR}梯度  0 s{CLEAR}"),
        (
            InPlace,
            io.StringIO,
            f"\r\r梯度  0 s\r{' ' * 14}\ra line\n\r{' ' * 14}\r梯度  0 s\r{' ' * 14}\r",
        ),
    ],
)
def test_one_line_is_written_over(
    made: Callable[[io.StringIO, int], Progress], stream: type[io.StringIO], expected: str
) -> None:
    """A terminal clears the line, a notebook covers it with spaces, and a log has lines alone."""
    assert written(lambda screen: made(screen, 1), stream()) == expected
