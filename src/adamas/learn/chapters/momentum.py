"""Momentum: how long an average remembers, what that is good for, and why it overshoots."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from math import log, sqrt
from typing import Any

from adamas.classes import hypers
from adamas.learn.frames import Draw, play
from adamas.learn.numbers import shown
from adamas.learn.problems import PROBLEMS
from adamas.learn.text import Say
from adamas.learn.trace import Trace, follow, trace
from adamas.pages.elements import paragraph, section
from adamas.rules import adam, momentum, sgd

BETA, LR, STEPS, TURN = hypers(adam)["beta1"], 0.1, 100, 60
STEEP = 50  # how much more curved the valley is across than along
FAR = 1000  # what the loss is divided by
QUICK = {"lr": 0.056, "beta": 0.62}  # found by trying, for just that


def half(beta: float) -> float:
    """Return how many of the newest gradients have half of the weight."""
    return log(1 / 2) / log(beta)


def noise_left(beta: float) -> float:
    """Return the standard deviation of the average of independent numbers, in that of one."""
    return sqrt((1 - beta) / (1 + beta))


def crossings(points: list[list[float]]) -> list[int]:
    """Return the steps at which the weight changed its sign."""
    pairs = enumerate(pairwise(points), start=1)
    return [t for t, ((a,), (b,)) in pairs if a * b < 0]


def on_parabola(beta: float) -> Trace:
    """Return a run of momentum on the parabola."""
    return trace(momentum, PROBLEMS["parabola"], STEPS, lr=LR, beta=beta)


@cache
def turning(beta: float) -> int:
    """Return after how many steps an average sees that a steady gradient has turned round."""
    given = [(1.0,)] * 1000 + [(-1.0,)] * 1000
    states = follow(adam, given, (0.0,), beta1=beta).states
    return next(t for t, one in enumerate(states[1000:], start=1) if one["m"][0] < 0)


@cache
def fastest() -> dict[str, dict[str, float]]:
    """Return hyper-parameters for the valley by rule.

    Those of momentum are best in the long run (Polyak 1964), that of plain descent is the best
    found up to where it diverges.
    """
    root = sqrt(STEEP)
    rates = [k / 1000 for k in range(20, 40)]
    return {
        "sgd": {"lr": min(rates, key=lambda lr: steps_in_valley(sgd, lr=lr))},
        "momentum": {"lr": 4 / (root + 1) ** 2, "beta": ((root - 1) / (root + 1)) ** 2},
    }


def steps_in_valley(rule: Callable[..., Any], **chosen: Any) -> int:
    """Return the steps until the loss stays below a thousandth of what it was."""
    losses = trace(rule, PROBLEMS["valley"], 200, **chosen).losses
    return 1 + max(t for t, loss in enumerate(losses) if loss >= losses[0] / FAR)


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    run, chosen = on_parabola(BETA), fastest()
    crossed = crossings(run.points)
    numbers = {
        "beta": shown(BETA),
        "old": shown(100 * BETA),
        "new": shown(100 * (1 - BETA)),
        "w0": shown(1 - BETA, 3),
        "w1": shown((1 - BETA) * BETA, 3),
        "w2": shown((1 - BETA) * BETA**2, 3),
        "half": shown(half(BETA), 3),
        "long": shown(hypers(adam)["beta2"]),
        "long_half": shown(half(hypers(adam)["beta2"]), 3),
        "noise": shown(100 * noise_left(BETA), 2),
        "at": TURN,
        "turn": turning(BETA),
        "total": shown(1 / (1 - BETA)),
        "cross": crossed[0],
        "g": shown(run.gradients[crossed[0] - 1][0], 2),
        "m": shown(run.states[crossed[0] - 1]["m"][0], 2),
        "lr": shown(LR),
        "steps": STEPS,
        "times": len(crossed),
        "steep": STEEP,
        "far": FAR,
        "sgd_lr": shown(chosen["sgd"]["lr"], 2),
        "sgd_steps": steps_in_valley(sgd, **chosen["sgd"]),
        "momentum_lr": shown(chosen["momentum"]["lr"], 2),
        "momentum_beta": shown(chosen["momentum"]["beta"], 2),
        "quick_lr": shown(QUICK["lr"]),
        "quick_beta": shown(QUICK["beta"]),
        "quick_steps": steps_in_valley(momentum, **QUICK),
        "momentum_steps": steps_in_valley(momentum, **chosen["momentum"]),
    }
    return section(
        "momentum",
        say("momentum.title"),
        paragraph(say("momentum.why", **numbers)),
        paragraph(say("momentum.weights", **numbers)),
        paragraph(say("momentum.noise", **numbers)),
        play("momentum", draw, say("momentum.caption")),
        paragraph(say("momentum.sum", **numbers)),
        paragraph(say("momentum.overshoot", **numbers)),
        play("overshoot", draw, say("momentum.overshoot_caption", **numbers)),
        paragraph(say("momentum.valley", **numbers)),
        paragraph(say("momentum.keep", **numbers)),
    )
