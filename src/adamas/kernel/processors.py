"""What suits a processor where two kinds disagree: a table of what was measured.

Numba compiles for the processor that NUMBA_CPU_NAME names, else for the one it runs on.
"""

import os
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Processor:
    """How kernels are written for a kind of processor.

    Elements between a prefetch and its use, of plain numbers, of codes without and with scales; 0
    leaves it to the processor.
    """

    ahead: int
    ahead_coded: int
    ahead_scaled: int


FETCHES_ITSELF = Processor(0, 0, 512)
ASKED = Processor(256, 1024, 1024)


def suited(name: str) -> Processor:
    """What suits the processor that LLVM calls `name`."""
    return FETCHES_ITSELF if name.startswith("znver") else ASKED


@cache
def here() -> Processor:
    """What suits the processor that kernels are compiled for."""
    from llvmlite.binding import get_host_cpu_name

    return suited(os.environ.get("NUMBA_CPU_NAME") or get_host_cpu_name())
