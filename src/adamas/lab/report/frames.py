"""What the report's pictures share: room for names, lines with bands, rows of intervals."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from adamas.lab.page.looks import Look, columns
from adamas.lab.page.plotting import log_axis, name_lines
from adamas.lab.page.svg import COLOURS, HEIGHT, RIGHT, Labels, Picture
from adamas.lab.report.subject import gaps, known

INK, MUTED = COLOURS["ink"], COLOURS["muted"]
BAND = 0.13
# Inches: a letter, as large as on a phone; a name beside the lines, a row of a forest plot; the
# mark before a name.
LETTER, NAME, LINE, MARK = 0.105, 0.2, 0.25, 0.44
# Beyond this share of the lowest value a loss is off the picture.
ABOVE = 1.5
# Where an axis begins and ends at most: nearer to the ends of the numbers ticks are not finite.
LOWEST, HIGHEST = 1e-100, 1e100
# Per cent: differences beyond are drawn as arrows, so that the others can be told apart.
FAR = 100.0

Series = tuple[Look, Sequence[float | None], Sequence[float | None]]
Band = tuple[Sequence[float | None], Sequence[float | None]]


def room(looks: Iterable[Look]) -> float:
    """Return the inches that the names beside a picture need."""
    longest = max((columns(look.short) for look in looks), default=0)
    return max(RIGHT, MARK + LETTER * longest)


def tall(names: int) -> float:
    """Return the height of a picture with so many names beside it."""
    return max(HEIGHT, 0.7 + NAME * names)


def band(axes: Axes, look: Look, at: Sequence[float | None], ends: Band) -> None:
    """Shade between two lines."""
    low, high = (gaps(end) for end in ends)
    axes.fill_between(gaps(at), low, high, color=look.colour, alpha=BAND, linewidth=0)


def lines(axes: Axes, labels: Labels, series: Sequence[Series]) -> None:
    """Draw lines and write their names where they end."""
    names = []
    for look, at, values in series:
        axes.plot(gaps(at), gaps(values), color=look.colour, dashes=look.dashes)
        ends = known(values)
        if ends:
            names.append((labels(look.short), ends[-1], look.colour))
    name_lines(axes, names)


def drawable(values: Sequence[float | None]) -> list[float]:
    """Return what a logarithmic axis can show: the values from `LOWEST` to `HIGHEST`."""
    return [value for value in known(values) if LOWEST <= value <= HIGHEST]


def log_values(axes: Axes, values: Iterable[float | None], ceiling: float | None = None) -> None:
    """Make the y axis logarithmic and fit it to `values` that it can show, up to `ceiling`."""
    log_axis(axes, "y", fine=True)
    most = HIGHEST if ceiling is None else ceiling
    shown = [value for value in drawable(list(values)) if value <= most]
    if not shown:
        axes.set_ylim(0.1, 1)
        return
    low, high = min(shown), max(shown)
    spare = max((high / low) ** 0.05, 1.02)
    axes.set_ylim(low / spare, high * spare)
    # Between 1e-4 and 1e4 a tick at 2 and 5 has a plain label; elsewhere only powers of ten do.
    if high / low > 300 or not (low > 1e-3 and high < 1e4):
        log_axis(axes, "y")


def log_steps(axes: Axes, at: Iterable[float | None]) -> None:
    """Make the x axis logarithmic from the first positive step to the last."""
    log_axis(axes, "x")
    steps = [step for step in known(list(at)) if step > 0]
    if len(set(steps)) > 1:
        axes.set_xlim(min(steps), max(steps))


def traces(
    key: str, looks: Iterable[Look], paint: Callable[[Axes, Labels], None], names: int
) -> Picture:
    """Return a picture of lines with their names beside them."""
    return Picture(key, paint, height=tall(names), right=room(looks))


def row_names(axes: Axes, labels: Labels, looks: Sequence[Look]) -> dict[str, float]:
    """Name rows from top to bottom on the right; return each one's height by name."""
    heights = {}
    for height, look in enumerate(reversed(looks)):
        heights[look.name] = float(height)
        place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center_baseline"}
        axes.text(1.04, height, labels(look.short), color=look.colour, **place)
    axes.set_ylim(-0.6, len(looks) - 0.4)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    return heights


def interval_bar(axes: Axes, look: Look, height: float, ends: Sequence[float]) -> None:
    """Draw mean and interval in a row; an arrow stands for what is too far to be drawn."""
    low, mean, high = ends
    style: dict[str, Any] = {"color": look.colour, "clip_on": False}
    axes.plot([min(low, FAR), min(high, FAR)], [height, height], linewidth=2, **style)
    axes.plot(min(mean, FAR), height, look.marker if mean <= FAR else ">", markersize=5, **style)


def failed_mark(axes: Axes, look: Look, height: float) -> None:
    """Draw a cross at the right end of a row."""
    across = axes.get_yaxis_transform()
    axes.plot(0.985, height, "x", color=look.colour, markersize=6, transform=across)


def signed_axis(axes: Axes) -> None:
    """Label the x axis with signs, at few places."""
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(signed))


def signed(value: float, _position: int | None = None) -> str:
    """Return a number with its sign; zero has none."""
    return f"{value:+g}".replace("-", "−") if value else "0"


def plain_steps(axes: Axes) -> None:
    """Label a linear axis of whole numbers."""
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
