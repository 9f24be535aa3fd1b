"""How long still: foretold once enough is known, from this process's own runs alone."""

import io
import re

import pytest

from adamas.lab.commands import meter
from adamas.lab.commands.meter import SETTLED, Meter
from adamas.lab.commands.progress import Progress
from adamas.lab.text import Say


class Screen(io.StringIO):
    """A terminal, so that every run may be shown."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def shown(monkeypatch: pytest.MonkeyPatch, ends: list[float], fresh: list[bool]) -> list[str]:
    """Return what is shown after each of a hundred full runs that end at these seconds."""
    screen, now = Screen(), [0.0]
    monkeypatch.setattr(meter.time, "monotonic", lambda: now[0])
    meters = Meter(Progress(screen, 1), Say("en"), runs=100, weight=100.0)
    meters.stage("search")
    lines = []
    for now[0], one in zip(ends, fresh, strict=True):
        screen.truncate(screen.seek(0))
        meters.done(1.0, one)
        lines.append(screen.getvalue())
    return lines


def test_the_wait_for_workers_is_not_foretold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first runs take a minute and the others 2 s each: with 80 of 100 to go, 160 s are left.

    Nothing is foretold before a twentieth of the work has been seen after the first runs.
    """
    ends = [60.0] * SETTLED + [60.0 + 2 * n for n in range(1, 13)]
    lines = shown(monkeypatch, ends, [True] * len(ends))
    assert not re.search("left", "".join(lines[: SETTLED + 5]))
    assert "about 3 min left" in lines[-1]
    assert all("left" in line for line in lines[SETTLED + 5 :])


def test_runs_that_were_kept_foretell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier process left takes no time; the rest is foretold from what is run now."""
    ends = [0.5] * 60 + [0.5 + n for n in range(1, 21)]
    lines = shown(monkeypatch, ends, [False] * 60 + [True] * 20)
    assert "left" not in "".join(lines[:60])
    assert "about 20 s left" in lines[-1]
