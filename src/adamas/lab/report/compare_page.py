"""The page of a comparison, from its results alone: the answer first, then what it rests on."""

from adamas.lab.protocol.results_types import Results, Timing
from adamas.lab.report import again, insight, judged, record, result, training, verdict
from adamas.lab.report.subject import Subject, subject
from adamas.lab.text import Say
from adamas.pages.document import document

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
    return document(title(about), verdict.opening(about), names, body, say, twin)


def title(about: Subject) -> str:
    """Return the heading: which problem this is about."""
    return about.say("report_title", title=about.words(about.problem["title"]))
