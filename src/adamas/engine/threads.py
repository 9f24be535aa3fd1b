"""One kernel over many slices on several threads; a step that has begun is finished.

Each thread makes one call and claims slices inside it, so no Python runs in between, and work that
is called again only does what is left: that is how a step survives Ctrl-C.
"""

import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_pool: "ThreadPoolExecutor | None" = None
_size = 0
_lock = threading.Lock()

Action = Callable[[], object]
Team = Callable[[Action, int], bool]
_team: Team | None = None


def lend(team: Team | None) -> None:
    """Use the threads of a framework from now on: `team(work, threads)` calls `work` on each.

    It returns when all calls have, then raises what one raised; False if it did nothing.
    """
    global _team
    _team = team


def available() -> int:
    """The CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _forget() -> None:
    # Threads do not survive a fork: the child makes its own pool, and nobody's team has members.
    global _pool, _size, _lock, _team
    _pool, _size, _lock, _team = None, 0, threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class _Helper:
    """One thread's share of `work`; `join` returns once it has ended or never will begin."""

    def __init__(self, work: Action) -> None:
        self._work = work
        self._gate = threading.Lock()
        self._called_off = False

    def run(self) -> None:
        with self._gate:
            if not self._called_off:
                self._work()

    def join(self) -> None:
        # A helper that no free thread has taken up yet has nothing left to do; waiting for it could
        # deadlock two optimizers that share the pool.
        self._called_off = True
        with self._gate:
            pass


def _start(work: Action, count: int, helpers: list[_Helper]) -> None:
    # 15 ms to import, which `import adamas` need not pay.
    from concurrent.futures import ThreadPoolExecutor

    global _pool, _size
    with _lock:
        if _pool is None or _size < count:
            # A smaller pool before this one lives on until its running work is done.
            _pool, _size = ThreadPoolExecutor(count, "adamas"), count
        pool = _pool
    for _ in range(count):
        # Known before it can begin: an interrupt between the two lines loses nothing.
        helpers.append(_Helper(work))
        try:
            pool.submit(helpers[-1].run)
        except RuntimeError:
            # No more threads allowed, or the interpreter is shutting down: the others do it all.
            return


def unbroken(work: Action, threads: int, after: Sequence[Action] = ()) -> None:
    """Run `work` on `threads` threads, this one among them, then each of `after`, come what may.

    `work` and every action of `after` may be called again and must then do what is left. An
    exception that a signal handler raises, such as KeyboardInterrupt, is raised when all is done.
    """
    raised: list[BaseException] = []
    helpers: list[_Helper] = []
    while True:
        try:
            if threads > 1 and not raised and not (_team and _team(work, threads)):
                _start(work, threads - 1, helpers)
            work()
            for helper in helpers:
                helper.join()
            for action in after:
                action()
            break
        except BaseException as error:
            raised.append(error)
            if len(raised) > 16:
                raise
    if raised:
        raise raised[0]
