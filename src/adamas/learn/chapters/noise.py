"""What noise does to both averages: batches, beta2, and losses that rise by themselves."""

from functools import cache
from math import sqrt

import numpy as np

from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.learn.frames import Draw, claim, play
from adamas.learn.measured import measured
from adamas.learn.numbers import shown, written
from adamas.learn.problems import PROBLEMS, Problem, best_line, line_loss
from adamas.learn.text import Say
from adamas.learn.trace import trace, trace_of_line
from adamas.pages.elements import paragraph, section, table
from adamas.rules import adam

ALTERNATING = Problem(
    "alternating", lambda x: 0.0, lambda x, t: 1.0 if t % 2 else -1.0, (0.0,), (), (), timed=True
)
CONSTANT = Problem("constant", lambda x: 0.0, lambda x: 1.0, (0.0,), (), ())
# A step at which nothing is left to correct; what the figures of silence and of batches have.
FAR, SILENCE, SAMPLES = 100_000, 10_000, 1280
SPIKE_BETA2, SPIKE_LR, SPIKE_STEPS = 0.99, 0.01, 2500
RATES = [10 ** (k / 4) for k in range(-10, 1)]
BETA2, LOW_BETA2, LONG_LR, LINE_STEPS, SEEDS = 0.999, 0.5, 0.1, 400, 2


def late(problem: Problem, steps: int = 1000) -> tuple[float, float]:
    """Return `v_hat` and the length of the last step in units of lr."""
    run = trace(adam, problem, steps, lr=1.0)
    v_hat = run.states[-1]["v"][0] / (1 - BETA2**steps)
    return v_hat, abs(run.points[-1][0] - run.points[-2][0])


def after(silence: int) -> tuple[float, float]:
    """Return how far one gradient of 1 moves a weight after many of 1 and then `silence` of 0.

    In units of lr: its first step, and how far it moves the weight in all.
    """
    run = Reference(parse(adam), np.zeros(1), lr=1.0)
    run.t = FAR
    run.state |= {"m": np.ones(1), "v": np.ones(1)}
    for _ in range(silence):
        run.step(np.zeros(1))
    start = float(run.p[0])
    run.step(np.ones(1))
    first = float(run.p[0])
    for _ in range(300):
        run.step(np.zeros(1))
    return start - first, start - float(run.p[0])


@cache
def spike() -> tuple[int, float, int, float]:
    """Return the step and the loss at its least on the parabola, and of the highest one after."""
    losses = trace(adam, PROBLEMS["parabola"], SPIKE_STEPS, lr=SPIKE_LR, beta2=SPIKE_BETA2).losses
    least = int(np.argmin(losses))
    most = least + int(np.argmax(losses[least:]))
    return least, losses[least], most, losses[most]


def excess(lr: float, beta2: float, batch: int = 1, steps: int = LINE_STEPS) -> float:
    """Return how far the loss of the line lies above the least, on the mean of the last fifth."""
    (best,) = best_line()
    bend = line_loss(best + 1) - line_loss(best)
    found = []
    for seed in range(SEEDS):
        points = trace_of_line(adam, steps, batch=batch, seed=seed, lr=lr, beta2=beta2).points
        found += [bend * (p[0] - best) ** 2 for p in points[-(steps // 5) :]]
    return float(np.mean(found))


@cache
def best_rate(beta2: float) -> float:
    """Return the rate of `RATES` after which the line's loss is least."""
    return min(RATES, key=lambda lr: excess(lr, beta2))


@cache
def numbers() -> dict[str, object]:
    """Return what fills the sentences."""
    (v_noise, noise_step), (v_steady, steady_step) = late(ALTERNATING), late(CONSTANT)
    first, total = after(SILENCE)
    least_at, least, most_at, most = spike()
    study, k = measured()["batches"]["adam"], 8
    found = written(3, v_noise=v_noise, v_steady=v_steady, steady_step=steady_step)
    found |= written(3, first=first, total=total, sqrt_k=sqrt(k))
    found |= written(2, noise_step=noise_step, root=sqrt(BETA2**SILENCE), rate=best_rate(BETA2))
    found |= written(2, low_rate=best_rate(LOW_BETA2))
    found |= written(2, loss=excess(LONG_LR, BETA2), low_loss=excess(LONG_LR, LOW_BETA2))
    found |= written(2, least_loss=excess(best_rate(BETA2), BETA2))
    found |= written(2, low_least=excess(best_rate(LOW_BETA2), LOW_BETA2))
    found |= written(1, least=least, most=most)
    found |= written(4, spike_beta2=SPIKE_BETA2, spike_lr=SPIKE_LR, beta2=BETA2)
    found |= written(4, low_beta2=LOW_BETA2, long=LONG_LR)
    for name, one in zip(("small", "large"), study["factors"].values(), strict=True):
        by = {f"{name}_by": one["factor"], f"{name}_low": one["low"], f"{name}_high": one["high"]}
        found |= written(2, **by)
    sizes = dict(zip(("b1", "b2", "b3"), study["batches"], strict=True))
    at = {"silence": SILENCE, "least_at": least_at, "most_at": most_at, "samples": SAMPLES, "k": k}
    at["line_steps"] = LINE_STEPS
    return {**at, **sizes, **found}


def batches(say: Say) -> str:
    """Return the table of best rates on the digits."""
    head = [say(f"noise.{name}") for name in ("batch", "rate_head", "interval")]
    rows = [
        [size, shown(one["lr"], 2), f"{shown(one['low'], 2)} … {shown(one['high'], 2)}"]
        for size, one in measured()["batches"]["adam"]["batches"].items()
    ]
    return table(say("noise.batches"), head, rows)


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    found = numbers()
    return section(
        "noise",
        say("noise.title"),
        paragraph(say("noise.why", **found)),
        play("noise", draw, say("noise.caption")),
        claim(say("noise.variance"), say("noise.variance_answer", **found)),
        paragraph(say("noise.silent", **found)),
        play("noise_silence", draw, say("noise.silence_caption")),
        paragraph(say("noise.alone", **found)),
        play("noise_spike", draw, say("noise.spike_caption", **found)),
        claim(say("noise.data"), say("noise.data_answer", **found)),
        paragraph(say("noise.beta2", **found)),
        play("noise_beta2", draw, say("noise.beta2_caption", **found)),
        claim(say("noise.scale"), say("noise.scale_answer", **found)),
        batches(say),
        play("noise_batch", draw, say("noise.batch_caption", **found)),
        paragraph(say("noise.keep")),
    )
