"""Weight decay through the gradient, and beside it."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from adamas.kernel.formula import parse
from adamas.learn.frames import Draw, claim, play
from adamas.learn.numbers import written
from adamas.learn.problems import Problem
from adamas.learn.text import Say
from adamas.learn.trace import normal, trace
from adamas.pages.elements import paragraph, section
from adamas.rules import adam, adamw

# Two weights at 1 whose gradients change their sign at every step: they tell of no better place.
LARGE, LITTLE = 100.0, 1.0
DECAY, LR, STEPS = 0.5, 2e-3, 1000


def idle_slope(x: float, y: float, t: int) -> tuple[float, float]:
    """Return gradients that change their sign at every step."""
    return (LARGE, LITTLE) if t % 2 else (-LARGE, -LITTLE)


IDLE = Problem("idle", lambda x, y: 0.0, idle_slope, (1.0, 1.0), (), (), timed=True)

# Two weights that the data pull to `LEAST`, the second with gradients 50 times as large.
LEAST, CURVATURE = (1.6, 1.0), 50.0
PULL_LR, PULL_STEPS, LATE, SEED = 1e-2, 1200, 400, 7


def pulled_slope(x: float, y: float, t: int) -> tuple[float, float]:
    """Return the gradient of one sample; every second one scatters against the one before."""
    sign, pair = (1 if t % 2 else -1), (t + 1) // 2
    off = [sign * normal(SEED, 2 * pair + i) for i in (0, 1)]
    return x - LEAST[0] + off[0], CURVATURE * (y - LEAST[1] + off[1])


PULLED = Problem("pulled", lambda x, y: 0.0, pulled_slope, (-1.0, -0.6), (), LEAST, timed=True)


def ends(rule: Callable[..., Any], decay: float = DECAY) -> list[float]:
    """Return where both idle weights end, that of the large gradients first."""
    return trace(rule, IDLE, STEPS, lr=LR, weight_decay=decay).last


def shares(rule: Callable[..., Any], decay: float = DECAY) -> list[float]:
    """Return which share of the least point both pulled weights keep, on the mean of late steps."""
    run = trace(rule, PULLED, PULL_STEPS, lr=PULL_LR, weight_decay=decay)
    late = np.mean(run.points[-LATE:], axis=0)
    return [float(one / best) for one, best in zip(late, LEAST, strict=True)]


def resting(lr: float, steps: int) -> float:
    """Return what AdamW makes of a weight of 1 without a gradient, at its own decay."""
    still = Problem("still", lambda x: 0.0, lambda x: 0.0, (1.0,), (), ())
    return trace(adamw, still, steps, lr=lr).last[0]


@cache
def numbers() -> dict[str, object]:
    """Return what fills the sentences."""
    hypers, many = dict(parse(adamw).hypers), 10_000
    lr, default = float(hypers["lr"]), float(hypers["weight_decay"])
    found = written(2, decay=DECAY, curvature=CURVATURE, free=(1 - LR * DECAY) ** STEPS)
    for name, rule in {"l2": adam, "apart": adamw}.items():
        keys = [f"{name}_{key}" for key in ("large", "little", "x", "y")]
        found |= written(2, **dict(zip(keys, [*ends(rule), *shares(rule)], strict=True)))
    found |= written(5, lr=lr, default=default, factor=resting(lr, 1), slow_lr=lr / 10)
    found |= written(5, idle_lr=LR, idle_decay=DECAY, factor_free=1 - LR * DECAY)
    found |= written(5, pull_lr=PULL_LR, pull_steps=PULL_STEPS)
    found |= written(3, rest=resting(lr, many), slow_rest=resting(lr / 10, many))
    return {"steps": STEPS, "many": many, **written(3, large=LARGE, little=LITTLE), **found}


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    found = numbers()
    return section(
        "decay",
        say("decay.title"),
        paragraph(say("decay.why", **found)),
        paragraph(say("decay.idle", **found)),
        play("decay", draw, say("decay.caption", **found)),
        claim(say("decay.same"), say("decay.same_answer", **found)),
        paragraph(say("decay.pull", **found)),
        play("decay_paths", draw, say("decay.paths_caption", **found)),
        claim(say("decay.rate"), say("decay.rate_answer", **found)),
        claim(say("decay.bias"), say("decay.bias_answer", **found)),
        paragraph(say("decay.keep")),
    )
