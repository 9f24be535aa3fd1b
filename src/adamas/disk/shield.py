"""Lines of Python that no signal handler comes between: they run on a thread of their own."""

import threading
from _thread import start_new_thread
from functools import partial

from adamas.engine.threads import Action, enter, leave, new_gate, straight

# Gates that nobody uses; Python's own locks let signal handlers in while they wait.
_gates: list[int] = []


def _nothing() -> None:
    """Do nothing."""


def shielded(work: Action) -> None:
    """Call `work`, lines of Python and all, on a thread where no signal handler interrupts it.

    What it raises is raised here, and what a signal handler raises before it or behind it.
    """
    if threading.current_thread() is not threading.main_thread():
        work()
        return
    failed: list[BaseException] = []
    done = _gates.pop() if _gates else new_gate()

    def run() -> None:
        nonlocal work
        try:
            work()
        except BaseException as error:
            failed.append(error)
        finally:
            # The thread lives on for a moment, in which it must keep nobody's optimizer.
            work = _nothing
            leave(done)

    enter(done, 1)
    # `Thread.start` is Python, and could be left in the middle with a lock of its own.
    straight([partial(start_new_thread, run, ()), partial(enter, done, 1)])
    leave(done)
    _gates.append(done)
    if failed:
        # Not kept by this frame, which the error keeps: the two would keep the optimizer.
        raise failed.pop()
