"""One table through the command that a user would type, and what came of it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.real_tables.cells import Cells
from benchmarks.real_tables.listed import Table
from benchmarks.real_tables.outcomes import Column, Outcome
from benchmarks.real_tables.readings import kinds, second, task
from benchmarks.real_tables.recomputed import again

LARGEST_PAGE = 600_000
TWO = ("--optimizer", "sgd", "--optimizer", "adam")
SENTENCE = re.compile(r"(?<=\.) |(?<=。)")
LEFT_OUT = "asked"  # said of a column that --drop names
PAGES = {"en": "report.html", "zh": "report.zh.html"}


def carried_out(table: Table, path: Path, out: Path, quick: bool) -> Outcome:
    """Compare on one table in a process of its own, and read its page and results."""
    began = time.perf_counter()
    how = ["--quick", *(TWO if quick else ())]
    done = command(table, path, out, how)
    seconds = time.perf_counter() - began
    if done.returncode:
        chinese = command(table, path, out, [*how, "--lang", "zh"])
        return Outcome(seconds, refusal=said(done), refusal_zh=said(chinese))
    return told(table, path, out, seconds)


def command(
    table: Table, path: Path, out: Path, how: list[str]
) -> "subprocess.CompletedProcess[str]":
    """Run `adamas compare` on a table; a later option goes before an earlier one."""
    target = [] if table.target is None else ["--target", table.target]
    words = [sys.executable, "-m", "adamas", "compare", str(path), *target, *table.options]
    return subprocess.run(
        [*words, "--workers", "1", "--lang", "en", "--out", str(out), *how],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def said(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the sentence of a refusal, or the end of a traceback."""
    lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
    if any(line.startswith("Traceback") for line in lines):
        return f"CRASH {lines[-1]}"
    return re.sub("^adamas compare(: |：)", "", lines[-1])


def told(table: Table, path: Path, out: Path, seconds: float) -> Outcome:
    """Return what the results and the page say, beside a second reading of the file."""
    results = json.loads((out / "results.json").read_text("utf-8"))
    pages = {key: (out / name).read_text("utf-8") for key, name in PAGES.items()}
    cells = {key: Cells(page) for key, page in pages.items()}
    frame = second(table, path)
    outcome = Outcome(seconds, rows=len(frame))
    outcome.task = aim(results["problem"])
    outcome.columns = list(compared(table, frame, results["problem"], cells))
    outcome.verdict = {one["optimizer"]: one["word"] for one in results["comparisons"]}
    outcome.losses = {k: one["interval"]["mean"] for k, one in results["optimizers"].items()}
    outcome.baselines = baselines(results)
    if table.recomputed:
        outcome.again = again(table, path, frame, outcome, cells["en"])
    outcome.faults = [f"the page shows {word!r}" for word in sorted(cells["en"].hollow())]
    if (size := len(pages["en"].encode())) > LARGEST_PAGE:
        outcome.faults.append(f"the page has {size:,} bytes")
    return outcome


def aim(problem: Mapping[str, Any]) -> str:
    """Return what the lab makes of the target."""
    return "classes" if problem["kind"] == "classification" else "numbers"


def baselines(results: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the losses of what was not trained by an optimizer."""
    return dict(results.get("baselines") or {})


def compared(
    table: Table, frame: Any, problem: Mapping[str, Any], cells: Mapping[str, Cells]
) -> Iterator[Column]:
    """Yield each column that both read, and how; the target by what is done with it."""
    ours = {one["name"]: one for one in problem["columns"]}
    names = [" ".join(str(name).split()) for name in frame.columns]
    if len(ours) != len(names):
        raise ValueError(f"{table.name}: {len(ours)} columns here, {len(names)} in pandas")
    for place, (name, theirs) in enumerate(zip(names, kinds(frame), strict=True)):
        called = name if name in ours else f"column{place + 1}"
        kind = ours[called]["kind"]
        if ours[called]["fate"] == LEFT_OUT:
            continue
        if ours[called]["fate"] == "target":
            kind, theirs = aim(problem), task(frame, place)
        why = {key: reason(called, problem["notes"].get(key, ""), cells[key]) for key in PAGES}
        yield Column(called, kind, theirs, why["en"], why["zh"])


def reason(name: str, notes: str, cells: Cells) -> str:
    """Return what the page says of a column: its row of a table, and sentences with its name."""
    sentences = [text for text in SENTENCE.split(notes) if name in text]
    return " ".join([cells.about(name), *sentences]).strip()
