"""One table through the command that a user would type, and what came of it."""

import io
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from adamas.cli import main
from adamas.lab.constants import INTERRUPTED
from benchmarks.real_tables.cells import Cells
from benchmarks.real_tables.listed import Table
from benchmarks.real_tables.outcomes import CRASH, Column, Outcome
from benchmarks.real_tables.readings import kinds, second, task
from benchmarks.real_tables.recomputed import again

LARGEST_PAGE = 600_000
UNBEATEN = "No optimizer is shown to be better than a blind answer"
TWO = ("--optimizer", "sgd", "--optimizer", "adam")
SENTENCE = re.compile(r"(?<=\.) |(?<=。)")
HEADS = {"en": ("read as", "missing", "otherwise"), "zh": ("读作", "缺失", "另外")}
PLAIN, NONE = ("number", "数字"), "–"
LEFT_OUT = "asked"  # the use of a column that --drop names
PAGES = {"en": "report.html", "zh": "report.zh.html"}


def carried_out(table: Table, path: Path, out: Path, quick: bool) -> Outcome:
    """Compare on one table, and read its page and results."""
    began = time.perf_counter()
    how = ["--quick", *(TWO if quick else ())]
    status, sentence = command(table, path, out, how)
    seconds = time.perf_counter() - began
    if status:
        _, chinese = command(table, path, out, [*how, "--lang", "zh"])
        return Outcome(seconds, refusal=sentence, refusal_zh=chinese)
    return told(table, path, out, seconds)


def command(table: Table, path: Path, out: Path, how: list[str]) -> tuple[int, str]:
    """Run `adamas compare` on a table; return its exit status, and the last line that it said.

    It runs in this process, which has loaded already what takes a new one as long as a comparison.
    """
    target = [] if table.target is None else ["--target", table.target]
    words = ["compare", str(path), *target, *table.options, "--workers", "1", "--lang", "en"]
    said = io.StringIO()
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(said):
            status = main([*words, "--out", str(out), *how])
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except Exception as error:
        return 1, f"{CRASH} {error!r}"
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    lines = said.getvalue().strip().splitlines() or [f"exit {status}"]
    return status, re.sub("^adamas compare(: |：)", "", lines[-1])


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
    beside = results["baselines"]
    outcome.baselines = {name: one["interval"]["mean"] for name, one in beside.items()}
    outcome.no_better = "better" not in beside["blind"]["words"].values()
    if table.recomputed:
        blind = beside["blind"]["finals"][0]
        outcome.again = again(table, path, frame, outcome.task, blind, cells["en"])
    outcome.faults = [f"the page shows {word!r}" for word in sorted(cells["en"].hollow())]
    if outcome.no_better and not cells["en"].says(UNBEATEN):
        outcome.faults.append("the page does not say that the blind answer is not beaten")
    if (size := len(pages["en"].encode())) > LARGEST_PAGE:
        outcome.faults.append(f"the page has {size:,} bytes")
    return outcome


def aim(problem: Mapping[str, Any]) -> str:
    """Return what the lab makes of the target."""
    return "classes" if problem["kind"] == "classification" else "numbers"


def compared(
    table: Table, frame: Any, problem: Mapping[str, Any], cells: Mapping[str, Cells]
) -> Iterator[Column]:
    """Yield each column that both read, and how; the target by what is done with it unasked."""
    ours = {one["name"]: one for one in problem["columns"]}
    names = [" ".join(str(name).split()) for name in frame.columns]
    if len(ours) != len(names):
        raise ValueError(f"{table.name}: {len(ours)} columns here, {len(names)} in pandas")
    for place, (name, theirs) in enumerate(zip(names, kinds(frame), strict=True)):
        called = name if name in ours else f"column{place + 1}"
        kind, use = ours[called]["kind"], ours[called]["fate"]
        if use == LEFT_OUT or (use == "target" and "--task" in table.options):
            continue
        if use == "target":
            kind, theirs = aim(problem), task(frame, place)
        why = {key: reason(called, use, problem, cells[key], key) for key in PAGES}
        yield Column(called, kind, theirs, why["en"], why["zh"])


def reason(name: str, use: str, problem: Mapping[str, Any], cells: Cells, language: str) -> str:
    """Return what a page says of a column, where it is not plainly numbers."""
    heads = HEADS[language]
    row = cells.about(name, heads[0])
    if use != "target":
        return of_row(row, heads)
    notes = of_target(name, problem["notes"][language], cells)
    return " · ".join(filter(None, [of_row({**row, heads[2]: ""}, heads), notes]))


def of_target(name: str, notes: str, cells: Cells) -> str:
    """Return the notes on a page that begin with the target's name."""
    found = (text.strip() for text in SENTENCE.split(notes))
    return " ".join(text for text in found if text.startswith(f"{name} ") and cells.says(text))


def of_row(row: Mapping[str, str], heads: tuple[str, str, str]) -> str:
    """Return what the page's table of columns says of one that is not plainly numbers."""
    kind, missing, otherwise = (row.get(head, "") for head in heads)
    found = [kind] if kind not in PLAIN else []
    found += [f"{heads[1]} {missing}"] if missing not in ("", NONE) else []
    return " · ".join([*found, *[otherwise] * bool(otherwise)])
