"""The page of a check: one HTML file in each language, which loads nothing."""

from adamas.check.report import Report
from adamas.check.text import Say
from adamas.check.told import Chapter, answer, chapters, said_versions
from adamas.pages.document import document
from adamas.pages.elements import facts, markup, section, small, source


def page(report: Report, say: Say, twin: str | None = None) -> str:
    """The whole page; `twin` is the file beside it in the other language."""
    found = chapters(report, say)
    lead = [f'<p class="answer">{markup(answer(report, say))}</p>']
    lead.append(small(say("page.note")))
    lead.append(small(say("versions", versions=said_versions(report))))
    body = "\n".join(_section(chapter, say) for chapter in found)
    titles = [(one.key, say(f"chapter.{one.key}")) for one in found]
    return document(say("title", name=report.name), lead, titles, body, say, twin)


def _section(chapter: Chapter, say: Say) -> str:
    parts = [facts([(label, markup(value)) for label, value in chapter.pairs])]
    if chapter.source:
        parts.append(source(chapter.source))
    return section(chapter.key, say(f"chapter.{chapter.key}"), *parts)
