"""One kernel over many slices on several threads; a step that has begun is finished.

Each thread makes one call and claims slices inside it, so no Python runs in between, and work that
is called again only does what is left: that is how a step survives Ctrl-C.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

_pool: ThreadPoolExecutor | None = None
_size = 0
_lock = threading.Lock()

Action = Callable[[], object]


def available() -> int:
    """The CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _forget() -> None:
    # Threads do not survive a fork: the child makes its own pool.
    global _pool, _size, _lock
    _pool, _size, _lock = None, 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _helpers(work: Action, count: int, started: list[Future[object]]) -> None:
    global _pool, _size
    with _lock:
        if _pool is None or _size < count:
            # A smaller pool before this one lives on until its running work is done.
            _pool, _size = ThreadPoolExecutor(count, "adamas"), count
        pool = _pool
    for _ in range(count):
        try:
            started.append(pool.submit(work))
        except RuntimeError:
            # No more threads allowed, or the interpreter is shutting down: the others do it all.
            return


def _join(started: Sequence[Future[object]]) -> None:
    # A helper that no free thread has taken up yet has nothing left to do; waiting for it could
    # deadlock two optimizers that share the pool.
    for helper in started:
        if not helper.cancel():
            helper.result()


def together(work: Action, threads: int) -> None:
    """Run `work` on `threads` threads at once, this one among them; it may be interrupted."""
    started: list[Future[object]] = []
    try:
        if threads > 1:
            _helpers(work, threads - 1, started)
        work()
    finally:
        _join(started)


def unbroken(
    work: Action, finished: Callable[[], bool], threads: int, after: Sequence[Action] = ()
) -> None:
    """Run `work` on `threads` threads, then each of `after`, whatever signals arrive.

    `work` and every action of `after` may be called again and must then do what is left. An
    exception that a signal handler raises, such as KeyboardInterrupt, is raised when all is done.
    """
    raised: list[BaseException] = []
    started: list[Future[object]] = []
    while True:
        try:
            if threads > 1 and not raised:
                _helpers(work, threads - 1, started)
            work()
            _join(started)
            # An interrupt may have lost the handle of a helper, but not its slices.
            while not finished():
                time.sleep(0)
            for action in after:
                action()
            break
        except BaseException as error:
            raised.append(error)
            if len(raised) > 16:
                raise
    if raised:
        raise raised[0]
