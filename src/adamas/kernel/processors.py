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


# AdamW at 16 Mi, two threads, all in the same memory: median of paired rounds beside no prefetch.
#                     256    512   1024   2048 elements ahead
# Zen 4  float32     1.05   1.12   1.17
#        bfloat16    1.03   1.06   1.22
#        int8               0.89   0.93   1.02
# On a Xeon (AVX-512) 256 was the best of 256 to 2048 for float32, 1024 of 256 to 8192 for codes.
# Vectors of 256 or 512 bits, and slices of 2**14 to 2**22 elements, are within 2 % on Zen 4.
FETCHES_ITSELF = Processor(0, 0, 512)
ASKED = Processor(256, 1024, 1024)


def suited(name: str) -> Processor:
    """What suits the processor that LLVM calls `name`."""
    return FETCHES_ITSELF if name.startswith("znver") else ASKED


@cache
def computes_bfloat16() -> bool:
    """Whether the processor multiplies numbers of bfloat16; others turn each into float32 first."""
    from llvmlite.binding import get_host_cpu_features

    found = get_host_cpu_features()
    return any(found.get(name, False) for name in ("avx512bf16", "amx-bf16", "bf16"))


@cache
def here() -> Processor:
    """What suits the processor that kernels are compiled for."""
    from llvmlite.binding import get_host_cpu_name

    return suited(os.environ.get("NUMBA_CPU_NAME") or get_host_cpu_name())
