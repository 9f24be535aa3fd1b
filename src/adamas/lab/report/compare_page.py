"""The page of a comparison, from its results alone: the answer first, then what it rests on."""

from dataclasses import replace
from importlib.resources import files

from adamas.lab.page.svg import drawn
from adamas.lab.protocol.results_types import Results, Timing
from adamas.lab.report import (
    again,
    baseline_chapter,
    column_chapter,
    decided,
    insight,
    judged,
    pictures,
    record,
    result,
    stopped,
    training,
    verdict,
    worth,
)
from adamas.lab.report.judged import forest_note
from adamas.lab.report.subject import Subject, subject
from adamas.lab.text import Say
from adamas.pages.document import document
from adamas.pages.elements import figures

PAGE_NAME = "report.html"
# The first ones are open, `section`; from "curves" on they are folded, `fold`.
CHAPTERS = {
    "result": result.chapter,
    "columns": column_chapter.chapter,
    "baselines": baseline_chapter.chapter,
    "curves": training.curves,
    "differences": judged.differences,
    "worth": worth.chapter,
    "best": stopped.chapter,
    "rates": training.rates,
    "defaults": judged.defaults,
    "target": judged.target,
    "doctor": insight.doctor,
    "inside": insight.inside,
    "again": again.chapter,
    "plan": decided.chapter,
    "cost": record.cost,
    "runs": record.runs,
}


def render(results: Results, timing: Timing | None, say: Say, twin: str | None = None) -> str:
    """Return the report as one HTML file; the same results give the same bytes.

    `results` is the tree of `results.json` and `timing` that of `timing.json`; without it times are
    said to be missing. `twin` is the file that says the same in the other language.
    """
    about = subject(results, timing, say)
    bodies = {key: body for key, chapter in CHAPTERS.items() if (body := chapter(about))}
    names = [(key, say(f"nav_{key}")) for key in bodies]
    return document(
        title(about), opening(about), names, "\n".join(bodies.values()), say, twin, style=style()
    )


def style() -> str:
    """Return how reports differ from other pages: closer set, so that answers fit a screen."""
    return files("adamas.lab.page").joinpath("report.css").read_text(encoding="utf-8")


def opening(about: Subject) -> list[str]:
    """Return what the first screen shows: the answer, pictures of it, and what limits it."""
    *answer, items = verdict.opening(about)
    return [*answer, figures(*shown(about)), items]


def shown(about: Subject) -> list[str]:
    """Return the pictures of the answer: losses, and differences to the first reference."""
    say, reference = about.say, about.references[0]
    found = [drawn(pictures.loss_chart(about), say("fig_curves"), training.curves_note(about))]
    if about.compared(reference):
        differences = replace(pictures.forest(about, reference), key="answer")
        title = say("fig_forest", name=about.name(reference))
        found.append(drawn(differences, title, forest_note(about, reference)))
    return found


def title(about: Subject) -> str:
    """Return the heading: which problem this is about."""
    return about.say("report_title", title=about.words(about.problem["title"]))
