"""The results for papers: every run as CSV, the table as LaTeX, the pictures as files."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from adamas.lab.page.svg import Picture
from adamas.lab.protocol.results_types import IntervalTree, Results, Series
from adamas.lab.report import drawing, pictures
from adamas.lab.report.insight import pictures as inner
from adamas.lab.report.numbers import decimals_of, settings_told
from adamas.lab.report.subject import Subject, subject
from adamas.lab.text import Say

NONE_LATEX = "--"
LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "<": r"\textless{}", ">": r"\textgreater{}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"
}  # fmt: skip


class RunRow(TypedDict):
    """One run on a report seed ("tuned" or "default"), or one point of the search.

    A point of the search (`kind` is its stage) is a mean over `runs` seeds. `loss` is None where
    runs failed, `diverged` counts them. `lowest` is the lowest loss of a tuned run, first reached
    at `lowest_step`. `settings` are the hyper-parameters that a search chose besides lr; after one,
    kinds are also "alone" (the rate alone) and "without" and a name.
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
    settings: str


NOTHING: Mapping[str, float | str] = {}
FIELDS = tuple(RunRow.__annotations__)


def to_csv(results: Results) -> str:
    """Return every judged run and every tuning point as CSV, one a line, lines ended by CR LF.

    `kind` is "tuned" or "default" for the runs on the report seeds, and the stage of the search for
    the points, which are means over `runs` seeds. An empty loss is a diverged run; see `RunRow`.
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
        found += run_rows(about, name) + worth_rows(about, name)
        found += [
            point_row(point["stage"], about.called(name), point["lr"], point)
            for point in about.rows[name]["points"]
        ]
    return found


def point_row(kind: str, name: str, lr: float, point: Mapping[str, Any]) -> RunRow:
    """Return the row of a point of a search."""
    return {"kind": kind, "optimizer": name, "lr": lr, "seed": None, "runs": point["runs"],
            "loss": point["score"], "diverged": point["diverged"], "steps_to_target": None,
            "lowest": None, "lowest_step": None,
            "settings": settings_told(point.get("settings", {}))}  # fmt: skip


def run_rows(about: Subject, name: str) -> list[RunRow]:
    """Return the judged runs of one optimizer, tuned and untuned."""
    row, none = about.rows[name], [NOTHING] * about.seeds
    best = about.results["best"]["optimizers"][name]
    drawn = row["worth"]["drawn"] if "worth" in row else none
    tuned = judged_rows(about, name, "tuned", row["finals"], row["lrs"], drawn)
    for place, one in enumerate(tuned):
        one["steps_to_target"] = row["target"]["steps"][place]
        one["lowest"], one["lowest_step"] = best["losses"][place], best["steps"][place]
    untuned = row["default"]
    rates = [untuned["lr"]] * about.seeds
    return tuned + judged_rows(about, name, "default", untuned["finals"], rates, none)


def worth_rows(about: Subject, name: str) -> list[RunRow]:
    """Return the runs that tell what tuning was worth, and the settings that were tried."""
    row = about.rows[name]
    if "worth" not in row:
        return []
    worth, none = row["worth"], [NOTHING] * about.seeds
    alone = worth["alone"]
    found = judged_rows(about, name, "alone", alone["finals"], alone["lrs"], none)
    for part in worth["parts"]:
        left = [{key: value for key, value in one.items() if key != part["name"]}
                for one in worth["drawn"]]  # fmt: skip
        kind = f"without {part['name']}"
        found += judged_rows(about, name, kind, part["finals"], row["lrs"], left)
    return found + [
        point_row(f"search {one['stage']}", about.called(name), one["lr"], one)
        for one in worth["candidates"]
    ]


def judged_rows(
    about: Subject, name: str, kind: str, losses: Series, lrs: Sequence[float],
    settings: Sequence[Mapping[str, float | str]],
) -> list[RunRow]:  # fmt: skip
    """Return the rows of one run on each report seed."""
    return [
        {"kind": kind, "optimizer": about.called(name), "lr": lr, "seed": seed, "runs": 1,
         "loss": loss, "diverged": int(loss is None), "steps_to_target": None,
         "lowest": None, "lowest_step": None, "settings": settings_told(chosen)}
        for seed, loss, lr, chosen in zip(about.judging, losses, lrs, settings, strict=True)
    ]  # fmt: skip


def to_latex(results: Results) -> str:
    """Return the table of results for a paper; it needs the packages booktabs and amsmath."""
    about = subject(results, None, Say("en"))
    references = [one for one in about.references if about.compared(one)]
    more = ["Besides lr"] * ("search" in about.plan)
    head = ["Optimizer", "lr", *more, "Final loss [95\\,\\%]"]
    for reference in references:
        head += [f"vs.\\ {escaped(about.name(reference))} (\\%)", "Verdict"]
    title = escaped(about.words(about.problem["title"]))
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        f"\\caption{{{title}: mean final validation loss over {about.seeds} fresh "
        f"seed{'s' * (about.seeds != 1)}, each "
        f"optimizer tuned alike; paired differences with {level(about)} intervals, "
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


def level(about: Subject) -> str:
    """Return the level of the intervals of differences; after looks, that of the last one."""
    looks = about.results.get("looks")
    if not looks:
        return r"95\,\%"
    made = ", ".join(str(look["seeds"]) for look in looks)
    return rf"{100 * (1 - looks[-1]['spent']):.4g}\,\% (95\,\% over all looks, after {made} seeds)"


def latex_row(about: Subject, name: str, references: Sequence[str]) -> list[str]:
    """Return the cells of one optimizer."""
    row = about.rows[name]
    cells = [escaped(about.name(name)), f"{row['lr']:.3g}"]
    if "worth" in row:
        cells.append(escaped(settings_told(row["worth"]["settings"])) or NONE_LATEX)
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
