"""The page of `adamas find-lr`: the number, its interval, what it cost, and the runs behind it."""

import html

from matplotlib.axes import Axes

from adamas.lab.page.looks import Look, looks_of
from adamas.lab.page.plotting import log_axis
from adamas.lab.page.svg import COLOURS, Labels, Picture, drawn
from adamas.lab.protocol.results import Tree
from adamas.lab.report import frames
from adamas.lab.report.again import listing
from adamas.lab.report.numbers import learning_rate, measured, whole
from adamas.lab.report.searched import log_rates, rate_line, ring
from adamas.lab.report.subject import gaps, in_language, known
from adamas.lab.text import Say
from adamas.pages.document import document
from adamas.pages.elements import beside, markup, paragraph, section, small, table

CHAPTERS = ("evidence", "use")


def render_found(tree: Tree, say: Say, twin: str | None = None) -> str:
    """Return the page of a found learning rate, from the tree of `find-lr.json`.

    `twin` is the file that says the same in the other language.
    """
    name = tree["optimizer"]
    look = looks_of([name])[name]
    title = say("found_title", name=look.name, problem=tree["problem"])
    body = "\n".join([evidence(tree, look, say), use(tree, name, say)])
    chapters = [(key, say(f"found_{key}")) for key in CHAPTERS]
    return document(title, opening(tree, look, say), chapters, body, say, twin)


def opening(tree: Tree, look: Look, say: Say) -> list[str]:
    """Return the answer in a sentence, what to know about it, and the runs that it rests on."""
    answer = say(
        "found_answer",
        lr=learning_rate(tree["lr"]),
        low=learning_rate(tree["low"]),
        high=learning_rate(tree["high"]),
        cost=measured(tree["cost"], 2),
    )
    lead = [f'<p class="answer">{markup(answer)}</p>']
    if reason := in_language(tree["fallback"], say):
        lead.append(f'<p class="warning">{html.escape(reason)}</p>')
    if tree["open_ended"]:
        lead.append(paragraph(say("found_open")))
    picture = drawn(sweep(tree, look, say), say("fig_sweep"), say("fig_sweep_note"))
    return [beside(picture, "\n".join(lead), kind="opening")]


def evidence(tree: Tree, look: Look, say: Say) -> str:
    """Return the short runs as a table, and the range test as a picture."""
    points = tree["points"]
    rows = [
        [
            learning_rate(point["lr"]),
            say("found_failed") if point["score"] is None else measured(point["score"]),
            whole(point["runs"]),
            whole(point["diverged"]),
        ]
        for point in points
    ]
    head = [*(say(f"points_{key}") for key in ("lr", "score", "runs")), say("found_failed")]
    test = drawn(ranged(tree, look, say), say("fig_range"), say("fig_range_note"))
    return section(
        "evidence",
        say("found_evidence"),
        beside(
            paragraph(say("found_text", steps=whole(tree["steps"])))
            + table(say("found_caption"), head, rows)
            + small(say("found_note")),
            test,
        ),
    )


def sweep(tree: Tree, look: Look, say: Say) -> Picture:
    """The score of each short run, the interval and the answer."""
    points = tree["points"]

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x", fine=True)
        frames.log_values(axes, [point["score"] for point in points])
        log_rates(axes, [point["lr"] for point in points])
        axes.axvspan(tree["low"], tree["high"], color=COLOURS["line"], alpha=0.55, linewidth=0)
        rate_line(axes, look, points)
        axes.axvline(tree["lr"], color=look.colour, linewidth=1, dashes=(1, 1.6))
        for point in points:
            if point["lr"] == tree["lr"] and point["score"] is not None:
                ring(axes, look, point["lr"], point["score"])
        failed = [point["lr"] for point in points if point["score"] is None]
        across = axes.get_xaxis_transform()
        axes.plot(failed, [0.97] * len(failed), "x", color=look.colour, transform=across)
        axes.set(xlabel=labels(say("chart_lr")), ylabel=labels(say("axis_score")))

    return Picture("sweep", paint, right=0.2)


def ranged(tree: Tree, look: Look, say: Say) -> Picture:
    """The loss while the learning rate rises from step to step."""
    lrs, losses = tree["curve"]["lrs"], tree["curve"]["losses"]

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x")
        # Beyond twice the start a run has failed, and how far tells nothing.
        most = 2 * abs(next(iter(known(losses)), 1.0))
        axes.plot(lrs, gaps(losses), color=look.colour)
        shown = [value for value in known(losses) if value <= most]
        if shown and max(shown) > min(shown):
            axes.set_ylim(min(shown), max(shown))
        axes.axvline(tree["curve"]["lowest"], color=COLOURS["ink"], linewidth=0.8, dashes=(1, 2))
        axes.set(xlabel=labels(say("chart_lr")), ylabel=labels(say("axis_range")))

    return Picture("range", paint, right=0.2)


def use(tree: Tree, name: str, say: Say) -> str:
    """Return the number as code."""
    parts = listing(name, tree["lr"], say, tree.get("kind", "rule"))
    return section("use", say("found_use"), paragraph(say("found_use_text")), *parts)
