"""How the runs went: losses over the updates, and what another learning rate would have cost."""

import html

from adamas.lab.page.elements import details, drawn, paragraph, section, small, swatch, table
from adamas.lab.page.svg import inline
from adamas.lab.report import pictures
from adamas.lab.report.numbers import NONE, learning_rate, measured, share, whole
from adamas.lab.report.subject import Subject, Tree, at, known, listed


def curves(subject: Subject) -> str:
    """Return mean validation losses together, then each optimizer by itself with its training."""
    say = subject.say
    return section(
        "curves",
        say("curves_title"),
        paragraph(say("curves_text", seeds=subject.seeds)),
        drawn(pictures.curves(subject), say("fig_curves"), say("fig_curves_note")),
        panels(subject),
    )


def panels(subject: Subject) -> str:
    """Return a small picture for each optimizer under one caption."""
    say = subject.say
    best = min(subject.rows, key=subject.mean)
    cells = []
    for number, name in enumerate(subject.rows):
        svg = inline(pictures.panel(subject, number, name, best))
        look, title = subject.looks[name], html.escape(subject.name(name))
        cells.append(
            f'<div class="panel"><p aria-hidden="true">{swatch(look.key, look.short)}</p>\n'
            + svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
            + "</div>"
        )
    caption = (
        f'<figcaption id="caption-panels"><strong>{html.escape(say("fig_panels"))}</strong> '
        f"{html.escape(say('fig_panels_note', name=subject.name(best)))}</figcaption>"
    )
    inner = "\n".join(cells)
    return (
        f'<figure id="fig-panels" class="wide" aria-labelledby="caption-panels">\n'
        f'<div class="panels">\n{inner}\n</div>\n{caption}\n</figure>'
    )


def rates(subject: Subject) -> str:
    """Return the loss against the learning rate, the width of what works, and every point."""
    say = subject.say
    rows = [
        [
            subject.swatch(name),
            chosen(row),
            width(row.get("width")),
            span(row),
            learning_rate(at(row, "default", "lr")),
            whole(row.get("extended")),
            say("yes") if row.get("at_edge") else say("no"),
        ]
        for name, row in subject.rows.items()
    ]
    head = ("chosen", "width", "span", "default", "extended", "edge")
    part = share(at(subject.plan, "share"), say)
    return section(
        "rates",
        say("rates_title"),
        paragraph(say("rates_text", share=part)),
        drawn(pictures.sensitivity(subject), say("fig_rates"), say("fig_rates_note")),
        table(
            say("rates_caption"),
            [say("race_optimizer"), *(say(f"rates_{key}") for key in head)],
            rows,
        ),
        small(say("range_open")) if any(at(r, "width", "open_ended") for r in subject.rows.values())
        else "",
        details(say("rates_all"), points(subject)),
    )  # fmt: skip


def chosen(row: Tree) -> str:
    """Return the chosen learning rate, and from where to where the judging seeds had theirs."""
    lr, lrs = learning_rate(row.get("lr")), known(listed(row, "lrs"))
    ends = [learning_rate(end) for end in (min(lrs), max(lrs))] if lrs else [lr]
    return lr if set(ends) == {lr} else f'{lr} <span class="interval">[{", ".join(ends)}]</span>'


def width(found: Tree | None) -> str:
    """Return over how many decades the learning rate may move."""
    decades = at(found, "decades")
    sign = "≥ " if at(found, "open_ended") else ""
    return NONE if decades is None else f"{sign}{decades:.2f}"


def span(row: Tree) -> str:
    """Return the ends of that range."""
    low, high = at(row, "width", "low"), at(row, "width", "high")
    return NONE if low is None or high is None else f"{learning_rate(low)} – {learning_rate(high)}"


def points(subject: Subject) -> str:
    """Return the table of every learning rate that was tried."""
    say = subject.say
    rows = []
    for name, row in subject.rows.items():
        for point in filter(None, listed(row, "points")):
            score = point.get("score")
            stage = f"stage_{point.get('stage')}"
            rows.append(
                [
                    subject.swatch(name),
                    learning_rate(point.get("lr")),
                    html.escape(say.known(f"search_{stage}") or str(point.get("stage"))),
                    say("word_diverged") if score is None else measured(score),
                    whole(point.get("runs")),
                    whole(point.get("diverged")),
                ]
            )
    head = [say("race_optimizer"), say("points_lr"), say("points_stage"), say("points_score")]
    head += [say("points_runs"), say("points_diverged")]
    return table(say("points_caption"), head, rows)
