"""Rare features: who is seldom updated takes longer steps, and moves on while nobody looks."""

from collections.abc import Callable
from functools import cache
from math import sqrt
from typing import Any, Literal

import numpy as np

import adamas
from adamas.learn.frames import Draw, claim, play
from adamas.learn.numbers import shown
from adamas.learn.text import Say
from adamas.learn.trace import follow
from adamas.pages.elements import bullets, paragraph, section
from adamas.rules import adam, sgd

LR, STEPS, EVERY, REST = 0.01, 1000, 100, 200


@cache
def ways(rule: Callable[..., Any], every: int, steps: int = STEPS) -> tuple[float, float]:
    """Return how far a weight goes whose gradient is 1 at each step, and one seen each `every`."""
    gradients = [(1.0, float(t % every == 0)) for t in range(1, steps + 1)]
    often, seldom = follow(rule, gradients, (0.0, 0.0), lr=LR).last
    return -often, -seldom


@cache
def after_one(rows: Literal["lazy", "exact"], steps: int) -> float:
    """Return the way of a row of a table in the `steps` steps after its only gradient, in lr."""
    table = np.zeros((2, 1))
    optimizer = adamas.Adam(table, lr=LR, rows=rows)
    seen, other = np.array([0]), np.array([1])
    optimizer.step(adamas.Rows(seen, np.ones((1, 1))))
    optimizer.sync()
    begun = table[0, 0]
    for _ in range(steps):
        optimizer.step(adamas.Rows(other, np.ones((1, 1))))
    optimizer.sync()
    return float(begun - table[0, 0]) / LR


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    by_adam, by_sgd = ways(adam, EVERY), ways(sgd, EVERY)
    lone = follow(adam, [(1.0,)] + [(0.0,)] * STEPS, (0.0,), lr=LR)
    numbers = {
        "every": EVERY,
        "steps": STEPS,
        "sgd": shown(100 * by_sgd[1] / by_sgd[0], 3),
        "adam": shown(100 * by_adam[1] / by_adam[0], 3),
        "rest": REST,
        "size": shown(1 / sqrt(EVERY), 3),
        "times": shown(sqrt(EVERY), 3),
        "root": shown(100 / sqrt(EVERY), 3),
        "after": shown((lone.points[1][0] - lone.last[0]) / LR, 3),
        "lazy": shown(after_one("lazy", REST), 3),
        "exact": shown(after_one("exact", REST), 3),
    }
    return section(
        "rare",
        say("rare.title"),
        paragraph(say("rare.why", **numbers)),
        play("rare", draw, say("rare.caption")),
        paragraph(say("rare.found", **numbers)),
        claim(say("rare.claim"), say("rare.answer", **numbers)),
        play("rest", draw, say("rare.rest_caption")),
        bullets([say(f"rare.{key}", **numbers) for key in ("dense", "lazily", "exactly")]),
        paragraph(say("rare.keep")),
    )
