"""The pictures about one optimizer at work: the tutorial's line, and the inside of Adam's step."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes

from adamas.lab.demo.tutorial_check import Checked
from adamas.lab.page.looks import Look
from adamas.lab.page.plotting import log_axis, name_lines
from adamas.lab.page.svg import Labels, Picture
from adamas.lab.report import frames, microscope
from adamas.lab.report.frames import INK, MUTED
from adamas.lab.report.numbers import whole
from adamas.lab.text import Say

DASHED, DOTTED = (4.0, 2.0), (1, 2)
# Inches that the name of the least-squares line needs.
BESIDE = 1.36


def runs(found: Checked) -> dict[str, Look]:
    """Return how the two runs are called and drawn."""
    return {
        "tutorial": Look(f"lr = {found['lr']:g}", (), "o", "adam"),
        "converging": Look(f"lr = {found['converging']['lr']:g}", DASHED, "s", "rmsprop"),
    }


def fit(found: Checked, say: Say) -> Picture:
    """The 100 points with three lines: tutorial's end, converged run, least squares."""

    def paint(axes: Axes, labels: Labels) -> None:
        axes.plot(*found["points"].values(), "o", color=MUTED, markersize=2.6, alpha=0.55)
        ends = np.array([0.0, 10.0])
        best, short, cure = found["best"]["w"], found["w"], found["converging"]["w"]
        axes.plot(ends, best * ends, color=INK, linewidth=4.5, alpha=0.25)
        ours, other = runs(found).values()
        axes.plot(ends, cure * ends, color=other.colour, dashes=other.dashes)
        axes.plot(ends, short * ends, color=ours.colour)
        axes.set(xlim=(0, 10), ylim=(-1, 28), xlabel="x", ylabel="y")
        names = [
            (ours.name, 10 * short, ours.colour),
            (other.name, 10 * best - 1, other.colour),
            (labels(say("chart_least_squares")), 10 * best + 1, INK),
        ]
        name_lines(axes, names)

    return Picture("fit", paint, right=BESIDE)


def fan(found: Checked, say: Say) -> Picture:
    """The 100 points, and where the tutorial's line stood at each epoch that it logs."""

    def paint(axes: Axes, labels: Labels) -> None:
        axes.plot(*found["points"].values(), "o", color=MUTED, markersize=2.6, alpha=0.55)
        ends, best, table = np.array([0.0, 10.0]), found["best"]["w"], found["table"]
        ours, _ = runs(found).values()
        axes.plot(ends, best * ends, color=INK, linewidth=4.5, alpha=0.25)
        for number, row in enumerate(table, 1):
            axes.plot(ends, row["w"] * ends, color=ours.colour, alpha=number / len(table))
        axes.set(xlim=(0, 10), ylim=(-1, 28), xlabel="x", ylabel="y")
        first, last = table[0], table[-1]
        names = [
            (labels(say("at_epoch", epoch=whole(row["epoch"]))), 10 * row["w"], ours.colour)
            for row in (first, last)
        ]
        name_lines(axes, [*names, (labels(say("chart_least_squares")), 10 * best, INK)])

    return Picture("opening", paint, right=BESIDE)


def over_steps(
    key: str, series: Sequence[frames.Series], say: Say, finish: Callable[[Axes, Labels], None]
) -> Picture:
    """Draw lines over the steps on a log axis; `finish` sets the other axis."""

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x")
        axes.set(xlabel=labels(say("chart_step")))
        finish(axes, labels)
        frames.lines(axes, labels, series)

    return Picture(key, paint)


def both_runs(found: Checked, field: str) -> list[frames.Series]:
    """Return one recorded quantity of the tutorial's and of the converging run."""
    traces = found["traces"]
    return [(look, traces[run]["epochs"], traces[run][field]) for run, look in runs(found).items()]


def loss(found: Checked, say: Say) -> Picture:
    """The loss of both runs, with the least-squares loss as the floor."""

    def finish(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "y")
        floor = found["best"]["loss"]
        axes.axhline(floor, color=INK, linewidth=0.8, dashes=DOTTED)
        axes.text(1.1, floor * 1.1, labels(say("chart_least_squares")), color=INK)
        axes.set(xlabel=labels(say("chart_epoch")), ylabel=labels(say("chart_loss")))
        axes.set_ylim(0.5, 400)

    return over_steps("loss", both_runs(found, "loss"), say, finish)


def update(found: Checked, say: Say) -> Picture:
    """The size of each update, measured in learning rates."""

    def finish(axes: Axes, labels: Labels) -> None:
        axes.axhline(1, color=INK, linewidth=0.8, dashes=DOTTED)
        axes.set(ylabel=labels(say("chart_update")), ylim=(0, 1.15))

    return over_steps("update", both_runs(found, "update"), say, finish)


def effective(found: Checked, say: Say) -> Picture:
    """The effective step size: what one unit of gradient is multiplied by."""
    series = both_runs(found, "effective")
    return microscope.log_lines("effective", series, say("chart_effective"), say)


def correction(found: Checked, say: Say) -> Picture:
    """The tutorial's steps as taken, and as they would be without bias correction."""

    def finish(axes: Axes, labels: Labels) -> None:
        axes.set(ylabel=labels(say("chart_update")), ylim=(0, 1.05 * found["largest_uncorrected"]))

    trace = found["traces"]["tutorial"]
    taken, raw = say("chart_with"), say("chart_without")
    series: list[frames.Series] = [
        (Look(taken, (), "o", "adam"), trace["epochs"], trace["update"]),
        (Look(raw, DASHED, "o", "sgd"), trace["epochs"], trace["uncorrected"]),
    ]
    return over_steps("correction", series, say, finish)


def bias(found: Checked, say: Say) -> Picture:
    """The factors by which bias correction enlarges m and v, over the steps."""
    trace = found["traces"]["tutorial"]
    m, v = ([1 / share for share in trace[f"{moment}_correction"]] for moment in ("m", "v"))
    return microscope.enlarged(trace["epochs"], m, v, say)
