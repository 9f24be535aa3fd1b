"""Why divide by the size of the gradient, and what a sum of squares holds against a weight."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from adamas.classes import hypers
from adamas.learn.frames import NAMES, Draw, claim, play
from adamas.learn.numbers import shown
from adamas.learn.problems import Problem
from adamas.learn.text import Say
from adamas.learn.trace import Trace, follow, trace
from adamas.pages.elements import paragraph, section, swatch, table
from adamas.rules import adagrad, adam, rmsprop, sgd

RATIO, STEPS, LR = 200, 100, 0.02
RULES = (sgd, adagrad, rmsprop, adam)
LARGE, SMALL, LONG = 500.0, 0.005, 10_000
EARLY, MORE, LATE = 20, 10.0, 1000  # so many gradients of 10 before those of 1


def uneven(rule: Callable[..., Any], ratio: float = RATIO) -> Trace:
    """Return a run on two parabolas, one `ratio` times as steep as the other."""
    both = Problem(
        "uneven",
        lambda a, b: 0.5 * (a * a + ratio * b * b),
        lambda a, b: (a, ratio * b),
        (1.0, 1.0),
        (),
        (),
    )
    # Plain descent gets the rate that brings the steep weight home in one step.
    return trace(rule, both, STEPS, lr=1 / ratio if rule is sgd else LR)


def first_steps(rule: Callable[..., Any]) -> list[float]:
    """Return how far the first step takes either weight."""
    start, then = uneven(rule).points[:2]
    return [a - b for a, b in zip(start, then, strict=True)]


def lengths(rule: Callable[..., Any], gradients: list[float]) -> list[float]:
    """Return the length of each step in units of lr."""
    points = follow(rule, [(g,) for g in gradients], (0.0,), lr=1.0).points
    return [a[0] - b[0] for a, b in pairwise(points)]


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    lr = hypers(adam)["lr"]
    early = [MORE] * EARLY + [1.0] * (LATE - EARLY)
    sums, means = lengths(adagrad, early), lengths(rmsprop, early)
    steady = lengths(adagrad, [1.0] * LONG)
    numbers = {
        "ratio": RATIO,
        "sgd_lr": shown(1 / RATIO),
        "steps": STEPS,
        "left": shown(100 * uneven(sgd).last[0], 2),
        "lr": shown(LR),
        "large": shown(LARGE),
        "small": shown(SMALL),
        "large_step": shown(lr * lengths(adam, [LARGE] * STEPS)[-1]),
        "small_step": shown(lr * lengths(adam, [SMALL] * STEPS)[-1]),
        "adam_lr": shown(lr),
        "hundred": 100,
        "at_hundred": shown(steady[99], 3),
        "long": LONG,
        "at_long": shown(steady[-1], 3),
        "early": EARLY,
        "more": shown(MORE),
        "late": LATE,
        "sum_end": shown(sums[-1], 2),
        "mean_end": shown(means[-1], 2),
    }
    rows = [
        [
            swatch(rule.__name__, NAMES[rule.__name__]),
            shown(1 / RATIO if rule is sgd else LR),
            *(shown(step, 3) for step in first_steps(rule)),
        ]
        for rule in RULES
    ]
    head = [say(f"divide.{key}") for key in ("rule_head", "lr_head", "flat_head", "steep_head")]
    return section(
        "divide",
        say("divide.title"),
        paragraph(say("divide.why", **numbers)),
        paragraph(say("divide.idea", **numbers)),
        play("divide", draw, say("divide.caption", **numbers)),
        table(say("divide.table", **numbers), head, rows),
        paragraph(say("divide.first", **numbers)),
        claim(say("divide.claim"), say("divide.answer", **numbers)),
        paragraph(say("divide.adagrad", **numbers)),
        play("forget", draw, say("divide.forget_caption", **numbers)),
        paragraph(say("divide.early", **numbers)),
        paragraph(say("divide.keep")),
    )
