"""Memory that an optimizer holds, as the system counts it: `python -m benchmarks.resident`.

A fresh process makes the parameters and gradients, does one small step of the same kind so that
everything is imported and compiled, and then reads its resident memory before an optimizer is made
and after its first step.
"""

import gc
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from adamas import AdamW
from adamas.bench.peers import Array
from adamas.bench.timing import memory

SMALL = 1 << 16
PACKAGES = {"torch fused": "torch", "bitsandbytes 8-bit": "bitsandbytes"}
STATES = ("float32", "bfloat16", "int8", "int4")
NAMES = (*(f"adamas {state}" for state in STATES), *PACKAGES)


def step_once(name: str, p: Array, g: Array) -> object:
    """Make the optimizer `name` for `p`, step it once, and return it."""
    if name not in PACKAGES:
        optimizer: Any = AdamW(p, state=name.removeprefix("adamas "))
        optimizer.step(g)
        return optimizer
    import torch

    bitsandbytes = PACKAGES[name] == "bitsandbytes"
    make: Any = import_module("bitsandbytes").optim.AdamW8bit if bitsandbytes else torch.optim.AdamW
    parameter = torch.nn.Parameter(torch.from_numpy(p))
    parameter.grad = torch.from_numpy(g)
    optimizer = make([parameter], **({} if bitsandbytes else {"fused": True}))
    optimizer.step()
    return optimizer


def measure(name: str, size: int) -> float:
    """Resident bytes a parameter that the optimizer `name` adds to this process."""
    step_once(name, np.ones(SMALL, np.float32), np.ones(SMALL, np.float32))
    p, g = np.ones(size, np.float32), np.ones(size, np.float32)
    gc.collect()
    before = memory("VmRSS", "self/status")
    kept = step_once(name, p, g)
    gc.collect()
    after = memory("VmRSS", "self/status")
    del kept
    return (after - before) / size


def in_process(name: str, size: int) -> float:
    """The same in a process of its own."""
    # glibc would keep freed blocks of up to 32 MiB, which are no state.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.resident", name, str(size)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": str(1 << 16)},
    )
    return float(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    print(measure(sys.argv[1], int(sys.argv[2])))
