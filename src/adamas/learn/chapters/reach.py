"""How far a run can get: lr times steps, the tutorial's fault, schedules, and the longest step."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from math import sqrt

from adamas.classes import hypers
from adamas.learn.frames import Draw, claim, play
from adamas.learn.numbers import shown
from adamas.learn.problems import POINTS, SLOPE, best_line, line_loss
from adamas.learn.text import Say
from adamas.learn.trace import Trace, follow, trace_of_line
from adamas.pages.elements import paragraph, section, table
from adamas.rules import adam
from adamas.schedule import cosine

LR, EPOCHS, EVERY = 0.001, 1000, 100
RATES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
USUAL = (1e-3, 1e-5)  # the range that tutorials give
RATE, SHORT, BATCH, STEPS, LAST, SEEDS = 0.1, 0.01, 4, 500, 100, 3
QUIET = (100, 1000, 10_000)
GROWING = 60  # gradients after the longest silence


@cache
def tutorial(lr: float = LR) -> Trace:
    """Return the tutorial's run."""
    return trace_of_line(adam, EPOCHS, lr=lr)


def longest(run: Trace) -> float:
    """Return the longest step of a run in units of its lr."""
    return max(abs(b[0] - a[0]) for a, b in pairwise(run.points)) / LR


@cache
def distance(lr: float | Callable[[int], float]) -> float:
    """Return how far from the best w a run on batches is at its end: the mean over seeds."""
    (best,) = best_line()
    found = 0.0
    for seed in range(SEEDS):
        points = trace_of_line(adam, STEPS, batch=BATCH, seed=seed, lr=lr).points[-LAST:]
        found += sqrt(sum((w - best) ** 2 for (w,) in points) / LAST) / SEEDS
    return found


@cache
def after_silence(steps: int) -> float:
    """Return the step, in units of lr, of one gradient after so many of 0."""
    return -follow(adam, [(0.0,)] * steps + [(1.0,)], (0.0,), lr=1.0).last[0]


def bound() -> float:
    """Return the limit, in units of lr, of the step that one gradient after a silence makes."""
    beta1, beta2 = hypers(adam)["beta1"], hypers(adam)["beta2"]
    return float((1 - beta1) / sqrt(1 - beta2))


def most_of_all() -> float:
    """Return the limit of any step: the bound on a sum of products (Cauchy-Schwarz)."""
    beta1, beta2 = hypers(adam)["beta1"], hypers(adam)["beta2"]
    return float(bound() / sqrt(1 - beta1**2 / beta2))


def growth() -> float:
    """Return by what each gradient must grow for steps to come to that limit."""
    return float(hypers(adam)["beta2"] / hypers(adam)["beta1"])


@cache
def grown() -> float:
    """Return the longest step of gradients that grow so after the longest silence."""
    given = [0.0] * QUIET[-1] + [growth() ** k for k in range(GROWING)]
    points = follow(adam, [(g,) for g in given], (0.0,), lr=1.0).points
    return max(a[0] - b[0] for a, b in pairwise(points))


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    run, (best,) = tutorial(), best_line()
    beta1, beta2 = hypers(adam)["beta1"], hypers(adam)["beta2"]
    numbers = {
        "points": POINTS,
        "slope": SLOPE,
        "lr": shown(LR),
        "epochs": EPOCHS,
        "every": EVERY,
        "w": f"{run.last[0]:.8f}",
        "short_w": shown(run.last[0], 3),
        "loss": f"{run.losses[EPOCHS - 1]:.4f}",
        "best": shown(best),
        "exact_best": f"{best:.8f}",
        "least": f"{line_loss(best):.4f}",
        "reach": shown(LR * EPOCHS),
        "usual_high": shown(USUAL[0]),
        "usual_low": shown(USUAL[1]),
        "need": shown(best / EPOCHS, 2),
        "rate": shown(RATE),
        "batch": BATCH,
        "steps": STEPS,
        "last": LAST,
        "seeds": SEEDS,
        "constant": shown(distance(RATE), 2),
        "cosine": shown(distance(cosine(RATE, steps=STEPS)), 2),
        "short": shown(SHORT),
        "short_reach": shown(SHORT * STEPS),
        "short_half": shown(SHORT * STEPS / 2),
        "short_constant": shown(distance(SHORT), 2),
        "short_cosine": shown(distance(cosine(SHORT, steps=STEPS)), 2),
        "most": shown(longest(run)),
        "new_m": shown(1 - beta1, 3),
        "new_v": shown(1 - beta2, 3),
        "bound": shown(bound(), 3),
        "growth": shown(growth(), 3),
        "grown": shown(grown(), 3),
        "most_of_all": shown(most_of_all(), 3),
    }
    for key, steps in zip("abc", QUIET, strict=True):
        numbers |= {f"quiet_{key}": steps, f"after_{key}": shown(after_silence(steps), 3)}
    log = [
        [str(e), f"{run.losses[e - 1]:.4f}", f"{run.points[e][0]:.4f}", shown(LR * e)]
        for e in range(EVERY, EPOCHS + 1, EVERY)
    ]
    tried = [(lr, tutorial(lr)) for lr in RATES]
    rates = [
        [shown(lr), shown(lr * EPOCHS), f"{one.last[0]:.4f}", f"{one.losses[-1]:.4f}"]
        for lr, one in tried
    ]
    head = [say("reach.w_head", **numbers), say("axis.loss")]
    return section(
        "reach",
        say("reach.title"),
        paragraph(say("reach.run", **numbers)),
        table(
            say("reach.log", **numbers),
            [say(f"reach.{key}") for key in ("epoch", "printed", "w_now", "way")],
            log,
        ),
        paragraph(say("reach.fault", **numbers)),
        play("reach", draw, say("reach.caption", **numbers)),
        paragraph(say("reach.range", **numbers)),
        table(say("reach.rates", **numbers), ["lr", say("reach.product"), *head], rates),
        paragraph(say("reach.choose", **numbers)),
        claim(say("reach.claim2"), say("reach.answer2", **numbers)),
        play("schedule", draw, say("reach.schedule_caption", **numbers)),
        paragraph(say("reach.half", **numbers)),
        claim(say("reach.claim3"), say("reach.answer3", **numbers)),
        paragraph(say("reach.keep")),
    )
