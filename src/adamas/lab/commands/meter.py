"""Progress of many runs: how many, how long still; one line on a terminal, few lines in a log."""

import time

from adamas.lab.commands.progress import Progress
from adamas.lab.text import Say

EVERY_SECONDS = 10.0
LIVE_SECONDS = 0.2
# The first runs wait for worker processes and for kernels to be compiled, and foretell nothing.
SETTLED = 8


class Meter:
    """Counts runs and says how far a comparison is.

    `weights` are shares of a full run, so that the estimate knows that some runs are shorter.
    """

    def __init__(self, progress: Progress, say: Say, runs: int, weight: float) -> None:
        self._progress, self._say = progress, say
        self._runs, self._weight = runs, weight
        self._done, self._worked, self._kept = 0, 0.0, 0.0
        self._begun = self._last = time.monotonic()
        self._stage = ""

    def stage(self, name: str) -> None:
        """Begin a part of the comparison."""
        self._stage = self._say(f"compare_stage_{name}")
        self._last = 0.0

    def done(self, weight: float, fresh: bool) -> None:
        """Count one run; `fresh` says that it was run now and not found among earlier ones."""
        self._done += 1
        self._worked += weight
        self._kept += 0.0 if fresh else weight
        now = time.monotonic()
        if now - self._last >= (LIVE_SECONDS if self._progress.live else EVERY_SECONDS):
            self._last = now
            self._progress.status(self._line(now))

    def _line(self, now: float) -> str:
        fresh = self._worked - self._kept
        # Extended searches make more runs than were planned; the total grows with them.
        rest = max(self._weight - self._worked, 0.0)
        left = (now - self._begun) / fresh * rest if self._done > SETTLED and fresh > 0 else None
        numbers = {"done": self._done, "runs": max(self._runs, self._done), "stage": self._stage}
        if left is None:
            return self._say("compare_progress", **numbers)
        return self._say("compare_progress_left", left=clock(left), **numbers)


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds.

    >>> clock(75.2), clock(4)
    ('1:15', '0:04')
    """
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
