"""What an optimizer's memory costs, and what it costs to throw it away."""

from functools import cache

import numpy as np

import adamas
from adamas.classes import hypers
from adamas.learn.frames import Draw, claim, play
from adamas.learn.numbers import above, shown
from adamas.learn.problems import PROBLEMS
from adamas.learn.text import Say
from adamas.learn.trace import trace
from adamas.pages.elements import paragraph, section, source
from adamas.rules import adam

COUNT = 1 << 16
FORMATS = ("float32", "bfloat16", "int8", "int4")
LR, DROPPED = 0.1, 500
BETA2 = hypers(adam)["beta2"]

RESUME = """\
saved = optimizer.state_dict()            # plain arrays by name: m, v, step, settings
again = adamas.AdamW(weights, lr=1e-3)
again.load_state_dict(saved)              # the next step is the same, bit for bit
"""


@cache
def bytes_each() -> dict[str, float]:
    """Return the bytes that AdamW keeps for each parameter, by format, as the engine has them."""
    found = {}
    for name in FORMATS:
        optimizer = adamas.AdamW(np.zeros(COUNT, np.float32), state=name)
        kept = optimizer.state_dict()["state"]
        sizes = [a.nbytes for one in kept.values() for a in one.values() if np.ndim(a)]
        found[name] = sum(sizes) / COUNT
    return found


def dropped(at: int) -> tuple[float, float]:
    """Return the loss after step `at` of a run, and the largest in ten steps of a new optimizer."""
    before = trace(adam, PROBLEMS["valley"], at, lr=LR)
    after = trace(adam, PROBLEMS["valley"], 10, start=before.last, lr=LR)
    return before.losses[-1], max(after.losses)


def kept(at: int) -> float:
    """Return the largest loss in the ten steps after step `at` of a run that goes on."""
    return max(trace(adam, PROBLEMS["valley"], at + 10, lr=LR).losses[at:])


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    each = bytes_each()
    before, after = dropped(DROPPED)
    numbers = {name: shown(each[name], 3) for name in FORMATS}
    numbers |= {
        "billion": shown(each["float32"] * 1e9 / 2**30, 3),
        "beta2": shown(BETA2),
        "change": shown(1 - BETA2),
        "at": str(DROPPED),
        "before": shown(before, 2),
        "after": shown(after, 2),
        "kept": above(kept(DROPPED), 2),
    }
    return section(
        "cost",
        say("cost.title"),
        paragraph(say("cost.memory", **numbers)),
        play("cost", draw, say("cost.caption")),
        paragraph(say("cost.bits", **numbers)),
        claim(say("cost.claim"), say("cost.answer", **numbers)),
        play("resume", draw, say("cost.resume_caption")),
        paragraph(say("cost.save")),
        source(RESUME),
        paragraph(say("cost.keep")),
    )
