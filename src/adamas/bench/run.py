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
    SENTENCES,
    Array,
    adamas_side,
    few_bit_peers,
    gradients,
    installed_peers,
    limit_side,
    numpy_side,
)
from adamas.bench.timing import IDLE, PAUSE, Case, Others, Side, machine, memory, take_turns
from adamas.pages.sentences import Both, Phrases, by_language, filled

__all__ = ["run"]

QUICK, THOROUGH = 7, 15  # rounds
MEMORY_BOUND = 1 << 16  # parameters; below, a step is all calls and no traffic
# Float32 arrays of every side's own, the gradients, what NumPy's temporaries take at their worst,
# and the sides in few bits: parameter, gradient and state of ours, and three peers' temporaries.
ARRAYS = 5 * 4 + 5 + 3 * 2 + 3 * 8
FEW = ("bfloat16", "int8", "int4")
FEWER = 3  # rounds of other libraries' few-bit sides, by themselves: they take 25 times as long


def run(*, size: int, out: Path | None, quick: bool, language: str = "en") -> int:
    """Time AdamW on one array of `size` float32 parameters, on many small ones and on a tiny one.

    Prints medians, minima and ratios; writes every sample to the JSON file `out` if one is named.
    The first also in few bits, with bytes of state a parameter. `quick` takes 7 rounds instead of
    15 and leaves out the other two comparisons and few-bit state of other libraries. `language` is
    "en" or "zh", and of what is printed only. Returns the
    exit code: 0, or 1 with a message where `size` does not fit into memory or `out` cannot be
    written.
    """
    say = Phrases(language, by_language(SENTENCES))
    problem = _refusal(size, out)
    if problem:
        print(f"adamas bench: {problem[language]}", file=sys.stderr)
        return 1
    rounds = QUICK if quick else THOROUGH
    shapes = [[size]] if quick else [[size], [4096] * 300, [10]]
    others = Others()
    records: list[dict[str, object]] = []
    for sizes in shapes:
        few, title = len(records) == 0, titled(sizes)
        case, state = race(title["en"], sizes, rounds, say, few=few, slow=few and not quick)
        print(table(case, state, title[language], say), flush=True)
        records.append({**asdict(case), "state": state})
    here, share = machine(), others.share()
    print(say("rounds", rounds=rounds, pause=PAUSE * 1e3))
    print(here)
    if share is not None and share > IDLE:
        print(say("others", share=share), file=sys.stderr)
    if out is not None:
        record = {"machine": asdict(here), "others": share, "cases": records}
        out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def titled(sizes: Sequence[int]) -> Both:
    """What arrays of these sizes are called, in every language."""
    key = "one_array" if len(sizes) == 1 else "many_arrays"
    return filled(SENTENCES[key], count=len(sizes), size=sizes[0])


def _refusal(size: int, out: Path | None) -> Both | None:
    """Why nothing can be measured; None if it can."""
    if size < 1:
        return filled(SENTENCES["few_parameters"], size=size)
    need, free = 4 * size * ARRAYS, memory("MemAvailable")
    if 0 < free < need:
        most = free / 4 / ARRAYS / 2**20
        given = {"need": need / 2**30, "free": free / 2**30, "most": most}
        return filled(SENTENCES["no_memory"], size=size, **given)
    if out is not None and not out.parent.is_dir():
        return filled(SENTENCES["no_directory"], out=out, parent=out.parent)
    if out is not None and (
        out.is_dir() or not os.access(out if out.exists() else out.parent, os.W_OK)
    ):
        return filled(SENTENCES["protected"], out=out)
    return None


def race(
    title: str,
    sizes: Sequence[int],
    rounds: int,
    say: Phrases,
    *,
    few: bool = False,
    slow: bool = False,
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
        others = _slow(grads, say)
        samples |= take_turns(others, FEWER) if others else {}
        sides |= others
    case = Case(title, samples, sum(sizes))
    return case, {name: side.held() / sum(sizes) for name, side in sides.items()}


def _slow(grads: Sequence[Array], say: Phrases) -> dict[str, Side]:
    found, missing = few_bit_peers(grads)
    for line in missing:
        print(say("left_out", line=line[say.language]))
    return found


def table(case: Case, state: Mapping[str, float], title: str, say: Phrases) -> str:
    """The medians, minima and ratios of a case as lines of text, and bytes of state a parameter."""
    unit, factor = case.scale()
    first = next(iter(case.samples))
    lines = ["\n" + say("title", title=title), say("head", unit=say("unit", unit=unit))]
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
