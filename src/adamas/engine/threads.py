"""One kernel over many slices on several threads; what has begun is finished, whatever arrives.

CPython runs signal handlers, and with them raises KeyboardInterrupt, in the main thread and between
two instructions of Python only. So whatever must not be torn apart is called as one sequence of
functions written in C (`straight`): starting the helpers, this thread's own share, waiting for the
helpers, copying back, taking over counts. Each thread makes one call and claims slices inside it.
"""

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import call
from queue import SimpleQueue

import numpy as np

from adamas.engine.tensors import Array

Action = Callable[[], object]
Team = Callable[[Sequence[Action], int], Action | None]
# A helper's share: what it has to do and its gate; emptied when it is called off.
Share = list[tuple[Sequence[Action], int]]

_shares: "SimpleQueue[Share]" = SimpleQueue()
_helpers: list[threading.Thread] = []
_gates: list[int] = []
# Re-entrant: a signal handler may step another optimizer while helpers are being started.
_lock = threading.RLock()
_team: Team | None = None

# Waiting for a lock of Python's ends when a signal handler raises; these wait on, and outside the
# interpreter's own lock, unlike the same functions of `ctypes.pythonapi`.
_python, _gate = ctypes.pythonapi, ctypes.c_void_p
new_gate = ctypes.CFUNCTYPE(_gate)(("PyThread_allocate_lock", _python))
leave = ctypes.CFUNCTYPE(None, _gate)(("PyThread_release_lock", _python))
enter = ctypes.CFUNCTYPE(ctypes.c_int, _gate, ctypes.c_int)(("PyThread_acquire_lock", _python))


def straight(actions: Iterable[Action]) -> None:
    """Call each of `actions` in order, with nothing in between.

    They must be implemented in C (kernels, methods of arrays, lists and dicts, `partial` of these)
    and take what they need with them; then no signal handler runs before the last has returned.
    """
    deque(map(call, actions), 0)


def assigning(array: Array, value: object) -> Action:
    """The action that sets all of `array` to `value`.

    `np.copyto` is C as well, but asks a function of Python's first whether to dispatch elsewhere.
    """
    return partial(np.ndarray.__setitem__, array, ..., value)


def lend(team: Team | None) -> None:
    """Use the threads of a framework from now on.

    `team(work, threads)` returns an action in C which calls all of `work` on each of that many
    threads, this one among them, and returns when all have returned; or None for its "not now".
    """
    global _team
    _team = team


def _forget() -> None:
    # Threads do not survive a fork: the child starts its own, and nobody's team has members.
    global _shares, _helpers, _gates, _lock, _team
    _shares, _helpers, _gates, _lock, _team = SimpleQueue(), [], [], threading.RLock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _serve(shares: "SimpleQueue[Share]") -> None:
    while True:
        share = shares.get()
        for work, gate in share:
            enter(gate, 1)
            try:
                # Emptied by now if the caller was done before this helper came to it.
                deque(map(call, work if share else ()), 0)
            finally:
                leave(gate)
        # Waiting for the next share must not keep anything alive.
        share, work = [], ()


def _staff(count: int) -> "SimpleQueue[Share]":
    with _lock:
        while len(_helpers) < count:
            name = f"adamas-{len(_helpers)}"
            helper = threading.Thread(target=_serve, args=(_shares,), name=name, daemon=True)
            try:
                helper.start()
            except RuntimeError:
                # No more threads allowed, or Python is shutting down: the others do it all.
                break
            _helpers.append(helper)
        return _shares


def _helped(work: Sequence[Action], count: int) -> tuple[list[Action], list[Action]]:
    """The actions that hand `work` to `count` helpers, and those that wait for them.

    A helper that no free thread has taken up yet has nothing left to do and is called off: waiting
    for it could deadlock two optimizers that share the helpers.
    """
    before: list[Action] = []
    behind: list[Action] = []
    shares, gates = _staff(count), _gates
    for _ in range(count):
        gate = gates.pop() if gates else new_gate()
        share: Share = [(work, gate)]
        before.append(partial(shares.put, share))
        behind += [partial(enter, gate, 1), share.clear, partial(leave, gate)]
        behind.append(partial(gates.append, gate))
    return before, behind


def on_threads(work: Sequence[Action], threads: int) -> list[Action]:
    """The actions that run `work` on `threads` threads, the one that calls them among them.

    All actions are such as `straight` takes; those of `work` may run on several threads at once,
    and do together what one of them would do alone.
    """
    # Where all tensors are stepped one after another, nothing is left for all threads.
    team = _team(work, threads) if work and threads > 1 and _team else None
    before: list[Action] = [team] if team else []
    behind: list[Action] = []
    if work and threads > 1 and not team:
        before, behind = _helped(work, threads - 1)
    return [*before, *work, *behind]


def unbroken(
    work: Sequence[Action],
    threads: int,
    after: Sequence[Action] = (),
    first: Sequence[Action] = (),
) -> None:
    """Each of `first`, `work` on `threads` threads as above, then each of `after`: all or nothing.

    What a signal handler raises is raised either before anything has begun or when all is done and
    no helper is at work any more.
    """
    straight([*first, *on_threads(work, threads), *after])
