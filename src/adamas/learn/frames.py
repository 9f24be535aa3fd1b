"""The pieces that chapters are made of besides those of every page."""

import html
from collections.abc import Callable

from adamas.classes import CLASSES
from adamas.pages.elements import markup

# Classes have torch's names; the lecture that RMSProp comes from writes it so.
NAMES = {rule.__name__: name for name, rule in CLASSES.items()} | {"rmsprop": "RMSProp"}
"""What sentences call the rules."""

Draw = Callable[[str], str]
"""Gives the inside of a figure by the name of its play, drawn by the page's own script."""


def play(name: str, draw: Draw, caption: str) -> str:
    """Return a figure to play with, which shows its first picture where no script runs."""
    of = html.escape(name)
    return (
        f'<figure class="play" id="play-{of}" data-play="{of}">\n{draw(name)}\n'
        f'<figcaption id="caption-{of}">{markup(caption)}</figcaption>\n</figure>'
    )


def claim(said: str, answer: str) -> str:
    """Return a widespread claim and what the numbers say to it."""
    return f'<div class="claim">\n<p>{markup(said)}</p>\n<p>{markup(answer)}</p>\n</div>'
