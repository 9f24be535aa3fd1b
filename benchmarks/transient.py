"""Memory that a step takes and gives back, one side per process: `python -m benchmarks.transient`.

The high-water mark of the process's memory is reset after warm-up, so that it shows the step's own
peak; tracemalloc sees what Python and NumPy allocate.
"""

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

from adamas.bench.peers import Array, adamas_side, gradients, numpy_side, optax_side, torch_side
from adamas.bench.timing import Case, Side, memory
from benchmarks.few_bits import ENTRIES, Given
from benchmarks.record import MIB, Figure, Plan, Section

SIDES: dict[str, Callable[[Sequence[Array]], Side]] = {
    "adamas": adamas_side,
    "torch fused": lambda grads: torch_side(grads, fused=True),
    "torch foreach": lambda grads: torch_side(grads, foreach=True),
    "torch default": torch_side,
    "optax jitted, donated": optax_side,
    "NumPy tutorial": numpy_side,
}
STEPS = 3


def measure(name: str, size: int) -> dict[str, float | None]:
    """MiB at the peak of a step beyond what is held between steps: of the process, and of NumPy."""
    grads = gradients([size])
    side = SIDES[name](grads) if name in SIDES else ENTRIES[name].make(Given(grads))
    for _ in range(STEPS):
        side.step()
    held = _reset_peak()
    for _ in range(STEPS):
        side.step()
    process = None if held is None else (memory("VmHWM", "self/status") - held) / MIB
    tracemalloc.start()
    # Once more before the reading: what tracemalloc did not see made must not count as given back.
    for _ in range(STEPS):
        side.step()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    side.step()
    return {"process": process, "numpy": (tracemalloc.get_traced_memory()[1] - before) / MIB}


def _reset_peak() -> float | None:
    """Set the high-water mark to what is held now, and return that; None where it cannot be."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return memory("VmRSS", "self/status")


def transient(plan: Plan) -> Section:
    """The memory that one step needs for a moment."""
    found = {name: in_process(name, plan.size) for name in SIDES}
    cases = [
        Case(
            title,
            {name: [value] for name, each in found.items() if (value := each[key]) is not None},
            0,
            "MiB",
        )
        for title, key in (("peak of the process", "process"), ("peak in tracemalloc", "numpy"))
    ]
    cases = [case for case in cases if case.samples]
    return Section(
        "Memory of a step",
        f"What one step takes and gives back, {plan.size:,} parameters "
        f"({4 * plan.size / MIB:,.0f} MiB), each side in its own process, after three steps. "
        "tracemalloc sees Python and NumPy only.",
        cases,
        [Figure(f"adamas, {case.title}", case.median("adamas"), "MiB") for case in cases],
    )


def in_process(name: str, size: int) -> dict[str, float | None]:
    """What `measure` finds in a process of its own."""
    # glibc keeps blocks of up to 32 MiB for later, which would hide that they were needed.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.transient", name, str(size)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": str(1 << 16)},
    )
    found: dict[str, float | None] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
