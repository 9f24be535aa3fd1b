"""Progress of many runs: how many, how long still; one line on a terminal, few lines in a log."""

import time
from math import floor

from adamas.lab.commands.progress import Progress
from adamas.lab.text import Say

EVERY_SECONDS = 10.0
LIVE_SECONDS = 0.2
# The first runs wait for worker processes and for kernels to be compiled, and foretell nothing.
SETTLED = 8
# The share of all work, after those, from which the rest is foretold.
KNOWN = 0.05


class Meter:
    """Counts runs and says how far a comparison is.

    `weights` are shares of a full run, so that the estimate knows that some runs are shorter. The
    rest is foretold from the time of this process's own runs once they have settled, and not before
    they are `KNOWN` of the whole. What follows when all runs are made takes `after` seconds.
    """

    def __init__(
        self, progress: Progress, say: Say, runs: int, weight: float, after: float = 0.0
    ) -> None:
        self._progress, self._say = progress, say
        self._runs, self._weight, self._after = runs, weight, after
        self._done, self._worked, self._kept = 0, 0.0, 0.0
        self._last = time.monotonic()
        self._own, self._settled = 0, (0.0, 0.0)
        self._stage = ""

    def stage(self, name: str) -> None:
        """Begin a part of the comparison."""
        self._stage = self._say(f"compare_stage_{name}")
        self._last = 0.0

    def more(self, runs: int, weight: float) -> None:
        """Add work to what is ahead."""
        self._runs, self._weight = self._runs + runs, self._weight + weight

    def coming(self, runs: int, weight: float) -> None:
        """Be told what is run next, of which more may follow: at least so much is ahead.

        Searches that went on, and seeds that chose other rates, make more runs than were planned.
        """
        self._runs = max(self._runs, self._done + runs)
        self._weight = max(self._weight, self._worked + weight)

    def done(self, weight: float, fresh: bool) -> None:
        """Count one run; `fresh` says that it was run now and not found among earlier ones."""
        self._done += 1
        self._worked += weight
        self._kept += 0.0 if fresh else weight
        now = time.monotonic()
        self._own += fresh
        if self._own <= SETTLED:
            self._settled = now, self._worked - self._kept
        if now - self._last >= (LIVE_SECONDS if self._progress.live else EVERY_SECONDS):
            self._last = now
            self._progress.status(self._line(now))

    def _line(self, now: float) -> str:
        begun, before = self._settled
        fresh = self._worked - self._kept - before
        rest = max(self._weight - self._worked, 0.0)
        numbers = {"done": self._done, "runs": max(self._runs, self._done), "stage": self._stage}
        if fresh <= KNOWN * self._weight:
            return self._say("compare_progress", **numbers)
        left = duration((now - begun) / fresh * rest + self._after, self._say)
        return self._say("compare_progress_left", left=left, **numbers)


def duration(seconds: float, say: Say) -> str:
    """Return about how long that is, no finer than an estimate deserves.

    >>> [duration(s, Say("en")) for s in (3.2, 47, 150, 9000)]
    ['about 3 s', 'about 45 s', 'about 3 min', 'about 2.5 h']
    """
    if seconds < 90:
        count = max(1, round(seconds)) if seconds < 10 else 5 * round(seconds / 5)
        return say("duration_seconds", count=count)
    if seconds < 5400:
        return say("duration_minutes", count=floor(seconds / 60 + 0.5))
    return say("duration_hours", count=f"{seconds / 3600:.1f}")
