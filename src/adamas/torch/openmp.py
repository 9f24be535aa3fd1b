"""Steps run on torch's own threads, which would otherwise be in the way.

The OpenMP workers of torch go on spinning for milliseconds after each of its operations, so that a
step right after a backward pass would share the processors with them: on two cores AdamW of five
million parameters took 6.0 ms on threads of its own and 4.4 on theirs, torch's fused one 4.2.
"""

import ctypes
import sys
from collections.abc import Callable, Sequence
from functools import partial
from operator import call
from pathlib import Path
from typing import Any

import torch

from adamas.engine import threads
from adamas.engine.threads import Action

# It is called with an address that nobody needs; on the systems here a callee may ignore it.
ENTRY = ctypes.CFUNCTYPE(None)


def _found() -> Callable[..., Any] | None:
    """`GOMP_parallel` of the OpenMP that torch is linked with; None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        # Symbols are looked up in the libraries that this one needs, too.
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        parallel = library.GOMP_parallel
    except (AttributeError, OSError):
        return None
    parallel.argtypes, parallel.restype = [ENTRY, ctypes.c_void_p, *2 * [ctypes.c_uint]], None
    return parallel


def install() -> None:
    """Lend torch's threads to the engine, if it has any that can be reached."""
    parallel = _found()
    if parallel is None:
        return

    def team(work: Sequence[Action], count: int) -> Action | None:
        # Another number than torch's would make OpenMP end and start threads.
        if count != torch.get_num_threads():
            return None
        # A loop in C over what kernels return: on the main thread a function of Python's would let
        # signal handlers in, and what they raise would be lost.
        return partial(parallel, ENTRY(partial(max, work, key=call)), None, count, 0)

    threads.lend(team)
