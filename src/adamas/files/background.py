"""A file is written beside training: by one thread, from a copy, one file after the other.

What writing raises is never lost: whoever waits gets it, or else the next save, or else the last
line of the program. A process that ends as programs do waits for its file; one that is killed
leaves the last good one.
"""

import atexit
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


class Saving:
    """A file on its way to the disk, as `save(..., background=True)` returns it.

    `path` is the file; `done` says that nothing is written any more, whether well or not.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._failed = False
        self._process = os.getpid()

    @property
    def done(self) -> bool:
        """Whether nothing is written any more; `wait` says whether the file is there."""
        return self._thread is None or not self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> None:
        """Return when the file is on the disk, in its place.

        Raises what writing raised, once; TimeoutError after `timeout` seconds, while writing goes
        on; RuntimeError in a process that was forked off meanwhile, which writes nothing.
        """
        if self._process != os.getpid():
            raise RuntimeError(f"{self.path!r} is saved by the process that this is a fork of.")
        if self._thread is not None:
            self._thread.join(timeout)
        if not self.done:
            raise TimeoutError(f"{self.path!r} is not saved after {timeout} seconds.")
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self, write: Callable[[], None]) -> None:
        try:
            write()
        except BaseException as error:
            # What was copied must not live as long as the error does.
            for one in (error, error.__cause__):
                traceback.clear_frames(one.__traceback__ if one else None)
            self._error, self._failed = error, True
        finally:
            del write

    def __repr__(self) -> str:
        """The file, and whether it is being written, is there, or could not be written."""
        ended = "failed" if self._failed else "done"
        return f"<Saving {self.path!r}: {ended if self.done else 'under way'}>"


class _Last:
    """The file that this process began to write last."""

    def __init__(self) -> None:
        # Of one thread several times: a signal may save while a save is copying.
        self.turn = threading.RLock()
        self.saving: Saving | None = None

    def forked(self) -> None:
        """In a child there is no such thread, and perhaps a lock that nobody will release."""
        self.turn, self.saving = threading.RLock(), None

    def told(self) -> None:
        """Say at the end of the program what nobody has been told."""
        if self.saving is not None and (error := self.saving._error) is not None:
            print(f"adamas: {self.saving.path!r} was not saved: {error}", file=sys.stderr)


_last = _Last()
atexit.register(_last.told)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_last.forked)


@contextmanager
def after_the_last() -> Iterator[None]:
    """One save at a time; first the one before is waited for, and raises what it raised."""
    with _last.turn:
        if _last.saving is not None:
            _last.saving.wait()
        yield


def started(path: str, write: Callable[[], None]) -> Saving:
    """A thread that does `write`, inside of `after_the_last`."""
    saving = Saving(path)
    # No daemon: the interpreter waits for it before it ends.
    saving._thread = threading.Thread(
        target=saving._run, args=(write,), name=f"adamas saves {saving.path}", daemon=False
    )
    saving._thread.start()
    _last.saving = saving
    return saving


def settled(path: str) -> None:
    """Wait for a file that this process is writing to this very place."""
    saving = _last.saving
    if saving is not None and os.path.realpath(saving.path) == os.path.realpath(path):
        saving.wait()


def copied(parts: Iterable[Any], size: int) -> memoryview:
    """The bytes of `parts`, `size` of them together, in memory of their own."""
    whole = np.empty(size, np.uint8).data
    done = 0
    for part in parts:
        piece = memoryview(part).cast("B")
        whole[done : done + len(piece)] = piece
        done += len(piece)
    return whole
