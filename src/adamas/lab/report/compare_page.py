"""The page of a comparison, from its results alone: the answer first, then what it rests on."""

from dataclasses import replace

from adamas.lab.page.svg import drawn
from adamas.lab.protocol.results_types import Results, Timing
from adamas.lab.report import again, insight, judged, pictures, record, result, training, verdict
from adamas.lab.report.judged import forest_note
from adamas.lab.report.subject import Subject, subject
from adamas.lab.text import Say
from adamas.pages.document import document
from adamas.pages.elements import beside

PAGE_NAME = "report.html"
CHAPTERS = {
    "result": result.chapter,
    "curves": training.curves,
    "rates": training.rates,
    "differences": judged.differences,
    "target": judged.target,
    "defaults": judged.defaults,
    "inside": insight.inside,
    "doctor": insight.doctor,
    "cost": record.cost,
    "runs": record.runs,
    "again": again.chapter,
}


def render(results: Results, timing: Timing | None, say: Say, twin: str | None = None) -> str:
    """Return the report as one HTML file; the same results give the same bytes.

    `results` is the tree of `results.json` and `timing` that of `timing.json`; without it times are
    said to be missing. `twin` is the file that says the same in the other language.
    """
    about = subject(results, timing, say)
    body = "\n".join(chapter(about) for chapter in CHAPTERS.values())
    names = [(key, say(f"nav_{key}")) for key in CHAPTERS]
    return document(title(about), opening(about), names, body, say, twin)


def opening(about: Subject) -> list[str]:
    """Return what the first screen shows: the answer, a picture of it, and what limits it."""
    *answer, items = verdict.opening(about)
    return [*answer, beside(picture(about), items, kind="opening")]


def picture(about: Subject) -> str:
    """Return the picture of the answer: differences to the first reference, else losses."""
    say, reference = about.say, about.references[0]
    if not about.compared(reference):
        losses = replace(pictures.loss_chart(about), key="answer")
        return drawn(losses, say("fig_curves"), say("fig_curves_note"))
    differences = replace(pictures.forest(about, reference), key="answer")
    name = about.name(reference)
    return drawn(differences, say("fig_forest", name=name), forest_note(about, reference))


def title(about: Subject) -> str:
    """Return the heading: which problem this is about."""
    return about.say("report_title", title=about.words(about.problem["title"]))
