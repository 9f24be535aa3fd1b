"""What is said while a large table is read, to whoever listens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

Hear = Callable[..., None]
# Seconds after which something is said, and between two sayings at first.
QUIET = 2.0
# Of the time that has gone by; lines of a log become rarer.
SHARE = 0.1


@dataclass
class _Listener:
    hear: Hear
    begun: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)


_listener: ContextVar[_Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(hear: Hear) -> Iterator[None]:
    """Let `hear(key, **numbers)` be called inside, with the key of a sentence and its numbers."""
    token = _listener.set(_Listener(hear))
    try:
        yield
    finally:
        _listener.reset(token)


def tell(key: str, **numbers: object) -> None:
    """Say how far the reading is, unless it was said a moment ago or nobody listens."""
    listener, now = _listener.get(), time.monotonic()
    if listener and now - listener.last > max(QUIET, SHARE * (now - listener.begun)):
        listener.last = now
        listener.hear(key, **numbers)
