"""The page of results, made from the JSON files alone: no number in it is typed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from adamas.bench import timing
from adamas.bench.run import number
from adamas.bench.timing import IDLE, Machine
from benchmarks.bars import bar, barred
from benchmarks.race import PLACEMENTS, Race, interval
from benchmarks.record import Figure

Records = Mapping[str, Mapping[str, Any]]
HEAD = """# Results

Made by `python -m benchmarks` from the files in `results/`, one for each kind of processor; edits
here are lost. adamas runs with its default settings wherever a side does not say otherwise.

**Memory.** On a virtual machine whose memory the host backs in pieces, one kernel took 10 or 20 ms
on arrays of one size, depending on which memory it was given. Sides that a bar compares therefore
step the very same arrays as far as their formats allow, and where they do not, all is allocated
anew {placements} times and the rounds are divided among these placements; each section says which.

**Ratios** are taken in pairs: in every round the two sides run one after the other in one process,
each first in every other round, and each after {pause:.0f} ms of busy waiting, because the OpenMP
workers of torch go on spinning for some milliseconds after each call and would slow down whoever is
next. Every round gives one ratio; what is shown is the median of the rounds, and in
brackets an interval that holds the true median with a confidence of 95 % (order statistics; of
fewer than six rounds the range; rounds of one placement resemble each other more than those of two,
and the interval does not know). So a memory that other machines use too, and slows down for
seconds, changes both sides of a ratio alike. Every side stepped at least twice before.

**Times** are the median, then the minimum in brackets, over all rounds and pairs of a side; large
arrays also show nanoseconds per parameter. Where no pair was run, as in all older files, the ratio
of medians to the first side follows, and a figure without an interval is such a ratio, or none.
Read the ratios: the times belong to one machine and one day.
"""


def render(records: Records) -> str:
    """The whole page; `records` are the contents of the JSON files by machine word."""
    parts = [
        HEAD.format(pause=1e3 * timing.PAUSE, placements=PLACEMENTS),
        "## Processors",
        processors(records),
        "## Figures",
        figures(records),
    ]
    for key in keys(records):
        here = {word: each for word, each in records.items() if key in each["sections"]}
        parts.append(f"## {newest(here, key)['title']}")
        for word, record in here.items():
            parts += [f"### {word}", section(record["sections"][key])]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def label(record: Mapping[str, Any]) -> str:
    """What readers call this kind of processor."""
    name = re.sub(r"\((R|TM)\)|@.*|\bCPU\b|\bProcessor\b", " ", record["machine"]["cpu"])
    kind = record.get("processor")
    return " ".join([*name.split(), *([f"({kind})"] if kind else [])])


def processors(records: Records) -> str:
    """What was measured on: a paragraph for each kind, and what must be known of its figures."""
    lines = []
    for word, each in records.items():
        remark = f" **{each['remark']}**" if each.get("remark") else ""
        lines.append(f"- `{word}`, {label(each)}: {Machine(**each['machine'])}.{remark}")
    return "\n".join(lines)


def keys(records: Records) -> list[str]:
    """The sections that any kind has, in the order of the file with most of them."""
    by_size = sorted(records.values(), key=lambda each: -len(each["sections"]))
    return list(dict.fromkeys(key for each in by_size for key in each["sections"]))


def newest(records: Records, key: str) -> Mapping[str, Any]:
    """A section as it was measured last."""
    found: list[Mapping[str, Any]] = [each["sections"][key] for each in records.values()]
    return max(found, key=lambda saved: str(saved["date"]))


def figures(records: Records) -> str:
    """Every figure with its bar, a row for each and a column for each kind of processor."""
    heads = "".join(f" {label(each)} |" for each in records.values())
    lines = [f"| what |{heads}", "|---|" + "---|" * len(records)]
    for key in keys(records):
        columns = {word: _by_name(each, key) for word, each in records.items()}
        # A bar that nobody measured is a row too, an empty one.
        known = [what for column in columns.values() for what in column] + barred(key)
        for what in dict.fromkeys(known):
            cells = "".join(
                f" {judged(columns[word].get(what), key, each['machine']['cpu'])} |"
                for word, each in records.items()
            )
            here = {word: each for word, each in records.items() if key in each["sections"]}
            lines.append(f"| {newest(here, key)['title']}: {what} |{cells}")
    return "\n".join(lines)


def _by_name(record: Mapping[str, Any], key: str) -> dict[str, Figure]:
    saved = record["sections"].get(key, {"figures": []})["figures"]
    return {each["what"]: figure(each) for each in saved}


def figure(saved: Mapping[str, Any]) -> Figure:
    """A figure as the file has it; older files hold bars too, which are those of their day."""
    known = ("what", "value", "unit", "low", "high")
    return Figure(**{name: saved[name] for name in known if name in saved})


def judged(found: Figure | None, key: str, cpu: str) -> str:
    """A figure, its interval, and whether it keeps to its bar on this processor."""
    if found is None:
        return ""
    paired = found.low is not None and found.high is not None
    text = f"{(precise if paired else number)(found.value)} {found.unit}".strip()
    if found.low is not None and found.high is not None:
        text += f" {bounds(found.low, found.high)}"
    limit = bar(key, found.what)
    if limit is not None:
        text += f"; {limit.verdict(found.value, cpu)}".replace("missed", "**missed**")
    return text


def section(saved: Mapping[str, Any]) -> str:
    """One section of one processor: its note, when it ran, its ratios and its times."""
    cases = [Race(**case) for case in saved["cases"]]
    # What has a side in common belongs beside each other.
    alike = cases and set.intersection(*(set(case.samples) for case in cases))
    groups = [cases] if alike else [[case] for case in cases]
    tables = [text for group in groups for text in (ratios(group), table(group)) if text]
    when = f"{saved['date']}, load average {saved['load'][0]:.2f} at the start"
    if saved["others"] is not None:
        when += f", other programs used {saved['others']:.0%} of the processors"
        when += " **(not idle)**" if saved["others"] > IDLE else ""
    return "\n\n".join([saved["note"], f"{rounds(cases)}{when}.", *tables])


def rounds(cases: Iterable[Race]) -> str:
    """How many there were, counted in the samples; nothing where each side was measured once."""
    every = (len(each) for case in cases for each in (case.ratios or case.samples).values())
    counts = sorted({count for count in every if count > 1}, reverse=True)
    return f"{' and '.join(map(str, counts))} rounds; " if counts else ""


def ratios(cases: Iterable[Race]) -> str:
    """Pairs down, cases across: medians of the rounds' ratios, and intervals; empty if none ran."""
    raced = [case for case in cases if case.ratios]
    if not raced:
        return ""
    lines = ["| ratio |" + "".join(f" {case.title} |" for case in raced)]
    lines.append("|---|" + "---:|" * len(raced))
    for pair in dict.fromkeys(pair for case in raced for pair in case.ratios):
        found = (case.ratios.get(pair) for case in raced)
        lines.append(f"| {pair} |" + "".join(f" {spread(each)} |" for each in found))
    return "\n".join(lines)


def spread(found: Sequence[float] | None) -> str:
    """The median of ratios and its interval; empty for a pair that was not run."""
    return f"{precise(median(found))} {bounds(*interval(found))}" if found else ""


def bounds(low: float, high: float) -> str:
    """An interval in brackets."""
    return f"({precise(low)} to {precise(high)})"


def precise(ratio: float) -> str:
    """A ratio to a thousandth where it is small enough for that to matter."""
    return f"{ratio:.3f}" if ratio < 10 else number(ratio)


def table(cases: list[Race]) -> str:
    """Sides down, cases across."""
    head = "".join(f" {case.title} [{case.scale()[0]}] |" for case in cases)
    sides = dict.fromkeys(side for case in cases for side in case.samples)
    lines = [f"| |{head}", "|---|" + "---:|" * len(cases)]
    for side in sides:
        lines.append(f"| {side} |" + "".join(f" {cell(case, side)} |" for case in cases))
    return "\n".join(lines)


def cell(case: Race, side: str) -> str:
    """Median, minimum, and the ratio to the first side; empty for a side that was left out."""
    if side not in case.samples:
        return ""
    factor, samples = case.scale()[1], case.samples[side]
    text = number(factor * case.median(side))
    if len(samples) > 1:
        text += f" ({number(factor * min(samples))})"
    if case.elements >= 1 << 20:
        text += f", {number(1e9 * case.median(side) / case.elements)} ns"
    first = next(iter(case.samples))
    if side != first and case.unit == "s" and not case.ratios:
        text += f", {number(case.median(side) / case.median(first))}x"
    return text
