"""What all pictures share: log axes with plain numbers, and names written beside the lines.

Lines are named where they end, because a reader who cannot tell two colours apart can still read;
markers and dashes differ for the same reason.
"""

from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from adamas.lab.page.looks import Look
from adamas.lab.page.svg import COLOURS, Labels

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NAME_GAP = 0.085
# Inches between the rows above a picture.
ROW = 0.17


def power_of_ten(value: float, _position: int | None = None) -> str:
    """Return a tick label: plain from 0.001 to 10,000, with a power of ten beyond.

    >>> [power_of_ten(10.0**k) for k in (-5, -3, 0, 4, 6)]
    ['10⁻⁵', '0.001', '1', '10000', '10⁶']
    >>> power_of_ten(2.5e-4)
    '2.5×10⁻⁴'
    """
    if 0.9e-3 < value < 1.1e4:
        return f"{value:g}"
    if value <= 0:
        return "0"
    exponent = floor(log10(value) + 1e-9)
    mantissa = value / 10.0**exponent
    return ten_to(exponent) if abs(mantissa - 1) < 1e-6 else f"{mantissa:.3g}×{ten_to(exponent)}"


def ten_to(exponent: int) -> str:
    """Return a power of ten with a raised exponent.

    >>> ten_to(-324)
    '10⁻³²⁴'
    """
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def log_axis(axes: Axes, which: Literal["x", "y"], fine: bool = False) -> None:
    """Make one axis logarithmic, with a labelled tick at each power of ten.

    `fine` adds 2 and 5, for an axis of a few decades.
    """
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5) if fine else (1,), numticks=7))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(power_of_ten))


def name_lines(axes: Axes, names: Sequence[tuple[str, float, str]]) -> None:
    """Write (name, y, colour) to the right of the axes, moved apart where they would collide."""
    low, high = axes.get_ylim()
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = []
    for name, y, colour in names:
        inside = min(max(y, low), high)
        heights.append((float(to_axes.transform((axes.get_xlim()[1], inside))[1]), name, colour))
    heights.sort()
    gap = min(NAME_GAP, 1 / max(len(heights) - 1, 1))
    placed = spread([height for height, _, _ in heights], gap)
    for height, (_, name, colour) in zip(placed, heights, strict=True):
        axes.text(1.02, height, name, color=colour, transform=axes.transAxes, va="center_baseline")


def rate_line(axes: Axes, look: Look, points: Sequence[Mapping[str, Any]]) -> None:
    """Draw score against learning rate where there is a score."""
    good = [p for p in points if p["score"] is not None]
    lrs, scores = [p["lr"] for p in good], [p["score"] for p in good]
    style: dict[str, Any] = {"color": look.colour, "dashes": look.dashes}
    axes.plot(lrs, scores, marker=look.marker, markersize=3, **style)


def ring(axes: Axes, look: Look, lr: float, score: float) -> None:
    """Draw a ring around the best."""
    axes.plot(lr, score, "o", color=look.colour, markersize=8, fillstyle="none")


def rate_axes(axes: Axes) -> None:
    """Make both axes logarithmic, for scores against learning rates."""
    log_axis(axes, "x")
    log_axis(axes, "y", fine=True)


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


def spread(heights: Sequence[float], gap: float = NAME_GAP) -> list[float]:
    """Return rising heights moved apart to at least `gap`, as near as possible to where they were.

    Neighbours that collide are merged into a group that is centred on its members' mean.

    >>> [round(h, 3) for h in spread([0.5, 0.5, 0.9], gap=0.1)]
    [0.45, 0.55, 0.9]
    """
    groups: list[list[float]] = []
    for height in heights:
        groups.append([height])
        while len(groups) > 1 and _start(groups[-1], gap) < _end(groups[-2], gap) + gap:
            groups[-2].extend(groups.pop())
    return [_start(group, gap) + i * gap for group in groups for i in range(len(group))]


def _start(group: Sequence[float], gap: float) -> float:
    middle = sum(group) / len(group)
    half = gap * (len(group) - 1) / 2
    return min(max(middle - half, 0.0), 1.0 - 2 * half)


def _end(group: Sequence[float], gap: float) -> float:
    return _start(group, gap) + gap * (len(group) - 1)
