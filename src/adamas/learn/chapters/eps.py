"""What eps is compared with, and where the libraries put it."""

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np

from adamas.dialects import adam_eps_hat, rmsprop_eps_inside
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.learn.frames import Draw, claim, play
from adamas.learn.measured import measured
from adamas.learn.numbers import shown
from adamas.learn.problems import Problem, line_loss, line_slope
from adamas.learn.text import Say
from adamas.learn.trace import trace, trace_of_line
from adamas.pages.elements import paragraph, section, table
from adamas.rules import adam

EPS, BIG, BETA2 = 1e-8, 1.0, 0.999
LATE = 1000  # a step at which the bias correction is nearly over
SMALL, LARGE = 1e-3, 1e5
LR, STEPS = 0.05, 150  # of the runs with a loss in other units
TUTORIAL_LR, TUTORIAL_STEPS = 1e-3, 1000


def step(rule: Callable[..., Any], g: float, t: int, **hypers: float) -> float:
    """Return the length of step `t` in units of lr, the gradient being `g` at every step."""
    run = Reference(parse(rule), np.zeros(1), lr=1.0, **hypers)
    before = 0.0
    for _ in range(t):
        before = float(run.p[0])
        run.step(np.array([g]))
    return before - float(run.p[0])


def hat(t: int, g: float = 1e-15) -> float:
    """Return by how much Keras's eps counts more than torch's at step `t`, for a tiny `g`."""
    return step(adam, g, t, eps=EPS) / step(adam_eps_hat, g, t, eps=EPS)


def scaled(factor: float, eps: float = EPS) -> list[float]:
    """Return the weights of Adam on the tutorial's line, its loss times `factor`."""
    problem = Problem(
        "scaled", line_loss, lambda w: factor * line_slope(w)[0], (0.0,), ((-0.5, 5.5),), ()
    )
    return [p[0] for p in trace(adam, problem, STEPS, lr=LR, eps=eps).points]


def farthest(factor: float, eps: float = EPS) -> float:
    """Return how far the weight is, at most, from that of the loss as it is."""
    return max(abs(a - b) for a, b in zip(scaled(factor, eps), scaled(1.0, eps), strict=True))


def divisor() -> float:
    """Return `sqrt(v_hat)` at the end of the tutorial's run."""
    state = trace_of_line(adam, TUTORIAL_STEPS, lr=TUTORIAL_LR).states[-1]
    return sqrt(state["v"][0] / (1 - BETA2**TUTORIAL_STEPS))


def homes(say: Say) -> str:
    """Return the table of where each library's Adam ends after the same gradients."""
    rows = [
        [
            {"keras": "Keras"}.get(name, name),
            shown(one["eps"]),
            shown(one["line"], 10),
            shown(one["tiny"], 3),
            shown(one["adamw_decay"]),
        ]
        for name, one in measured()["adam"].items()
        if name != "eps_hat"
    ]
    head = [say(f"eps.head_{key}") for key in ("home", "eps", "line", "tiny", "decay")]
    return table(say("eps.homes"), head, rows)


def numbers() -> dict[str, object]:
    """Return what fills the sentences."""
    root = divisor()
    whole, half = (step(adam, g, 1, eps=BIG) for g in (1e-3, 5e-4))
    ends = measured()["adam"]
    ours, keras = ends["adamas"], ends["keras"]
    return {
        "agree": shown(max(abs(ends[x]["line"] - ours["line"]) for x in ("torch", "optax")), 1),
        "keras_eps": shown(keras["eps"]),
        "apart": shown(abs(keras["line"] - ours["line"]), 1),
        "tiny": shown(1e-9),
        "part": shown(keras["tiny"] / ours["tiny"], 2),
        "eps": shown(EPS),
        "g_far": shown(100 * EPS),
        "far": shown(step(adam, 100 * EPS, 1), 2),
        "half": shown(step(adam, EPS, 1), 2),
        "g_below": shown(EPS / 100),
        "below": shown(step(adam, EPS / 100, 1), 2),
        "hat_first": shown(hat(1), 3),
        "hat_late": shown(hat(LATE), 3),
        "late": LATE,
        "big": shown(BIG),
        "root_eps": shown(1e-15 / step(rmsprop_eps_inside, 1e-15, 1, eps=EPS), 2),
        "small": shown(SMALL),
        "large": shown(LARGE),
        "off_small": shown(farthest(SMALL), 2),
        "off_large": shown(farthest(LARGE), 2),
        "steps": STEPS,
        "off_one": shown(farthest(SMALL, BIG), 2),
        "root": shown(root, 3),
        "share": shown(EPS / root, 2),
        "g_one": shown(1e-3),
        "whole": shown(whole, 3),
        "ratio": shown(half / whole, 2),
        "ratio_small": shown(step(adam, 5e-4, 1) / step(adam, 1e-3, 1), 2),
        "least16": shown(float(np.finfo(np.float16).smallest_subnormal), 2),
    }


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    found = numbers()
    return section(
        "eps",
        say("eps.title"),
        paragraph(say("eps.size", **found)),
        paragraph(say("eps.place", **found)),
        play("eps", draw, say("eps.caption")),
        claim(say("eps.everywhere"), say("eps.everywhere_answer", **found)),
        homes(say),
        claim(say("eps.zero"), say("eps.zero_answer", **found)),
        paragraph(say("eps.scale", **found)),
        play("eps_scale", draw, say("eps.scale_caption", **found)),
        claim(say("eps.loss"), say("eps.loss_answer", **found)),
        paragraph(say("eps.keep")),
    )
