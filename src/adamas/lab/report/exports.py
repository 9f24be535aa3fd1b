"""The results for papers: every run as CSV, the table as LaTeX, the pictures as files."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from adamas.lab.page.svg import Picture
from adamas.lab.protocol.results_types import IntervalTree, Results
from adamas.lab.report import drawing, pictures
from adamas.lab.report.insight import pictures as inner
from adamas.lab.report.numbers import decimals_of
from adamas.lab.report.subject import Subject, subject
from adamas.lab.text import Say

NONE_LATEX = "--"
LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "<": r"\textless{}", ">": r"\textgreater{}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"
}  # fmt: skip


class RunRow(TypedDict):
    """One run on a report seed ("tuned" or "default"), or one learning rate of the search.

    A point of the search (`kind` is its stage) is a mean over `runs` seeds. `loss` is None where
    runs failed, `diverged` counts them. `lowest` is the lowest loss of a tuned run, first reached
    at `lowest_step`.
    """

    kind: str
    optimizer: str
    lr: float
    seed: int | None
    runs: int
    loss: float | None
    diverged: int
    steps_to_target: float | None
    lowest: float | None
    lowest_step: int | None


FIELDS = tuple(RunRow.__annotations__)


def to_csv(results: Results) -> str:
    """Return every judged run and every tuning point as CSV, one a line, lines ended by CR LF.

    `kind` is "tuned" or "default" for the runs on the report seeds, and the stage of the search for
    the points, which are means over `runs` seeds. An empty loss is a diverged run.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS)
    writer.writeheader()
    writer.writerows(all_runs(subject(results, None, Say("en"))))
    return text.getvalue()


def all_runs(about: Subject) -> list[RunRow]:
    """Return the rows of the CSV file; a point has no seed."""
    found: list[RunRow] = []
    for name in about.rows:
        called = about.called(name)
        found += run_rows(about, name)
        found += [
            {"kind": point["stage"], "optimizer": called, "lr": point["lr"], "seed": None,
             "runs": point["runs"], "loss": point["score"],
             "diverged": point["diverged"], "steps_to_target": None,
             "lowest": None, "lowest_step": None}
            for point in about.rows[name]["points"]
        ]  # fmt: skip
    return found


def run_rows(about: Subject, name: str) -> list[RunRow]:
    """Return the judged runs of one optimizer, tuned and untuned."""
    called = about.called(name)
    row, best = about.rows[name], about.results["best"]["optimizers"][name]
    untuned = row["default"]
    found: list[RunRow] = []
    for place, seed in enumerate(about.judging):
        loss = row["finals"][place]
        found.append(
            {"kind": "tuned", "optimizer": called, "lr": row["lrs"][place], "seed": seed, "runs": 1,
             "loss": loss, "diverged": int(loss is None),
             "steps_to_target": row["target"]["steps"][place],
             "lowest": best["losses"][place], "lowest_step": best["steps"][place]}
        )  # fmt: skip
    for seed, loss in zip(about.judging, untuned["finals"], strict=True):
        found.append(
            {"kind": "default", "optimizer": called, "lr": untuned["lr"], "seed": seed, "runs": 1,
             "loss": loss, "diverged": int(loss is None), "steps_to_target": None,
             "lowest": None, "lowest_step": None}
        )  # fmt: skip
    return found


def to_latex(results: Results) -> str:
    """Return the table of results for a paper; it needs the packages booktabs and amsmath."""
    about = subject(results, None, Say("en"))
    references = [one for one in about.references if about.compared(one)]
    head = ["Optimizer", "lr", "Final loss [95\\,\\%]"]
    for reference in references:
        head += [f"vs.\\ {escaped(about.name(reference))} (\\%)", "Verdict"]
    title = escaped(about.words(about.problem["title"]))
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        f"\\caption{{{title}: mean final validation loss over {about.seeds} fresh seeds, each "
        "optimizer tuned alike; paired differences with 95\\,\\% intervals, "
        "verdicts after Holm's correction.}",
        f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule",
        *(" & ".join(latex_row(about, name, references)) + r" \\" for name in about.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def latex_row(about: Subject, name: str, references: Sequence[str]) -> list[str]:
    """Return the cells of one optimizer."""
    row = about.rows[name]
    cells = [escaped(about.name(name)), f"{row['lr']:.3g}"]
    cells.append(latex_interval(row["interval"]))
    for reference in references:
        found = {one["optimizer"]: one for one in about.compared(reference)}.get(name)
        if found is None:
            cells += [NONE_LATEX, "reference"]
            continue
        shown = about.say(f"word_{found['word']}")
        cells += [latex_interval(found["percent"], 1, "+"), escaped(shown)]
    return cells


def latex_interval(interval: IntervalTree, places: int | None = None, sign: str = "") -> str:
    """Return "mean [low, high]" in mathematics."""
    mean, low, high = interval["mean"], interval["low"], interval["high"]
    if mean is None:
        return NONE_LATEX
    places = decimals_of(interval) if places is None else places
    if low is None or high is None:
        return f"${mean:{sign}.{places}f}$"
    return f"${mean:{sign}.{places}f}$ [${low:{sign}.{places}f}$, ${high:{sign}.{places}f}$]"


def escaped(text: str) -> str:
    r"""Return text with LaTeX's own signs escaped.

    >>> escaped("mine.py:my_rule")
    'mine.py:my\\_rule'
    """
    return "".join(LATEX.get(char, char) for char in text)


def export_figures(
    results: Results,
    directory: Path,
    formats: Sequence[str] = ("png", "svg"),
    say: Say | None = None,
) -> list[Path]:
    """Draw every picture of the report into files of `directory`, and return their paths.

    `formats` are those of matplotlib, such as png, svg and pdf. The words are English, or those of
    `say` if a font for them is installed. Raises `OSError` when the directory cannot be written.
    """
    about = subject(results, None, drawing.readable(say or Say("en")))
    directory.mkdir(parents=True, exist_ok=True)
    shown = all_pictures(about)
    return [drawing.save(one, directory, suffix) for one in shown for suffix in formats]


def all_pictures(about: Subject) -> list[Picture]:
    """Return the pictures of the page, in its order."""
    judged = [pictures.forest(about, one) for one in about.references if about.compared(one)]
    found = [pictures.loss_chart(about), pictures.sensitivity(about), *judged]
    found += [pictures.defaults(about), pictures.best_of(about)]
    return found + [picture for _, picture in inner(about) if picture is not None]
