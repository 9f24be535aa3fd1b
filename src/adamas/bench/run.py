"""`adamas bench`: how long a step of AdamW takes on this computer, beside what is installed here.

The short form of the full comparison, which is the package `benchmarks` of the source tree.
"""

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from adamas.bench.peers import (
    Array,
    adamas_side,
    few_bit_peers,
    gradients,
    installed_peers,
    limit_side,
    numpy_side,
)
from adamas.bench.timing import IDLE, PAUSE, Case, Others, Side, machine, memory, take_turns

__all__ = ["run"]

QUICK, THOROUGH = 7, 15  # rounds
MEMORY_BOUND = 1 << 16  # parameters; below, a step is all calls and no traffic
# Float32 arrays of every side's own, the gradients, what NumPy's temporaries take at their worst,
# and the sides in few bits: parameter, gradient and state of ours, and three peers' temporaries.
ARRAYS = 5 * 4 + 5 + 3 * 2 + 3 * 8
FEW = ("bfloat16", "int8", "int4")
FEWER = 3  # rounds of other libraries' few-bit sides, by themselves: they take 25 times as long


def run(*, size: int, out: Path | None, quick: bool) -> int:
    """Time AdamW on one array of `size` float32 parameters, on many small ones and on a tiny one.

    Prints medians, minima and ratios; writes every sample to the JSON file `out` if one is named.
    The first also in few bits, with bytes of state a parameter. `quick` takes 7 rounds instead of
    15 and leaves out the other two comparisons and few-bit state of other libraries. Returns the
    exit code: 0, or 1 with a message where `size` does not fit into memory or `out` cannot be
    written.
    """
    problem = _refusal(size, out)
    if problem:
        print(f"adamas bench: {problem}", file=sys.stderr)
        return 1
    rounds = QUICK if quick else THOROUGH
    shapes = {f"one array of {size:,}": [size]}
    if not quick:
        shapes |= {"300 arrays of 4,096": [4096] * 300, "one array of 10": [10]}
    others = Others()
    records: list[dict[str, object]] = []
    for title, sizes in shapes.items():
        few = len(records) == 0
        case, state = race(title, sizes, rounds, few=few, slow=few and not quick)
        print(table(case, state), flush=True)
        records.append({**asdict(case), "state": state})
    here, share = machine(), others.share()
    print(f"Medians of {rounds} rounds in which the sides take turns, {PAUSE * 1e3:.0f} ms apart.")
    print(here)
    if share is not None and share > IDLE:
        print(
            f"warning: other programs used {share:.0%} of the processors meanwhile; "
            "close them and run again for figures to trust",
            file=sys.stderr,
        )
    if out is not None:
        record = {"machine": asdict(here), "others": share, "cases": records}
        out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def _refusal(size: int, out: Path | None) -> str:
    """Why nothing can be measured; empty if it can."""
    if size < 1:
        return f"{size} is not a number of parameters; give 1 or more"
    need, free = 4 * size * ARRAYS, memory("MemAvailable")
    if 0 < free < need:
        return (
            f"{size:,} parameters need {need / 2**30:.1f} GiB and {free / 2**30:.1f} are free; "
            f"give a --size of at most {free / 4 / ARRAYS / 2**20:.0f} Mi"
        )
    if out is not None and not out.parent.is_dir():
        return f"cannot write {out}: the directory {out.parent} does not exist; make it first"
    if out is not None and (
        out.is_dir() or not os.access(out if out.exists() else out.parent, os.W_OK)
    ):
        return f"cannot write {out}: it is a directory or protected; name another file"
    return ""


def race(
    title: str, sizes: Sequence[int], rounds: int, *, few: bool = False, slow: bool = False
) -> tuple[Case, dict[str, float]]:
    """Time adamas, the memory limit, NumPy and every installed peer on arrays of these sizes.

    With `few` also the state in few bits; with `slow` other libraries' too, which takes longer than
    all the rest. Returns the times, and the bytes of state a parameter of every side.
    """
    grads = gradients(sizes)
    sides = {"adamas": adamas_side(grads)}
    if few:
        sides |= {f"adamas {state}": adamas_side(grads, state=state) for state in FEW}
    if sum(sizes) > MEMORY_BOUND:
        sides["memory limit"] = limit_side(grads)
    sides |= {**installed_peers(grads), "NumPy tutorial": numpy_side(grads)}
    samples = take_turns(sides, rounds)
    if slow:
        others = _slow(grads)
        samples |= take_turns(others, FEWER) if others else {}
        sides |= others
    case = Case(title, samples, sum(sizes))
    return case, {name: side.held() / sum(sizes) for name, side in sides.items()}


def _slow(grads: Sequence[Array]) -> dict[str, Side]:
    found, missing = few_bit_peers(grads)
    for line in missing:
        print(f"left out: {line}")
    return found


def table(case: Case, state: Mapping[str, float]) -> str:
    """The medians, minima and ratios of a case as lines of text, and bytes of state a parameter."""
    unit, factor = case.scale()
    first = next(iter(case.samples))
    lines = [
        f"\nAdamW, float32, {case.title}",
        f"  {unit + ' a step':<20}   median      min    ratio  state",
    ]
    for side, samples in case.samples.items():
        middle, least = (number(factor * x) for x in (case.median(side), min(samples)))
        ratio, held = f"{case.ratio(side, first):.2f}x", f"{number(state[side])} B"
        lines.append(f"  {side:<20}{middle:>9}{least:>9}{ratio:>9}{held:>7}")
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """Three significant digits, never an exponent."""
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    digits = max(0, 3 - whole) if value else 0
    return f"{value:,.{digits}f}" if math.isfinite(value) else str(value)
