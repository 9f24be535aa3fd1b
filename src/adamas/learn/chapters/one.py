"""One number, one step: what a rule does with today's numbers, and how large lr may be."""

from adamas.learn.frames import Draw, play
from adamas.learn.numbers import shown
from adamas.learn.problems import PROBLEMS, Problem
from adamas.learn.text import Say
from adamas.learn.trace import trace
from adamas.pages.elements import paragraph, section, table
from adamas.rules import adam, sgd

PARABOLA, LR, STEPS = PROBLEMS["parabola"], 0.1, 10
# Each with the word for what becomes of w.
RATES = {0.001: "slow", 0.1: "well", 1.0: "once", 1.9: "across", 2.0: "forever", 2.2: "away"}
CURVATURE = 10


def steep(curvature: float) -> Problem:
    """Return a parabola of this curvature."""
    return Problem(
        "steep", lambda x: curvature * x * x / 2, lambda x: curvature * x, PARABOLA.start, (), ()
    )


def weights(lr: float, steps: int = STEPS, curvature: float = 1.0) -> list[float]:
    """Return the weights that plain gradient descent passes, the start first."""
    return [p[0] for p in trace(sgd, steep(curvature), steps, lr=lr).points]


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    w = weights(LR)
    of_adam = trace(adam, PARABOLA, 1, lr=LR).points
    numbers = {
        "start": shown(w[0]),
        "lr": shown(LR),
        "first_step": shown(w[0] - w[1]),
        "first": shown(w[1]),
        "second_step": shown(w[1] - w[2]),
        "factor": shown(w[1] / w[0]),
        "steps": STEPS,
        "last": shown(w[-1], 3),
        "adam_step": shown(of_adam[0][0] - of_adam[1][0]),
        "curvature": CURVATURE,
        "limit": shown(2 / CURVATURE),
    }
    rows = [
        [shown(lr), shown(weights(lr, 1)[1] / w[0]), shown(weights(lr)[-1], 3), say(f"one.{what}")]
        for lr, what in RATES.items()
    ]
    head = [say("one.lr_head"), say("one.factor_head"), say("one.last_head", **numbers)]
    return section(
        "one",
        say("one.title"),
        paragraph(say("one.why")),
        paragraph(say("one.step", **numbers)),
        play("one", draw, say("one.caption")),
        paragraph(say("one.rates", **numbers)),
        table(say("one.rates_caption", **numbers), [*head, say("one.what_head")], rows),
        paragraph(say("one.limit", **numbers)),
        paragraph(say("one.others", **numbers)),
        paragraph(say("one.keep")),
    )
