"""Pictures as files that stand alone: fixed colours, and glyphs that the fonts here really have."""

from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

from adamas.lab.page.svg import STYLE, Labels, Picture, compose, styled
from adamas.lab.text import Say

# Fonts with Chinese glyphs that systems come with; DejaVu Sans comes with matplotlib.
CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "WenQuanYi Zen Hei",
)
DPI = 200


class Written(Labels):
    """Labels that are drawn as they are; what no installed font has is written as its code."""

    def __call__(self, text: str) -> str:
        """Return what matplotlib should draw for `text`."""
        shown = "".join(char if drawable(char) else ascii(char)[1:-1] for char in text)
        return shown.replace("$", r"\$")  # two of them would be mathematics


@cache
def families() -> tuple[str, ...]:
    """Return the fonts to draw with, the first one first."""
    installed = {font.name for font in fontManager.ttflist}
    return STYLE["font.family"], *(name for name in CHINESE_FONTS if name in installed)


@cache
def drawable(char: str) -> bool:
    """Return whether one of the fonts has a glyph for a character."""
    paths = [findfont(FontProperties(family=[name])) for name in families()]
    return any(get_font(path).get_char_index(ord(char)) for path in paths)


def readable(say: Say) -> Say:
    """Return the language, or English where no font has its characters."""
    return say if all(map(drawable, say("axis_percent", reference=""))) else Say("en")


def save(picture: Picture, directory: Path, suffix: str) -> Path:
    """Draw a picture into a file named by its key, and return the file."""
    path = directory / f"{picture.key}.{suffix}"
    # Letters as outlines, so that an SVG looks the same where the font is missing.
    settings: dict[Any, Any] = {"svg.fonttype": "path", "font.family": list(families())}
    with styled():
        mpl.rcParams.update(settings)
        figure = compose(picture, Written())
        more: dict[str, Any] = {"metadata": {"Date": None}} if suffix == "svg" else {}
        figure.savefig(path, format=suffix, dpi=DPI, **more)
    return path
