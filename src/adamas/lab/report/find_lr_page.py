"""The page of `adamas find-lr`: the number, its interval, what it cost, and the runs behind it."""

import html

from matplotlib.axes import Axes

from adamas.lab.page.document import document
from adamas.lab.page.elements import drawn, figures, markup, paragraph, section, small, table
from adamas.lab.page.looks import Look, looks_of
from adamas.lab.page.plotting import log_axis
from adamas.lab.page.svg import COLOURS, Labels, Picture
from adamas.lab.report import frames
from adamas.lab.report.again import listing
from adamas.lab.report.numbers import learning_rate, measured, whole
from adamas.lab.report.searched import rate_line, ring
from adamas.lab.report.subject import Tree, at, gaps, in_language, known, listed
from adamas.lab.text import Say

CHAPTERS = ("evidence", "use")


def render_found(tree: Tree, say: Say) -> str:
    """Return the page of a found learning rate, from the tree of `find-lr.json`."""
    name = str(tree.get("optimizer"))
    look = looks_of([name])[name]
    title = say("found_title", name=look.name, problem=tree.get("problem"))
    body = "\n".join([evidence(tree, look, say), use(tree, name, say)])
    chapters = [(key, say(f"found_{key}")) for key in CHAPTERS]
    return document(title, opening(tree, say), chapters, body, say)


def opening(tree: Tree, say: Say) -> list[str]:
    """Return the answer in a sentence, and what to know about it."""
    answer = say(
        "found_answer",
        lr=learning_rate(tree.get("lr")),
        low=learning_rate(tree.get("low")),
        high=learning_rate(tree.get("high")),
        cost=measured(tree.get("cost"), 2),
    )
    lead = [f'<p class="answer">{markup(answer)}</p>']
    if reason := in_language(tree.get("fallback"), say):
        lead.append(f'<p class="warning">{html.escape(reason)}</p>')
    if tree.get("open_ended"):
        lead.append(paragraph(say("found_open")))
    return lead


def evidence(tree: Tree, look: Look, say: Say) -> str:
    """Return the short runs and the range test, as pictures and as a table."""
    points = [point for point in listed(tree, "points") if point]
    rows = [
        [
            learning_rate(point.get("lr")),
            say("found_failed") if point.get("score") is None else measured(point["score"]),
            whole(point.get("runs")),
            whole(point.get("diverged")),
        ]
        for point in points
    ]
    head = [*(say(f"points_{key}") for key in ("lr", "score", "runs")), say("found_failed")]
    plots = [
        drawn(paint(tree, look, say), say(f"fig_{key}"), say(f"fig_{key}_note"))
        for key, paint in (("sweep", sweep), ("range", ranged))
    ]
    return section(
        "evidence",
        say("found_evidence"),
        paragraph(say("found_text", steps=whole(tree.get("steps")))),
        figures(*plots),
        table(say("found_caption"), head, rows),
        small(say("found_note")),
    )


def sweep(tree: Tree, look: Look, say: Say) -> Picture:
    """The score of each short run, the interval and the answer."""
    points = [{"score": None} | p for p in listed(tree, "points") if p and p.get("lr") is not None]

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x", fine=True)
        frames.log_values(axes, [point["score"] for point in points])
        low, high = tree.get("low"), tree.get("high")
        if low is not None and high is not None:
            axes.axvspan(low, high, color=COLOURS["line"], alpha=0.55, linewidth=0)
        rate_line(axes, look, points)
        if tree.get("lr") is not None:
            axes.axvline(tree["lr"], color=look.colour, linewidth=1, dashes=(1, 1.6))
        for point in points:
            if point["lr"] == tree.get("lr") and point["score"] is not None:
                ring(axes, look, point["lr"], point["score"])
        failed = [point["lr"] for point in points if point["score"] is None]
        across = axes.get_xaxis_transform()
        axes.plot(failed, [0.97] * len(failed), "x", color=look.colour, transform=across)
        axes.set(xlabel=labels(say("chart_lr")), ylabel=labels(say("axis_score")))

    return Picture("sweep", paint, right=0.2)


def ranged(tree: Tree, look: Look, say: Say) -> Picture:
    """The loss while the learning rate rises from step to step."""
    lrs, losses = listed(tree, "curve", "lrs"), listed(tree, "curve", "losses")
    pairs = list(zip(lrs, losses, strict=False))

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x")
        # Beyond twice the start a run has failed, and how far tells nothing.
        most = 2 * abs(next(iter(known(losses)), 1.0))
        axes.plot(gaps([lr for lr, _ in pairs]), gaps([y for _, y in pairs]), color=look.colour)
        shown = [value for value in known(losses) if value <= most]
        if shown and max(shown) > min(shown):
            axes.set_ylim(min(shown), max(shown))
        lowest = at(tree, "curve", "lowest")
        if lowest is not None:
            axes.axvline(lowest, color=COLOURS["ink"], linewidth=0.8, dashes=(1, 2))
        axes.set(xlabel=labels(say("chart_lr")), ylabel=labels(say("axis_range")))

    return Picture("range", paint, right=0.2)


def use(tree: Tree, name: str, say: Say) -> str:
    """Return the number as code."""
    lr = tree.get("lr")
    parts = [paragraph(say("code_no_rate"))] if lr is None else listing(name, lr, say)
    return section("use", say("found_use"), paragraph(say("found_use_text")), *parts)
