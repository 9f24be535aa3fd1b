"""One call at a time: an optimizer that two threads step at once, or that steps itself, says so.

Two steps that meet would claim each other's slices and counts. A lock would make the order of the
steps, and so the bits, depend on chance, and costs a tiny step 8 % (measured, CPython 3.11, busy
machine); this test about 1.3 %.
"""

import math
import os
import weakref
from collections.abc import Callable
from functools import wraps
from threading import RLock, get_ident
from time import sleep
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="HasTurn")

# Seconds between two looks at whether another thread still looks.
MOMENT = 1e-4


_turns: "weakref.WeakSet[Turn]" = weakref.WeakSet()


class HasLock(Protocol):
    """An optimizer whose calls wait for each other."""

    lock: Any


# Those that have a lock instead of a turn; several may share one.
waiting: "weakref.WeakSet[HasLock]" = weakref.WeakSet()


def _end() -> None:
    """In the child of a fork: calls of threads that did not come along have ended."""
    for turn in list(_turns):
        if abs(turn.owner) != get_ident():
            turn.owner, turn.nested = 0, False
    fresh: dict[Any, Any] = {}
    for one in list(waiting):
        if one.lock.acquire(blocking=False):
            one.lock.release()
        else:
            one.lock = fresh.setdefault(one.lock, RLock())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_end)


class Turn:
    """Whose turn it is, and what came of the last step.

    `nested` says that a method that only reads was called inside a call of the same thread.
    `owner` is the thread that is inside a call, or 0; below 0, that thread only looks. CPython
    changes threads and runs signal handlers after calls and where a loop turns only, so nothing
    comes between `while turn.owner` and the assignment behind it, nor between the end of a call
    and the first line of `finally`. A tracer may raise at any line: hence the assignment stands
    behind `try`.
    """

    __slots__ = ("__weakref__", "grad_norm", "nested", "owner", "skipped")

    def __init__(self) -> None:
        _turns.add(self)
        self.owner, self.nested = 0, False
        self.grad_norm = math.nan
        self.skipped = 0

    def meet(self) -> None:
        """Raise RuntimeError where two calls have met; wait a little for who only looks."""
        owner, me = self.owner, get_ident()
        if abs(owner) == me:
            raise RuntimeError(
                "this optimizer was called from inside its own call, by a schedule or a signal "
                "handler; set a flag there, and act on it when step() has returned."
            )
        if owner > 0:
            raise RuntimeError(
                "another thread is inside a call of this optimizer; use one optimizer in one "
                "thread at a time: hold a lock of your own around step(), or make one for each "
                "thread."
            )
        sleep(MOMENT)

    def look(self, show: Callable[[], None]) -> None:
        """Call `show`, which may write what nobody computes with, but inside another thread's call.

        Inside a call of this thread's own, a step is not begun or whole.
        """
        me = get_ident()
        while owner := self.owner:
            if abs(owner) == me:
                return show()
            if owner > 0:
                return None
            sleep(MOMENT)
        try:
            self.owner = -me
            show()
        finally:
            self.owner = 0
        return None


class HasTurn(Protocol):
    """What the decorators below need of an optimizer."""

    _turn: Turn

    @property
    def _waiting(self) -> bool: ...


def alone(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method that no other call of the same optimizer may meet; raises RuntimeError if one does.

    `step` itself does the same in its own lines.
    """

    @wraps(method)
    def only(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        turn, me = self._turn, get_ident()
        while turn.owner:
            turn.meet()
        try:
            turn.owner = me
            return method(self, *args, **kwargs)
        finally:
            turn.owner = 0

    return only


def reading(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """The same for a method that changes nothing: a signal handler may call it inside a step.

    Wherever Python runs, a step is either not begun or whole; see `threads.straight`.
    It may be called so once: a state dict asks schedules for values, which may ask for one again.
    """
    guarded = alone(method)

    @wraps(method)
    def only(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        turn = self._turn
        if abs(turn.owner) != get_ident() or self._waiting or turn.nested:
            return guarded(self, *args, **kwargs)
        try:
            turn.nested = True
            return method(self, *args, **kwargs)
        finally:
            turn.nested = False

    return only
