"""Memory of AdamW in few bits, as the system counts it: what a step takes, what the state holds."""

from collections.abc import Sequence

from adamas.bench.peers import FEW_BITS
from adamas.bench.timing import Case
from benchmarks import resident, transient
from benchmarks.few_bits import ENTRIES, FORMATS, INT8_16, TORCH, TORCH16, absent
from benchmarks.record import Figure, Plan, Section, size_of

PEAKS = (TORCH, *(f"adamas {state}" for state in FORMATS), TORCH16, INT8_16)


NOTE = (
    "The peak of a step is what it takes and gives back; resident is what the process has more "
    "after an optimizer was made and has stepped once, everything imported and compiled before. "
    "Every number is one process; peaks of the slow peers are measured on the smaller array."
)


def footprint(plan: Plan) -> Section:
    """Peak of a step, and resident memory of the state, each side in a process of its own."""
    # The peers in few bits are slow; their peak grows with the array.
    peak, slow = _peaks(plan.size, PEAKS), _peaks(plan.sizes[1], (TORCH, "adamas int8", *FEW_BITS))
    held = _resident(plan.size)
    missing = absent((*PEAKS, *FEW_BITS))
    for line in missing:
        print(f"  {line}")
    figures = [
        Figure(f"adamas int8, {case.title}", case.median("adamas int8"), "MiB")
        for case in (peak, slow)
        if "adamas int8" in case.samples
    ]
    figures += [
        Figure(f"{name}, resident", held.median(name), "B")
        for name in ("adamas bfloat16", "adamas int8", "adamas int4")
    ]
    return Section(
        "State in few bits: memory",
        " ".join([NOTE, *(f"{line}." for line in missing)]),
        [peak, slow, held],
        figures,
    )


def _peaks(size: int, names: Sequence[str]) -> Case:
    found = {
        name: transient.in_process(name, size)["process"] for name in names if ENTRIES[name].here
    }
    samples = {name: [value] for name, value in found.items() if value is not None}
    return Case(f"peak of a step, {size_of(size)}", samples, 0, "MiB")


def _resident(size: int) -> Case:
    here = [name for name in (TORCH, *resident.NAMES) if ENTRIES[name].here]
    samples = {name: [resident.in_process(name, size)] for name in dict.fromkeys(here)}
    return Case("resident", samples, 0, "B/parameter")
