"""The table of results, made from the JSON files alone: no number in it is typed."""

from collections.abc import Mapping
from typing import Any

from adamas.bench import number
from adamas.lab.timing import IDLE, PAUSE, Case, Machine
from benchmarks.record import Figure

HEAD = f"""# Results

Made by `python -m benchmarks` from the files in `results/`; edits here are lost.

Within a table all sides ran in one process and took turns, {PAUSE * 1e3:.0f} ms apart, because the
OpenMP workers of torch go on spinning for some milliseconds after each call and would slow down the
next side. Every side stepped at least twice before. A cell is the median, then the minimum in
brackets, then the ratio to the first side; large arrays also show nanoseconds per parameter. Read
the ratios: the milliseconds belong to this machine and this day.
"""


def render(records: Mapping[str, dict[str, Any]]) -> str:
    """The whole page; `records` are the contents of the JSON files by machine word."""
    parts = [HEAD]
    for word, record in records.items():
        sections = record["sections"]
        parts += [f"## {word}", str(Machine(**record["machine"])) + ".", verdicts(sections)]
        parts += [section(each) for each in sections.values()]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def verdicts(sections: Mapping[str, dict[str, Any]]) -> str:
    """Every figure with its bar, over all sections."""
    lines = ["| what | measured | bar | verdict |", "|---|---:|---:|---|"]
    for each in sections.values():
        for figure in (Figure(**saved) for saved in each["figures"]):
            value = f"{number(figure.value)} {figure.unit}".strip()
            verdict = figure.verdict.replace("missed", "**missed**")
            what = f"{each['title']}: {figure.what}"
            lines.append(f"| {what} | {value} | {figure.limit} | {verdict} |")
    return "\n".join(lines)


def section(saved: Mapping[str, Any]) -> str:
    """One section: its note, when it ran, and its cases."""
    cases = [Case(**case) for case in saved["cases"]]
    # What is compared to the same side belongs beside each other.
    same = len({next(iter(case.samples)) for case in cases}) == 1
    tables = [table(cases)] if same else [table([case]) for case in cases]
    when = f"{saved['date']}, load average {saved['load'][0]:.2f} at the start"
    if saved["others"] is not None:
        when += f", other programs used {saved['others']:.0%} of the processors"
        when += " **(not idle)**" if saved["others"] > IDLE else ""
    rounds = f"{saved['rounds']} rounds"
    return "\n\n".join([f"### {saved['title']}", saved["note"], f"{rounds}; {when}.", *tables])


def table(cases: list[Case]) -> str:
    """Sides down, cases across."""
    head = "".join(f" {case.title} [{case.scale()[0]}] |" for case in cases)
    sides = dict.fromkeys(side for case in cases for side in case.samples)
    lines = [f"| |{head}", "|---|" + "---:|" * len(cases)]
    for side in sides:
        lines.append(f"| {side} |" + "".join(f" {cell(case, side)} |" for case in cases))
    return "\n".join(lines)


def cell(case: Case, side: str) -> str:
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
    if side != first and case.unit == "s":
        text += f", {number(case.ratio(side, first))}x"
    return text
