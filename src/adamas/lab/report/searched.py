"""Scores against learning rates: a line, marks, a ring, and a row for failures and defaults."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from adamas.lab.page.looks import Look
from adamas.lab.page.plotting import log_axis
from adamas.lab.page.svg import COLOURS, Labels, Picture
from adamas.lab.report import frames
from adamas.lab.report.subject import known
from adamas.lab.text import Say

# Inches between the rows above a picture.
ROW = 0.17
# Inches beside them: names begin farther to the right than in other pictures.
SPARE_ROOM = 0.1
# Room at the ends of an axis of learning rates, as a factor.
SPARE = 1.8


@dataclass(frozen=True)
class Searched:
    """An optimizer's search, to be drawn: points joined by a line, and further points as marks.

    Points are those of the results. `ring` is the (learning rate, score) that was chosen, `default`
    the rate to be marked as its own.
    """

    look: Look
    line: Sequence[Mapping[str, Any]]
    marks: Sequence[Mapping[str, Any]]
    ring: tuple[float, float] | None
    default: float | None = None

    @property
    def points(self) -> list[Mapping[str, Any]]:
        """Return all points."""
        return [*self.line, *self.marks]


def against_rates(
    key: str, found: Sequence[Searched], score: str, say: Say, ceiling: float | None = None
) -> Picture:
    """Draw scores against learning rates, with a row above the axes for each optimizer.

    The row has a cross at each rate that failed and a bar at the default. `score` labels the y
    axis, which ends at `ceiling`.
    """

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x")
        frames.log_values(axes, [p["score"] for one in found for p in one.points], ceiling)
        for one in found:
            rate_line(axes, one.look, one.line)
            marks = [p for p in one.marks if p["score"] is not None]
            style: dict[str, Any] = {"color": one.look.colour, "markersize": 4.5}
            for point in marks:
                axes.plot(point["lr"], point["score"], one.look.marker, **style)
            if one.ring:
                ring(axes, one.look, *one.ring)
        tried = [p["lr"] for one in found for p in one.points]
        log_rates(axes, [*tried, *(one.default for one in found)])
        failed = [(one.look, [p["lr"] for p in one.points if p["score"] is None]) for one in found]
        heights = name_rows(axes, labels, failed)
        across = axes.get_xaxis_transform()
        for one in found:
            if one.default is not None:
                height = heights[one.look.name]
                mark = axes.plot(one.default, height, "|", color=frames.INK, transform=across)[0]
                mark.set(clip_on=False, markersize=7, markeredgewidth=1.6)
        axes.set(xlabel=labels(say("chart_lr")), ylabel=labels(score))

    right = frames.room(one.look for one in found) + SPARE_ROOM
    return Picture(key, paint, strip=strip(len(found)), right=right)


def strip(rows: int) -> float:
    """Return the inches that so many rows above the axes need."""
    return ROW * (rows + 0.6)


def log_rates(axes: Axes, lrs: Iterable[float | None]) -> None:
    """Let a logarithmic x axis show all of `lrs`, with some room at both ends."""
    shown = [lr for lr in known(list(lrs)) if lr > 0] or [1.0]
    axes.set_xlim(min(shown) / SPARE, max(shown) * SPARE)


def rate_line(axes: Axes, look: Look, points: Sequence[Mapping[str, Any]]) -> None:
    """Draw score against learning rate where there is a score."""
    good = [p for p in points if p["score"] is not None]
    lrs, scores = [p["lr"] for p in good], [p["score"] for p in good]
    style: dict[str, Any] = {"color": look.colour, "dashes": look.dashes}
    axes.plot(lrs, scores, marker=look.marker, markersize=3, **style)


def ring(axes: Axes, look: Look, lr: float, score: float) -> None:
    """Draw a ring around the best."""
    axes.plot(lr, score, "o", color=look.colour, markersize=8, fillstyle="none")


def name_rows(
    axes: Axes, labels: Labels, failed: Sequence[tuple[Look, Sequence[float]]]
) -> dict[str, float]:
    """Give each optimizer a row above the axes: crosses where it failed, then line and name.

    Returns the height of each row by the optimizer's name, in axes coordinates.
    """
    row = ROW * axes.figure.dpi / axes.bbox.height
    across, beside = axes.get_xaxis_transform(), axes.transAxes
    free: dict[str, Any] = {"clip_on": False}
    heights = {}
    for level, (look, places) in enumerate(reversed(failed)):
        colour = look.colour
        y = heights[look.name] = 1 + (0.8 + level) * row
        axes.plot([0, 1], [y, y], color=COLOURS["line"], linewidth=0.6, transform=beside, **free)
        axes.plot(places, [y] * len(places), "x", color=colour, transform=across, ms=4.2, **free)
        axes.plot([1.02, 1.075], [y, y], color=colour, dashes=look.dashes, transform=beside, **free)
        axes.plot(1.0475, y, look.marker, color=colour, markersize=3, transform=beside, **free)
        name = labels(look.short)
        axes.text(1.095, y, name, color=colour, transform=beside, va="center_baseline")
    return heights
