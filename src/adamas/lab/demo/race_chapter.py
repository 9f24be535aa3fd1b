"""The race on the line: which optimizer arrives first, each at its own learning rate.

Which sentence is said depends on the numbers: where Adam is not the fastest, the page says so.
"""

from dataclasses import asdict
from math import isfinite

from matplotlib.axes import Axes

from adamas.lab.demo.contest import one_each, restored
from adamas.lab.demo.race import Entrant, Race
from adamas.lab.page.looks import LOOKS
from adamas.lab.page.plotting import log_axis
from adamas.lab.page.svg import Labels, Picture, drawn
from adamas.lab.report import frames
from adamas.lab.report.numbers import learning_rate, whole
from adamas.lab.report.searched import Searched, against_rates, name_rows, strip
from adamas.lab.report.subject import gaps
from adamas.lab.text import Say
from adamas.lab.trial import finite
from adamas.lab.zoo.line import POINTS
from adamas.pages.elements import beside, paragraph, section, swatch, table

# Curves fall to rounding error; below this share of the best loss nothing is told. TOP is where
# the picture ends, BEYOND where a run that has no loss any more is drawn.
FLOOR, TOP, BEYOND = 1e-5, 1e3, 1e9
FLATTERING = 10


def chapter(found: Race, seeds: int, say: Say) -> str:
    """Updates to the least-squares line, at each optimizer's own learning rate."""
    entrants = found["entrants"]
    rows = [
        [
            swatch(name, LOOKS[name].name),
            count(row["steps"], say),
            learning_rate(row["lr"]),
            count(row["samples"], say),
            count(row["touch"], say),
            learning_rate(row["touch_lr"]),
            f"{row['forgiving']:.2f}",
        ]
        for name, row in entrants.items()
    ]
    head = ("optimizer", "updates", "lr", "samples", "touch", "touch_lr", "forgiving")
    rates, horizon = len(entrants["adam"]["points"]), whole(found["horizon"])
    return section(
        "race",
        say("race_title"),
        beside(
            paragraph(say("race_text", rates=rates, horizon=horizon, points=POINTS, seeds=seeds))
            + paragraph(first(found, say))
            + flattered(found, say),
            drawn(race_picture(found, say), say("fig_race"), say("fig_race_note"))
            + drawn(sensitivity(found, say), say("fig_race_lr"), say("fig_race_lr_note")),
        ),
        table(say("race_caption"), [say(f"race_{key}") for key in head], rows),
    )


def count(value: float | None, say: Say) -> str:
    """Return a number of updates, or the word for never."""
    return say("never") if value is None else whole(value)


def first(found: Race, say: Say) -> str:
    """Say whether Adam came first, and if not, who did and why."""
    order, entrants = found["order"], found["entrants"]
    if "adam" not in order:
        return say("race_not_arrived")
    key = "race_fastest" if order[0] == "adam" else "race_not_fastest"
    return say(key, name=LOOKS[order[0]].name, winner=entrants[order[0]], adam=entrants["adam"])


def flattered(found: Race, say: Say) -> str:
    """Name the optimizer whose first touch promises far more than it keeps, if there is one."""
    times = {name: promised(found["entrants"][name]) for name in found["order"]}
    name = max(times, key=times.__getitem__, default="")
    if times.get(name, 0) < FLATTERING:
        return ""
    row = found["entrants"][name]
    rates = {
        key: learning_rate(rate) for key, rate in (("lr", row["lr"]), ("touch_lr", row["touch_lr"]))
    }
    return paragraph(say("race_flattered", name=LOOKS[name].name, row=row, **rates))


def promised(row: Entrant) -> float:
    """Return how many times the updates of the first touch it takes to stay."""
    return (row["steps"] or 0) / max(row["touch"] or 0, 1)


def race_picture(found: Race, say: Say) -> Picture:
    """How far above the least-squares loss each optimizer still is, over the updates.

    The row above the axes has each one's mark where it arrives.
    """
    shown: list[frames.Series] = [
        (
            LOOKS[name],
            row["curve"]["steps"][1:],
            [BEYOND if e is None else max(e, FLOOR / 10) for e in row["curve"]["excess"][1:]],
        )
        for name, row in found["entrants"].items()
    ]

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x")
        log_axis(axes, "y")
        axes.set(xlim=(1, found["horizon"]), ylim=(FLOOR, TOP))
        goal = found["close"] - 1
        axes.axhline(goal, color=frames.INK, linewidth=0.8, dashes=(1, 2))
        axes.text(7, goal * 0.55, labels(say("chart_goal")), color=frames.INK, va="top")
        axes.set(xlabel=labels(say("chart_updates")), ylabel=labels(say("chart_excess")))
        for look, steps, values in shown:
            axes.plot(gaps(steps), gaps(values), color=look.colour, dashes=look.dashes)
        heights = name_rows(axes, labels, [(look, []) for look, _, _ in shown])
        for name, row in found["entrants"].items():
            look, arrived = LOOKS[name], gaps([row["steps"]])
            mark = axes.plot(arrived, heights[look.name], look.marker, color=look.colour)[0]
            mark.set(transform=axes.get_xaxis_transform(), clip_on=False, markersize=5)

    return Picture("race", paint, strip=strip(len(shown)), right=frames.room(LOOKS.values()))


def sensitivity(found: Race, say: Say) -> Picture:
    """Updates needed against learning rate; the ring marks the fewest."""
    searched = []
    for name, row in found["entrants"].items():
        # Both stages are full runs, so that each learning rate is one point of the line.
        points = one_each([restored(point) for point in row["points"]])
        best = min(points, key=lambda point: point.score)
        ring = (best.lr, best.score) if isfinite(best.score) else None
        line = [asdict(point) | {"score": finite(point.score)} for point in points]
        searched.append(Searched(LOOKS[name], line, [], ring))
    return against_rates("race-lr", searched, say("chart_needed"), say)
