"""The pictures that set optimizers side by side, each made from the results alone."""

from typing import Any, Literal

from matplotlib.axes import Axes

from adamas.lab.page.plotting import log_axis
from adamas.lab.page.svg import COLOURS, Labels, Picture
from adamas.lab.protocol.results_types import Series
from adamas.lab.report import frames
from adamas.lab.report.frames import MUTED
from adamas.lab.report.searched import Searched, against_rates
from adamas.lab.report.subject import Subject, gaps, known, rate_alone

PANEL = {"width": 2.6, "height": 1.8, "right": 0.12}
REFINED = "refine"
# How a run failed, at the top of a picture of losses: the mark and its height in axes.
TOP_MARKS = {"not_finite": ("x", 1.0), "blown_up": ("^", 0.95)}


Part = Literal["mean", "low", "high", "train"]


def curve(subject: Subject, name: str, part: Part) -> Series:
    """Return one line of an optimizer's mean curve."""
    return subject.rows[name]["curve"][part]


def steps_of(subject: Subject, name: str) -> list[int]:
    """Return the steps of an optimizer's mean curve."""
    return subject.rows[name]["curve"]["at"]


def losses(subject: Subject) -> list[float | None]:
    """Return every mean validation loss, for the range of the axis."""
    means = [value for name in subject.rows for value in curve(subject, name, "mean")]
    least = min(known(means), default=0.0) / 2
    # An interval may reach below zero, which a logarithmic axis cannot show.
    lows = [value for name in subject.rows for value in curve(subject, name, "low")]
    return means + [value for value in known(lows) if value > least]


def ceiling(subject: Subject) -> float | None:
    """Return the loss above which nothing is drawn: a little above the start."""
    starts = known([v for name in subject.rows for v in curve(subject, name, "mean")[:1]])
    return frames.ABOVE * max(starts) if starts else None


def loss_chart(subject: Subject) -> Picture:
    """Mean validation loss of every optimizer with its 95 % band."""

    def paint(axes: Axes, labels: Labels) -> None:
        frames.log_values(axes, losses(subject), ceiling(subject))
        series = []
        for name, look in subject.looks.items():
            steps = steps_of(subject, name)
            frames.band(
                axes, look, steps, (curve(subject, name, "low"), curve(subject, name, "high"))
            )
            series.append((look, steps, curve(subject, name, "mean")))
            end_marks(axes, subject, name)
        axes.set_xlim(0, subject.plan["steps"])
        frames.lines(axes, labels, series)
        frames.plain_steps(axes)
        say = subject.say
        axes.set(xlabel=labels(say("chart_updates")), ylabel=labels(say("chart_validation")))

    return frames.traces("curves", subject.looks.values(), paint, len(subject.looks))


def end_marks(axes: Axes, subject: Subject, name: str) -> None:
    """Mark the runs that failed, on the top edge where they ended, and those worse than untrained.

    A cross is a run that was no longer finite, a triangle one that blew up, a ring one that ended
    finite and above where it began.
    """
    row, colour = subject.rows[name], subject.looks[name].colour
    top = ceiling(subject)
    style: dict[str, Any] = {"color": colour, "clip_on": False, "markersize": 5}
    for end, step, final in zip(row["ends"], row["lasted"], row["finals"], strict=True):
        if end in TOP_MARKS:
            mark, height = TOP_MARKS[end]
            axes.plot(step, height, mark, transform=axes.get_xaxis_transform(), **style)
        elif end == "worse" and final is not None:
            low, high = axes.get_ylim()
            height = min(max(final, low), high if top is None else min(high, top))
            axes.plot(step, height, "o", fillstyle="none", **style)


def panel(subject: Subject, number: int, name: str, best: str) -> Picture:
    """One optimizer's validation and training loss, with the lowest curve of all behind it."""
    look = subject.looks[name]
    values = losses(subject) + [v for n in subject.rows for v in curve(subject, n, "train")]

    def paint(axes: Axes, labels: Labels) -> None:
        frames.log_values(axes, values, ceiling(subject))
        steps = gaps(steps_of(subject, name))
        if name != best:
            behind = gaps(curve(subject, best, "mean"))
            axes.plot(gaps(steps_of(subject, best)), behind, color=MUTED, linewidth=3, alpha=0.3)
        frames.band(axes, look, steps, (curve(subject, name, "low"), curve(subject, name, "high")))
        axes.plot(steps, gaps(curve(subject, name, "train")), color=look.colour, dashes=(1, 1.6))
        axes.plot(steps, gaps(curve(subject, name, "mean")), color=look.colour)
        end_marks(axes, subject, name)
        axes.set_xlim(0, subject.plan["steps"])
        frames.plain_steps(axes)

    return Picture(f"panel-{number}", paint, **PANEL)


def searched(subject: Subject, name: str) -> Searched:
    """Return what is drawn of one optimizer's search; the ring is where fresh seeds judged it."""
    row = subject.rows[name]
    # The points of the first search, on a share of the updates, and the refined ones.
    first = [point for point in row["points"] if point["stage"] != REFINED]
    refined = [point for point in row["points"] if point["stage"] == REFINED]
    alone = rate_alone(row)
    judged = alone["interval"]["mean"]
    ring = None if judged is None else (alone["lr"], judged)
    return Searched(subject.looks[name], first, refined, ring, row["default"]["lr"])


def sensitivity(subject: Subject) -> Picture:
    """Score against learning rate, failures and defaults in a row for each optimizer."""
    found = [searched(subject, name) for name in subject.looks]
    label = subject.say("chart_validation")
    return against_rates("rates", found, label, subject.say, ceiling(subject))


def forest(subject: Subject, reference: str) -> Picture:
    """Paired difference to a reference, in per cent of its loss, with its 95 % interval."""
    found = subject.compared(reference)
    looks = [subject.looks[one["optimizer"]] for one in found]
    margin = 100 * subject.plan["margin"]

    def paint(axes: Axes, labels: Labels) -> None:
        axes.axvspan(-margin, margin, color=COLOURS["line"], alpha=0.55, linewidth=0)
        axes.axvline(0, color=subject.looks[reference].colour, linewidth=1.2)
        heights = frames.row_names(axes, labels, looks)
        for one, look in zip(found, looks, strict=True):
            ends = known([one["percent"]["low"], one["percent"]["mean"], one["percent"]["high"]])
            if len(ends) < 3:
                frames.failed_mark(axes, look, heights[look.name])
            else:
                frames.interval_bar(axes, look, heights[look.name], ends)
        percents = [one["percent"] for one in found]
        reach = known([end for one in percents for end in (one["low"], one["high"])])
        low, high = min([-margin, *reach]), min(max([margin, *reach]), frames.FAR)
        axes.set_xlim(1.08 * max(low, -frames.HIGHEST) - 0.5, 1.08 * high + 0.5)
        frames.signed_axis(axes)
        text = subject.say("axis_percent", reference=subject.looks[reference].short)
        axes.set(xlabel=labels(text))

    height = 0.75 + frames.LINE * max(len(found), 2)
    return Picture(f"forest-{subject.references.index(reference)}", paint, height,
                   right=frames.room(looks))  # fmt: skip


def defaults(subject: Subject) -> Picture:
    """Final loss at the tuned and at the default learning rate, one row for each optimizer."""
    looks = list(subject.looks.values())

    def paint(axes: Axes, labels: Labels) -> None:
        heights = frames.row_names(axes, labels, looks)
        for name, look in subject.looks.items():
            height = heights[look.name]
            tuned = rate_alone(subject.rows[name])["interval"]["mean"]
            untuned = subject.rows[name]["default"]["interval"]["mean"]
            pair = frames.drawable([tuned, untuned])
            axes.plot(pair, [height] * len(pair), color=look.colour, linewidth=1, alpha=0.6)
            for value, style in ((tuned, "full"), (untuned, "none")):
                if value not in pair:
                    continue
                axes.plot(value, height, "o", color=look.colour, fillstyle=style, markersize=6)
            if subject.rows[name]["default"]["diverged"]:
                frames.failed_mark(axes, look, height)
        log_axis(axes, "x", fine=True)
        axes.set(xlabel=labels(subject.say("chart_validation")))

    height = 0.75 + frames.LINE * max(len(looks), 2)
    return Picture("defaults", paint, height, right=frames.room(looks))


def best_of(subject: Subject) -> Picture:
    """Expected best score of K random learning rates, for every K."""

    def paint(axes: Axes, labels: Labels) -> None:
        found = {name: row["best_of"] for name, row in subject.rows.items()}
        frames.log_values(axes, [v for values in found.values() for v in values], ceiling(subject))
        longest = max((len(values) for values in found.values()), default=0)
        axes.set_xlim(1, max(longest, 2))
        series = [
            (subject.looks[name], list(range(1, len(values) + 1)), values)
            for name, values in found.items()
        ]
        frames.lines(axes, labels, series)
        frames.plain_steps(axes)
        say = subject.say
        axes.set(xlabel=labels(say("axis_tries")), ylabel=labels(say("chart_validation")))

    return frames.traces("best-of", subject.looks.values(), paint, len(subject.looks))
