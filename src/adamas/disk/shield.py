"""Lines of Python that no signal handler comes between: they run on a thread of their own."""

import threading
from functools import partial

from adamas.engine.threads import Action, enter, leave, new_gate, straight

# Gates that nobody uses; Python's own locks let signal handlers in while they wait.
_gates: list[int] = []


def shielded(work: Action) -> None:
    """Call `work`, lines of Python and all, on a thread where no signal handler interrupts it.

    What it raises is raised here, and what a signal handler raises before it or behind it.
    """
    if threading.current_thread() is not threading.main_thread():
        work()
        return
    failed: list[BaseException] = []
    going: list[bool] = []
    go, done = (_gates.pop() if _gates else new_gate() for _ in range(2))

    def run() -> None:
        enter(go, 1)
        try:
            if going:
                work()
        except BaseException as error:
            failed.append(error)
        finally:
            leave(done)

    for gate in (go, done):
        enter(gate, 1)
    try:
        threading.Thread(target=run, name="adamas-shielded", daemon=True).start()
        straight([partial(going.append, True), partial(leave, go), partial(enter, done, 1)])
    finally:
        if not going:
            leave(go)
    for gate in (go, done):
        leave(gate)
        _gates.append(gate)
    if failed:
        raise failed[0]
