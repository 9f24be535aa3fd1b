"""The first ten steps, with and without bias correction."""

from math import sqrt

from adamas.learn.frames import Draw, claim, play
from adamas.learn.numbers import shown
from adamas.learn.problems import Problem
from adamas.learn.text import Say
from adamas.learn.trace import trace
from adamas.pages.elements import paragraph, section
from adamas.rules import adam

CONSTANT = Problem("constant", lambda x: x, lambda x: 1.0, (0.0,), (), ())


def lengths(steps: int) -> list[float]:
    """Return the length of each step without correction, in units of lr, for a gradient of 1."""
    states = trace(adam, CONSTANT, steps).states
    return [one["m"][0] / sqrt(one["v"][0]) for one in states]


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    first = trace(adam, CONSTANT, 1).states[0]
    found = lengths(100)
    most = max(found)
    numbers = {
        "m": shown(first["m"][0], 3),
        "v": shown(first["v"][0], 3),
        "root": shown(sqrt(first["v"][0]), 3),
        "first": shown(found[0], 3),
        "most": shown(most, 3),
        "most_at": found.index(most) + 1,
        "late": shown(found[-1], 3),
    }
    return section(
        "correction",
        say("correction.title"),
        paragraph(say("correction.why", **numbers)),
        play("correction", draw, say("correction.caption")),
        claim(say("correction.claim"), say("correction.answer", **numbers)),
    )
