"""From nothing to the first step, in fresh processes."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial

from adamas.bench.timing import Case
from benchmarks.record import Figure, Plan, Section

IMPORT = "import time; start = time.monotonic(); import {0}; print(time.monotonic() - start)"
STEP = """
import time, numpy as np, adamas
adamas.AdamW(np.ones(1000, np.float32)).step(np.ones(1000, np.float32))
print(time.monotonic())
"""
TORCH = """
import time, torch
p = torch.nn.Parameter(torch.ones(1000))
p.grad = torch.ones(1000)
torch.optim.AdamW([p], fused=True).step()
print(time.monotonic())
"""


def child(code: str, cache: str) -> str:
    """What a fresh Python prints that runs `code`, with `cache` as the kernel cache."""
    environment = {**os.environ, "ADAMAS_CACHE_DIR": cache}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


def inside(code: str, cache: str) -> float:
    """Seconds that the process itself counted and printed."""
    return float(child(code, cache))


def whole(code: str, cache: str) -> float:
    """Seconds from the start of a process to its end."""
    start = time.monotonic()
    child(code, cache)
    return time.monotonic() - start


def until_printed(code: str, cache: str) -> float:
    """Seconds from the start of a process until it prints its clock, which all processes share."""
    start = time.monotonic()
    return float(child(code, cache)) - start


def cold(code: str, _: str) -> float:
    """The same with a kernel cache that is empty."""
    with tempfile.TemporaryDirectory() as empty:
        return until_printed(code, empty)


def startup(plan: Plan) -> Section:
    """Import and first step, fresh processes in turns."""
    imports = {name: partial(inside, IMPORT.format(name)) for name in ("adamas", "numpy")}
    processes = {"python, nothing": partial(whole, "pass")}
    for name in ("numpy", "adamas", "torch"):
        processes[f"import {name}"] = partial(whole, f"import {name}")
    steps = {
        "adamas, warm cache": partial(until_printed, STEP),
        "adamas, cold cache": partial(cold, STEP),
        "torch fused": partial(until_printed, TORCH),
    }
    # A process takes seconds, and nobody compares it by a few per cent.
    rounds = plan.rounds // 2 + 1
    importing, first = "inside the import", "process start to the end of the first step"
    cases = [
        Case(importing, _in_turns(imports, rounds)),
        Case("a whole process", _in_turns(processes, rounds)),
        Case(first, _in_turns(steps, rounds)),
    ]
    return Section(
        "Start",
        "Every sample is a fresh process; files are in the system's cache. An import of adamas "
        "includes that of NumPy. Cold is an empty kernel cache: the kernel is compiled and stored.",
        cases,
        [
            Figure("import adamas, with NumPy", 1e3 * cases[0].median("adamas"), "ms"),
            Figure("first step, warm", cases[2].median("adamas, warm cache"), "s"),
            Figure("first step, cold", cases[2].median("adamas, cold cache"), "s"),
        ],
    )


def _in_turns(sides: Mapping[str, Callable[[str], float]], rounds: int) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as cache:
        for measure in sides.values():
            measure(cache)
        samples: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, measure in sides.items():
                samples[name].append(measure(cache))
    return samples
