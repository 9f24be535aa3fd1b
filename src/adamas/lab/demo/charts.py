"""The pictures about one optimizer at work: the tutorial's line, and the inside of Adam's step.

Every picture is a function of the numbers that `collect` made and of the page's language; the
comparisons between optimizers are in `comparisons`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from adamas.lab.page.plotting import log_axis, name_lines
from adamas.lab.page.svg import COLOURS, Labels, draw
from adamas.lab.text import Say

INK, MUTED = COLOURS["ink"], COLOURS["muted"]
ADAM, OTHER, BEST = COLOURS["adam"], COLOURS["rmsprop"], COLOURS["ink"]
Numbers = dict[str, Any]


def fit(tutorial: Numbers, say: Say) -> str:
    """The 100 points with three lines: tutorial's end, converged run, least squares."""

    def paint(axes: Axes, labels: Labels) -> None:
        points = tutorial["points"]
        axes.plot(points["x"], points["y"], "o", color=MUTED, markersize=2.6, alpha=0.55)
        ends = np.array([0.0, 10.0])
        best, short = tutorial["best"]["w"], tutorial["w"]
        axes.plot(ends, best * ends, color=BEST, linewidth=4.5, alpha=0.25)
        axes.plot(ends, tutorial["converging"]["w"] * ends, color=OTHER, dashes=(4, 2))
        axes.plot(ends, short * ends, color=ADAM)
        axes.set(xlim=(0, 10), ylim=(-1, 28), xlabel="x", ylabel="y")
        names = [
            (f"lr = {tutorial['lr']:g}", 10 * short, ADAM),
            (f"lr = {tutorial['converging']['lr']:g}", 10 * best - 1, OTHER),
            (labels(say("chart_least_squares")), 10 * best + 1, BEST),
        ]
        name_lines(axes, names)

    return draw("fit", paint)


def two_runs(
    key: str, field: str, tutorial: Numbers, finish: Callable[[Axes, Labels], None]
) -> str:
    """Draw one recorded quantity of the tutorial's and of the converging run over the epochs."""

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x")
        names = []
        for run, lr, colour, dashes in (
            ("tutorial", tutorial["lr"], ADAM, ()),
            ("converging", tutorial["converging"]["lr"], OTHER, (4, 2)),
        ):
            curve = tutorial["traces"][run]
            axes.plot(curve["epochs"], curve[field], color=colour, dashes=dashes)
            names.append((f"lr = {lr:g}", curve[field][-1], colour))
        finish(axes, labels)
        name_lines(axes, names)

    return draw(key, paint)


def loss(tutorial: Numbers, say: Say) -> str:
    """The loss of both runs, with the least-squares loss as the floor."""

    def finish(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "y")
        floor = tutorial["best"]["loss"]
        axes.axhline(floor, color=INK, linewidth=0.8, dashes=(1, 2))
        axes.text(1.1, floor * 1.1, labels(say("chart_least_squares")), color=INK, fontsize=8)
        axes.set(
            xlabel=labels(say("chart_epoch")), ylabel=labels(say("chart_loss")), ylim=(0.5, 400)
        )

    return two_runs("loss", "loss", tutorial, finish)


def update(tutorial: Numbers, say: Say) -> str:
    """The size of each update, measured in learning rates."""

    def finish(axes: Axes, labels: Labels) -> None:
        axes.axhline(1, color=INK, linewidth=0.8, dashes=(1, 2))
        axes.set(
            xlabel=labels(say("chart_epoch")), ylabel=labels(say("chart_update")), ylim=(0, 1.15)
        )

    return two_runs("update", "update", tutorial, finish)


def effective(tutorial: Numbers, say: Say) -> str:
    """The effective step size: what one unit of gradient is multiplied by."""

    def finish(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "y")
        axes.set(xlabel=labels(say("chart_epoch")), ylabel=labels(say("chart_effective")))

    return two_runs("effective", "effective", tutorial, finish)


def correction(tutorial: Numbers, say: Say) -> str:
    """The tutorial's steps as taken, and as they would be without bias correction."""

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x")
        curve = tutorial["traces"]["tutorial"]
        names = []
        for field, key, colour, dashes in (
            ("update", "chart_with", ADAM, ()),
            ("uncorrected", "chart_without", COLOURS["sgd"], (4, 2)),
        ):
            axes.plot(curve["epochs"], curve[field], color=colour, dashes=dashes)
            names.append((labels(say(key)), curve[field][-1], colour))
        axes.set(xlabel=labels(say("chart_step")), ylabel=labels(say("chart_update")), ylim=0)
        name_lines(axes, names)

    return draw("correction", paint)


def bias(tutorial: Numbers, say: Say) -> str:
    """The factors by which bias correction enlarges m and v, over the steps."""

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x")
        log_axis(axes, "y")
        curve = tutorial["traces"]["tutorial"]
        names = []
        for field, name, colour, dashes in (
            ("m_correction", "m (beta1)", ADAM, ()),
            ("v_correction", "v (beta2)", COLOURS["sgd"], (4, 2)),
        ):
            factor = 1 / np.array(curve[field])
            axes.plot(curve["epochs"], factor, color=colour, dashes=dashes)
            names.append((name, float(factor[-1]), colour))
        axes.set(xlabel=labels(say("chart_step")), ylabel=labels(say("chart_factor")))
        name_lines(axes, names)

    return draw("bias", paint)
