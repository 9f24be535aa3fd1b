"""The first ten steps, with and without bias correction."""

from math import sqrt

from adamas.learn.frames import Draw, claim, play
from adamas.learn.numbers import shown
from adamas.learn.text import Say
from adamas.learn.trace import follow
from adamas.pages.elements import paragraph, section, table
from adamas.rules import adam

STEPS, LATE = (1, 2, 5, 10, 100, 1000), 100


def averages(steps: int) -> list[tuple[float, float]]:
    """Return m and the root of v after each step, for a gradient that is always 1."""
    states = follow(adam, [(1.0,)] * steps, (0.0,)).states
    return [(one["m"][0], sqrt(one["v"][0])) for one in states]


def lengths(steps: int) -> list[float]:
    """Return the length of each step without correction, in units of lr, for a gradient of 1."""
    return [m / root for m, root in averages(steps)]


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    found, both = lengths(max(STEPS)), averages(max(STEPS))
    most = max(found)
    m, root = both[0]
    numbers = {
        "m": shown(m, 3),
        "v": shown(root * root, 3),
        "root": shown(root, 3),
        "first": shown(found[0], 3),
        "most": shown(most, 3),
        "most_at": found.index(most) + 1,
        "at": LATE,
        "late": shown(found[LATE - 1], 3),
    }
    rows = [[str(t), *(shown(x, 3) for x in (*both[t - 1], found[t - 1]))] for t in STEPS]
    head = [say("axis.step"), "m", "√v", "m / √v"]
    return section(
        "correction",
        say("correction.title"),
        paragraph(say("correction.why", **numbers)),
        paragraph(say("correction.share", **numbers)),
        play("correction", draw, say("correction.caption")),
        claim(say("correction.claim"), say("correction.answer", **numbers)),
        table(say("correction.table"), head, rows),
        paragraph(say("correction.keep")),
    )
