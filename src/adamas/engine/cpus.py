"""How many threads a step takes: what was asked for, or the CPUs there are for this process.

Launchers start several processes on one machine and say so in LOCAL_WORLD_SIZE; each of them then
takes its share. torchrun also sets OMP_NUM_THREADS=1, which nobody has chosen and which would make
every rank step on one thread.
"""

import os
from typing import Any, Self

from adamas.engine.settings import thread_count

TOGETHER = "LOCAL_WORLD_SIZE"


class Threads(int):
    """A number of threads; `shown` says where it comes from."""

    shown: str

    def __new__(cls, count: int, origin: str = "") -> Self:
        """`count` threads; `origin` goes on where the number stops: "of 8 CPUs"."""
        made = super().__new__(cls, count)
        made.shown = f"{count} {origin}".rstrip()
        return made


def taken(asked: Any, framework: int | None = None) -> Threads:
    """The threads of a step: `asked`, or if that is None this process's share of the CPUs.

    `framework` is the number of a framework's own threads. It is taken where a process is alone,
    and among several where somebody has chosen it, as 1 and more than the share were not. Raises
    ValueError for what cannot be a number of threads or of processes.
    """
    if isinstance(asked, Threads):
        return asked
    if count := thread_count(asked):
        return Threads(count)
    together, own = processes(), available()
    if together == 1:
        return Threads(framework or own)
    # Those of its launcher are shared by all; they may be narrowed for this process already.
    cpus = launchers()
    share = max(1, min(own, cpus // together))
    if framework and 1 < framework < share:
        share = framework
    return Threads(share, f"of {cpus} CPUs ({TOGETHER}={together})")


def processes() -> int:
    """How many processes of one job this machine runs, as LOCAL_WORLD_SIZE says; 1 without it."""
    text = os.environ.get(TOGETHER, "").strip()
    if text and not (text.isdecimal() and int(text)):
        raise ValueError(
            f"the environment has {TOGETHER}={text!r}, which must be how many processes share this "
            "machine, at least 1; set it right, unset it, or pass threads=."
        )
    return int(text or 1)


def available() -> int:
    """The CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def launchers() -> int:
    """The CPUs that this process and the one that started it may use, together."""
    if not hasattr(os, "sched_getaffinity"):
        return available()
    try:
        parent = os.sched_getaffinity(os.getppid())
    except OSError:
        # Gone, or hidden from this user.
        parent = set()
    return len(parent | os.sched_getaffinity(0))
