"""One call at a time: an optimizer that two threads step at once, or that steps itself, says so.

Two steps that meet would claim each other's slices and counts. A lock would make the order of the
steps, and so the bits, depend on chance, and costs a tiny step 8 % (measured, CPython 3.11, busy
machine); this test about 1.3 %.
"""

import math
from collections.abc import Callable
from functools import wraps
from threading import get_ident
from typing import Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="HasTurn")


class Turn:
    """Whose turn it is, and what came of the last step.

    `owner` is the thread that is inside a call, or 0. CPython changes threads and runs signal
    handlers after calls and where a loop turns only, so nothing comes between `if turn.owner` and
    the assignment in the next line, nor between the end of a call and the first line of `finally`.
    """

    __slots__ = ("grad_norm", "owner", "skipped")

    def __init__(self) -> None:
        self.owner = 0
        self.grad_norm = math.nan
        self.skipped = 0

    def meeting(self) -> RuntimeError:
        """The error to raise where two calls have met."""
        if self.owner == get_ident():
            return RuntimeError(
                "this optimizer was called from inside its own call, by a schedule or a signal "
                "handler; set a flag there, and act on it when step() has returned."
            )
        return RuntimeError(
            "another thread is inside a call of this optimizer; use one optimizer in one thread at "
            "a time: hold a lock of your own around step(), or make one for each thread."
        )


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
        if turn.owner:
            raise turn.meeting()
        turn.owner = me
        try:
            return method(self, *args, **kwargs)
        finally:
            turn.owner = 0

    return only


def reading(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """The same for a method that changes nothing: a signal handler may call it inside a step.

    Wherever Python runs, a step is either not begun or whole; see `threads.straight`.
    """
    guarded = alone(method)

    @wraps(method)
    def only(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._turn.owner == get_ident() and not self._waiting:
            return method(self, *args, **kwargs)
        return guarded(self, *args, **kwargs)

    return only
