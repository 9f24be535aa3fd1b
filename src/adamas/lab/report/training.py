"""How the runs went: losses over the updates, and what another learning rate would have cost."""

import html

from adamas.lab.page.svg import drawn, inline
from adamas.lab.protocol.results_types import OptimizerTree, WidthTree
from adamas.lab.report import pictures
from adamas.lab.report.numbers import NONE, learning_rate, measured, share, whole
from adamas.lab.report.subject import Subject, rate_alone
from adamas.pages.elements import details, fold, paragraph, small, swatch, table


def curves(subject: Subject) -> str:
    """Return the losses of each optimizer by itself, with its training."""
    say = subject.say
    return fold(
        "curves", say("curves_title"), paragraph(say("curves_text", seeds=subject.seeds)),
        panels(subject),
    )  # fmt: skip


def curves_note(subject: Subject) -> str:
    """Return how the picture of all losses is read."""
    say = subject.say
    parts = [say("fig_means_note", seeds=subject.seeds), say("fig_curves_note")]
    if any(set(row["ends"]) - {"trained"} for row in subject.rows.values()):
        parts.append(say("fig_ends_note"))
    return say("sentence_gap").join(parts)


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
            lr_cell(row),
            width(row["width"]),
            span(row["width"]),
            learning_rate(row["default"]["lr"]),
            whole(row["extended"]),
            say("yes") if row["at_edge"] else say("no"),
        ]
        for name, row in subject.rows.items()
    ]
    widths = [row["width"] for row in subject.rows.values()]
    head = ("chosen", "width", "span", "default", "extended", "edge")
    part = share(subject.plan["share"], say)
    return fold(
        "rates",
        say("rates_title"),
        paragraph(say("rates_text", share=part)),
        drawn(pictures.sensitivity(subject), say("fig_rates"), say("fig_rates_note")),
        table(
            say("rates_caption"),
            [say("race_optimizer"), *(say(f"rates_{key}") for key in head)],
            rows
        ),
        small(say("range_open")) if any(one and one["open_ended"] for one in widths)
        else "",
        details(say("rates_all"), points(subject))
    )  # fmt: skip


def lr_cell(row: OptimizerTree) -> str:
    """Return the chosen learning rate, and from where to where the judging seeds had theirs."""
    alone = rate_alone(row)
    lr, lrs = learning_rate(alone["lr"]), alone["lrs"]
    ends = [learning_rate(end) for end in (min(lrs), max(lrs))]
    return lr if set(ends) == {lr} else f'{lr} <span class="interval">[{", ".join(ends)}]</span>'


def width(found: WidthTree | None) -> str:
    """Return over how many decades the learning rate may move."""
    return NONE if found is None else f"{'≥ ' * found['open_ended']}{found['decades']:.2f}"


def span(found: WidthTree | None) -> str:
    """Return the ends of that range."""
    ends = () if found is None else (found["low"], found["high"])
    return " – ".join(map(learning_rate, ends)) or NONE


def points(subject: Subject) -> str:
    """Return the table of every learning rate that was tried."""
    say = subject.say
    rows = []
    for name, row in subject.rows.items():
        for point in row["points"]:
            stage = html.escape(say(f"search_stage_{point['stage']}"))
            score = say("word_diverged") if point["score"] is None else measured(point["score"])
            cells = [learning_rate(point["lr"]), stage, score]
            cells += [whole(point["runs"]), whole(point["diverged"])]
            rows.append([subject.short(name), *cells])
    head = [say("race_optimizer"), say("points_lr"), say("points_stage"), say("points_score")]
    head += [say("points_runs"), say("points_diverged")]
    return table(say("points_caption"), head, rows)
