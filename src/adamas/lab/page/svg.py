"""A matplotlib figure becomes SVG text that belongs to the page it stands on.

matplotlib draws colours, fonts and ids of its own. Here the colours become the page's CSS variables
(so one picture serves light and dark), text stays text in the page's font (so Chinese needs no font
file and no glyph is missing), ids get a prefix (so two pictures on one page do not collide), and
nothing depends on the date: the same numbers give the same bytes.
"""

import html
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from adamas.pages.elements import figure

# CSS variable -> the colour drawn with, which is also what the page's light theme shows.
COLOURS = {
    "ink": "#22262b",
    "muted": "#666f78",
    "line": "#dcdfe2",
    "sgd": "#2553cc",
    "gd": "#4d4a4b",
    "momentum": "#007f7a",
    "adagrad": "#86248c",
    "rmsprop": "#9a6200",
    "adam": "#a81e14",
    # For whoever has no colour of its own.
    "hue1": "#3f7a1f",
    "hue2": "#c2186b",
    "hue3": "#6a4bd6",
    "hue4": "#8a5a2b",
    "hue5": "#0b76a8",
    "hue6": "#5d6b00",
    "hue7": "#b5480f",
    "hue8": "#46556b",
}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "adamas",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.6,
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
}
# Inches: axis labels need room on the left, the names of the lines on the right.
WIDTH, HEIGHT = 5.2, 3.2
LEFT, RIGHT, BOTTOM, TOP = 0.76, 1.2, 0.46, 0.16
# Points between the label of the y axis and its numbers, which a phone shows larger.
APART = 9.0


class Labels:
    """Stand-ins for text that matplotlib's own font cannot draw.

    Calling it returns a label unchanged if it is ASCII, else an ASCII token about as wide, which
    `restore` replaces in the SVG text.
    """

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Return what matplotlib should draw for `text`."""
        if text.isascii() and "$" not in text:  # two of them would be mathematics
            return text
        wide = sum(1 if char.isascii() else 2 for char in text)
        token = f"@{len(self._tokens)}".ljust(wide, "@")
        self._tokens[token] = text
        return token

    def restore(self, svg: str) -> str:
        """Return the SVG with every token replaced by its text."""
        for token, text in self._tokens.items():
            svg = svg.replace(f">{token}<", f">{html.escape(text)}<")
        return svg


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the page's style, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


@dataclass(frozen=True)
class Picture:
    """What is needed to draw one picture, on a page or into a file.

    `key` becomes the prefix of every id and `paint(axes, labels)` draws; `height` is that of the
    picture without the `strip` above the axes, `right` is the room for names; all in inches.
    """

    key: str
    paint: Callable[[Axes, Labels], None]
    height: float = HEIGHT
    strip: float = 0.0
    right: float = RIGHT
    width: float = WIDTH


def compose(picture: Picture, labels: Labels) -> Figure:
    """Return the matplotlib figure of a picture; call it inside `styled`."""
    total = picture.height + picture.strip
    figure = Figure(figsize=(picture.width, total))
    inner = (picture.width - LEFT - picture.right, picture.height - BOTTOM - TOP)
    place = (LEFT / picture.width, BOTTOM / total, inner[0] / picture.width, inner[1] / total)
    axes = figure.add_axes(place)
    picture.paint(axes, labels)
    axes.yaxis.labelpad = APART
    return figure


def inline(picture: Picture) -> str:
    """Return a picture as SVG text that starts with `<svg` and has no fixed size."""
    with styled():
        labels = Labels()
        figure = compose(picture, labels)
        FigureCanvasSVG(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return adapt(labels.restore(buffer.getvalue()), picture.key)


def drawn(picture: Picture, title: str, note: str) -> str:
    """Return a picture with its caption, under its own key."""
    return figure(picture.key, inline(picture), title, note)


def adapt(svg: str, key: str) -> str:
    """Return matplotlib's SVG with the page's colours, font and unique ids, ready to be inlined."""
    head, body = svg[svg.index("<svg") :].split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box.group() if box else ""}'
    body = re.sub(r"<(metadata|style)\b.*?</\1>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"<[^>]+>", lambda tag: _adapt_tag(tag.group(), key), body)
    return re.sub(r"\n\s*", "\n", f"{head}>{body}").strip()


def _adapt_tag(tag: str, key: str) -> str:
    """Return one tag with its ids, font, colours and coordinates adapted; text is never touched."""
    tag = re.sub(r' id="(?![mp][0-9a-f]{10}")[^"]*"', "", tag)
    tag = re.sub(r' id="', f' id="{key}-', tag)
    tag = tag.replace("url(#", f"url(#{key}-").replace('xlink:href="#', f'href="#{key}-')
    # matplotlib below 3.11 writes the short form.
    tag = re.sub(r"font: ([\d.]+px) [^;\"]+", r"font-size: \1", tag)
    tag = re.sub(r"font-family: [^;\"]+;? ?", "", tag)
    for name, colour in COLOURS.items():
        tag = tag.replace(colour, f"var(--{name})")
    return re.sub(r"(\.\d\d)\d+", r"\1", tag)
