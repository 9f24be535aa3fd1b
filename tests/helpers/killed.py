"""Kills comparisons at random moments and goes on; run by a test, in a process without threads.

`python tests/helpers/killed.py DIRECTORY TRIALS` prints how many runs each killed process had
kept, and fails when any directory ends with other bytes than an uninterrupted comparison.
"""

import io
import os
import random
import signal
import sys
import time
from pathlib import Path

from adamas.lab.commands.progress import Progress
from adamas.lab.commands.session import Request, perform
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.text import Say
from adamas.lab.trial import run

FILES = ("runs.jsonl", "results.json")
OPTIMIZERS = ("sgd", "adam")


def request(out: Path) -> Request:
    """Return a comparison of a second or so, in this process alone."""
    return Request(Spec("line"), out, OPTIMIZERS, mode="quick", seeds=3, workers=1)


def in_child(out: Path, wait: float | None) -> int:
    """Compare in a forked child; after `wait` seconds kill it. Return the signal or 0."""
    child = os.fork()
    if child == 0:
        perform(request(out), Progress(io.StringIO(), 1), Say("en"))
        os._exit(0)
    if wait is not None:
        time.sleep(wait)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)


def main(directory: Path, trials: int) -> None:
    """Compare once without interruption, then again and again with."""
    for name in OPTIMIZERS:  # kernels are compiled here, so that children begin at once
        run(resolve(Spec("line")), name, 1e-3, 1)
    whole = directory / "whole"
    begun = time.monotonic()
    assert in_child(whole, None) == 0
    taken = time.monotonic() - begun
    expected = {name: (whole / name).read_bytes() for name in FILES}
    draw = random.Random(0)
    interrupted = 0
    for trial in range(trials):
        out = directory / str(trial)
        for _ in range(2):
            interrupted += in_child(out, draw.uniform(0, 0.7 * taken)) == signal.SIGKILL
        kept = (out / "runs.jsonl").read_bytes().count(b"\n") if out.exists() else 0
        assert in_child(out, None) == 0
        for name in FILES:
            assert (out / name).read_bytes() == expected[name], (trial, name)
        print(kept, end=" ", flush=True)
    print(f"\n{interrupted} kills, {trials} comparisons, same bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
