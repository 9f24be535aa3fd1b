"""Standard output for the results alone, whatever somebody else's code prints while it runs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

OUT, ERR = 1, 2  # the descriptors, which C code and worker processes write to


@contextmanager
def printing_apart(results_alone: bool) -> Iterator[None]:
    """Send to stderr what is printed here and in worker processes, if stdout is for results alone.

    Worker processes inherit the descriptors that this process has when they start.
    """
    stream = sys.stdout
    if not results_alone or stream is None:
        yield
        return
    stream.flush()
    kept = os.dup(OUT)
    os.dup2(ERR, OUT)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        stream.flush()
        os.dup2(kept, OUT)
        os.close(kept)
