"""What all pictures share: log axes with plain numbers, and names written beside the lines.

Lines are named where they end, because a reader who cannot tell two colours apart can still read;
markers and dashes differ for the same reason.
"""

from collections.abc import Sequence
from math import floor, log10
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NAME_GAP = 0.085
# Where the lines that lead to the names end, in widths of the axes.
LEADER = 1.035
# Beyond so many labels on a logarithmic axis they collide on a phone.
MOST_TICKS = 6


def power_of_ten(value: float, _position: int | None = None) -> str:
    """Return a tick label: plain from 0.001 to 10,000, with a power of ten beyond.

    >>> [power_of_ten(10.0**k) for k in (-5, -3, 0, 4, 6)]
    ['10⁻⁵', '0.001', '1', '10,000', '10⁶']
    >>> power_of_ten(2.5e-4)
    '2.5 × 10⁻⁴'
    """
    if 0.9e-3 < value < 1.1e4:
        return f"{value:,g}"
    if value <= 0:
        return "0"
    exponent = floor(log10(value) + 1e-9)
    mantissa = value / 10.0**exponent
    return ten_to(exponent) if abs(mantissa - 1) < 1e-6 else f"{mantissa:.3g} × {ten_to(exponent)}"


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
    axis.set_major_locator(FewTicks(base=10, subs=(1, 2, 5) if fine else (1,), numticks=7))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(power_of_ten))


class FewTicks(LogLocator):
    """Ticks of a logarithmic axis; one of less than a decade has not more than there is room for.

    >>> [float(tick) for tick in FewTicks(subs=(1, 2, 5)).tick_values(0.48, 0.92)]
    [0.5, 0.6, 0.7, 0.8, 0.9]
    """

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return the places."""
        found = super().tick_values(vmin, vmax)
        shown = sum(vmin <= tick <= vmax for tick in found)
        if shown <= MOST_TICKS or vmax >= 10 * vmin:
            return found
        even = MaxNLocator(MOST_TICKS, steps=[1, 2, 5, 10]).tick_values(vmin, vmax)
        return [float(f"{tick:.6g}") for tick in even if vmin <= tick <= vmax]


def name_lines(axes: Axes, names: Sequence[tuple[str, float, str]]) -> None:
    """Write (name, y, colour) to the right of the axes, moved apart where they would collide.

    A thin line leads from where a line ends to its name.
    """
    low, high = axes.get_ylim()
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = []
    for name, y, colour in names:
        inside = min(max(y, low), high)
        heights.append((float(to_axes.transform((axes.get_xlim()[1], inside))[1]), name, colour))
    heights.sort()
    gap = min(NAME_GAP, 1 / max(len(heights) - 1, 1))
    placed = spread([height for height, _, _ in heights], gap)
    free: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False, "dashes": ()}
    for height, (end, name, colour) in zip(placed, heights, strict=True):
        axes.plot([1.005, LEADER], [end, height], color=colour, linewidth=0.6, alpha=0.7, **free)
        place: dict[str, Any] = {"transform": axes.transAxes, "va": "center_baseline"}
        axes.text(LEADER + 0.01, height, name, color=colour, **place)


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
