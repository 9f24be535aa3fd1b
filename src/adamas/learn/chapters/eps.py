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
from adamas.learn.numbers import above, shown, written
from adamas.learn.problems import Problem, line_loss, line_slope
from adamas.learn.text import Say
from adamas.learn.trace import follow, trace, trace_of_line
from adamas.pages.elements import paragraph, section, table
from adamas.rules import adam

EPS, BIG, BETA2 = 1e-8, 1.0, 0.999
# What the loss is multiplied by, and how those runs go.
SMALL, LARGE, LR, STEPS = 1e-3, 1e5, 0.05, 150
# The tutorial's; after as many steps the bias correction is nearly over.
TUTORIAL_LR, LATE = 1e-3, 1000
# What `measured.AdamHome` was measured with.
HOME_STEPS, HOME_LR, TINY = 100, 1 / 1024, 1e-9


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
    problem = Problem("scaled", line_loss, lambda w: factor * line_slope(w)[0], (0.0,), (), ())
    return [p[0] for p in trace(adam, problem, STEPS, lr=LR, eps=eps).points]


def farthest(factor: float, eps: float = EPS) -> float:
    """Return how far the weight is, at most, from that of the loss as it is."""
    return max(abs(a - b) for a, b in zip(scaled(factor, eps), scaled(1.0, eps), strict=True))


def divisor() -> float:
    """Return `sqrt(v_hat)` at the end of the tutorial's run."""
    state = trace_of_line(adam, LATE, lr=TUTORIAL_LR).states[-1]
    return sqrt(state["v"][0] / (1 - BETA2**LATE))


def homes(say: Say) -> str:
    """Return the table of where each library's Adam ends after the same gradients."""
    rows = []
    for name, one in measured()["adam"].items():
        ends = [shown(one["eps"]), shown(one["line"], 10), shown(one["tiny"], 3)]
        if name != "eps_hat":
            rows.append([name.replace("keras", "Keras"), *ends, shown(one["adamw_decay"])])
    head = [say(f"eps.head_{key}") for key in ("home", "eps", "line", "tiny", "decay")]
    return table(say("eps.homes", home_steps=HOME_STEPS, home_lr=shown(HOME_LR)), head, rows)


def part_of_place() -> float:
    """Return the share of the way that is left by the place of eps alone, gradients being tiny.

    The gradients are those that `AdamHome.tiny` was measured with.
    """
    line = trace_of_line(adam, HOME_STEPS, lr=HOME_LR).gradients
    given = [(TINY * g,) for (g,) in line]
    after, before = (
        follow(rule, given, (0.0,), lr=HOME_LR, eps=EPS).last[0] for rule in (adam, adam_eps_hat)
    )
    return before / after


def elsewhere() -> dict[str, str]:
    """Return how far the Adam of other libraries ends from ours."""
    ends = measured()["adam"]
    ours, keras = ends["adamas"], ends["keras"]
    agree = max(abs(ends[name]["line"] - ours["line"]) for name in ("torch", "optax"))
    apart, part = abs(keras["line"] - ours["line"]), keras["tiny"] / ours["tiny"]
    found = {"agree": above(agree)} | written(1, apart=apart, keras_eps=keras["eps"], tiny=TINY)
    found |= written(2, part=part, part_place=part_of_place())
    return found | written(4, times=keras["eps"] / ours["eps"])


def numbers() -> dict[str, object]:
    """Return what fills the sentences."""
    root, small_g = divisor(), 1e-3
    whole, half = (step(adam, g, 1, eps=BIG) for g in (small_g, small_g / 2))
    same = step(adam, small_g / 2, 1) / step(adam, small_g, 1)
    least = float(np.finfo(np.float16).smallest_subnormal)
    found = written(2, far=step(adam, 100 * EPS, 1), half=step(adam, EPS, 1))
    found |= written(2, below=step(adam, EPS / 100, 1), least16=least, share=EPS / root)
    found |= written(2, root_eps=1e-15 / step(rmsprop_eps_inside, 1e-15, 1, eps=EPS))
    off = {"small": farthest(SMALL), "large": farthest(LARGE), "one": farthest(SMALL, BIG)}
    found |= {f"off_{name}": above(value, 2) for name, value in off.items()}
    found |= written(2, ratio=half / whole, ratio_small=same)
    found |= written(3, hat_first=hat(1), hat_late=hat(LATE), root=root, whole=whole)
    found |= written(4, eps=EPS, g_far=100 * EPS, g_below=EPS / 100, big=BIG, g_one=small_g)
    found |= written(4, small=SMALL, large=LARGE)
    return {"late": LATE, "steps": STEPS, **found, **elsewhere()}


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    found = numbers()
    return section(
        "eps",
        say("eps.title"),
        paragraph(say("eps.size", **found)),
        paragraph(say("eps.place", **found)),
        play("eps", draw, say("eps.caption", beta2=shown(BETA2))),
        claim(say("eps.everywhere"), say("eps.everywhere_answer", **found)),
        homes(say),
        claim(say("eps.zero"), say("eps.zero_answer", **found)),
        paragraph(say("eps.scale", **found)),
        play("eps_scale", draw, say("eps.scale_caption", **found)),
        claim(say("eps.loss"), say("eps.loss_answer", **found)),
        paragraph(say("eps.keep")),
    )
