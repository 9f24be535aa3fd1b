"""The pictures that set optimizers side by side: curves, learning rates, intervals, step sizes."""

from typing import Any

from matplotlib.axes import Axes

from adamas.lab.page.looks import LOOKS, colour_of, known_look
from adamas.lab.page.plotting import (
    ROW,
    log_axis,
    name_lines,
    name_rows,
    rate_axes,
    rate_line,
    ring,
)
from adamas.lab.page.svg import COLOURS, Labels, draw
from adamas.lab.text import Say

INK, MUTED = COLOURS["ink"], COLOURS["muted"]
Numbers = dict[str, Any]
# Curves of the race fall to rounding error; below this share of the best loss nothing is told.
FLOOR = 1e-5


def race_curves(race: Numbers, say: Say) -> str:
    """How far above the least-squares loss each optimizer still is, over the updates."""

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x")
        log_axis(axes, "y")
        axes.set(xlim=(1, race["horizon"]), ylim=(FLOOR, 1e3))
        names = []
        for name, row in race["entrants"].items():
            steps, excess = row["curve"]["steps"][1:], row["curve"]["excess"][1:]
            label, dashes, _ = LOOKS[name]
            axes.plot(
                steps,
                [max(e, FLOOR / 10) if e is not None else 1e9 for e in excess],
                color=colour_of(name),
                dashes=dashes,
            )
            names.append((label, _last_shown(excess), colour_of(name)))
        goal = race["close"] - 1
        axes.axhline(goal, color=INK, linewidth=0.8, dashes=(1, 2))
        axes.text(7, goal * 0.55, labels(say("chart_goal")), color=INK, fontsize=8, va="top")
        axes.set(xlabel=labels(say("chart_updates")), ylabel=labels(say("chart_excess")))
        name_lines(axes, names)

    return draw("race", paint)


def _last_shown(excess: list[float | None]) -> float:
    last = excess[-1]
    return max(last, FLOOR) if last is not None else 1e3


def sensitivity(key: str, rows: dict[str, Numbers], axis_label: str, say: Say) -> str:
    """Score against learning rate; the ring marks the best.

    Above the axes every optimizer has a row with its name, and in it a cross for each rate where a
    run diverged or never arrived.
    """

    def paint(axes: Axes, labels: Labels) -> None:
        rate_axes(axes)
        failed = []
        for look, points in ((known_look(name), row["points"]) for name, row in rows.items()):
            rate_line(axes, look, points)
            good = [p for p in points if p["score"] is not None]
            if good:
                best = min(good, key=lambda p: float(p["score"]))
                ring(axes, look, best["lr"], best["score"])
            failed.append((look, [p["lr"] for p in points if p["score"] is None]))
        name_rows(axes, labels, failed)
        axes.set(xlabel=labels(say("chart_lr")), ylabel=labels(axis_label))

    return draw(key, paint, strip=ROW * (len(rows) + 0.6))


def loss_curves(key: str, contest: Numbers, say: Say) -> str:
    """Mean validation loss of every optimizer, tuned, over the updates of the report seeds."""

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "y", fine=True)
        names = []
        for name, row in contest["optimizers"].items():
            label, dashes, _ = LOOKS[name]
            losses = row["curve"]["mean"]
            axes.plot(row["curve"]["at"], losses, color=colour_of(name), dashes=dashes)
            names.append((label, losses[-1], colour_of(name)))
        axes.set(xlim=(0, contest["steps"]), xlabel=labels(say("chart_updates")))
        axes.set(ylabel=labels(say("chart_validation")))
        name_lines(axes, names)

    return draw(key, paint)


def intervals(key: str, contest: Numbers, say: Say) -> str:
    """The paired difference to Adam with its 95 % interval, in per cent of Adam's loss."""
    rows = contest["optimizers"]
    others = [name for name in rows if name != "adam"]

    def paint(axes: Axes, labels: Labels) -> None:
        scale = rows["adam"]["interval"]["mean"] or 1.0
        axes.axvline(0, color=COLOURS["adam"], linewidth=1.2)
        for height, name in enumerate(reversed(others)):
            difference = rows[name]["verdict"]["difference"]
            colour, (label, _, marker) = colour_of(name), LOOKS[name]
            axes.text(
                1.02,
                height,
                label,
                color=colour,
                transform=axes.get_yaxis_transform(),
                va="center_baseline",
            )
            if difference["mean"] is None:
                axes.plot(0.5, (height + 0.5) / len(others), "x", color=colour)
                continue
            low, mean, high = (100 * difference[end] / scale for end in ("low", "mean", "high"))
            axes.plot([low, high], [height, height], color=colour, linewidth=2)
            axes.plot(mean, height, marker, color=colour, markersize=5)
        axes.set(ylim=(-0.6, len(others) - 0.4), xlabel=labels(say("chart_difference")))
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)

    return draw(key, paint, height=2.3)


def rare_steps(rare: Numbers, say: Say) -> str:
    """Effective step of every word against how often the word is seen."""

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x")
        log_axis(axes, "y")
        names = []
        for name in ("adagrad", "adam"):
            colour, (label, _, marker) = colour_of(name), LOOKS[name]
            axes.plot(
                rare["frequency"], rare[name], marker, color=colour, markersize=2.6, alpha=0.8
            )
            names.append((label, rare[name][0], colour))
        axes.axhline(rare["sgd"], color=colour_of("sgd"), dashes=LOOKS["sgd"][1])
        names.append((LOOKS["sgd"][0], rare["sgd"], colour_of("sgd")))
        axes.set(xlabel=labels(say("chart_frequency")), ylabel=labels(say("chart_effective")))
        name_lines(axes, names)

    return draw("rare-steps", paint)
