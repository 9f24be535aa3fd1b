"""Where Adam is not the best: a fair race, a counter-example, and what the lab measured."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.classes import hypers
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.learn.chapters.momentum import fastest
from adamas.learn.frames import NAMES, Draw, claim, play
from adamas.learn.measured import measured
from adamas.learn.numbers import shown, written
from adamas.learn.problems import PROBLEMS
from adamas.learn.text import Say
from adamas.learn.trace import Trace, trace
from adamas.pages.elements import bullets, paragraph, section, table
from adamas.rules import adam, amsgrad, momentum, sgd

Rule = Callable[..., Any]
RACERS: dict[str, Rule] = {"sgd": sgd, "momentum": momentum, "adam": adam}
RATES = 10 ** (np.arange(-80, 21) / 20)
STEPS, LATE = 100, 20
SHORT_STEP, LONG_STEP = 0.01, 0.1  # learning rates that all share
REDDI_STEPS, REDDI_LR, LONG_BETA2 = 150, 0.5, 0.9
C = 3
SHORT_BETA2 = 1 / (1 + C * C)
# The row of docs/lab.md, and the means of SGD and of Adam in it.
APPLICATIONS = {
    "image": ("digits, CNN, %", "97.4", "97.3"),
    "detection": ("detection (composite), AP50", "0.77", "0.81"),
    "language": ("English characters, bits", "2.60", "2.52"),
    "reinforcement": ("CartPole, return", "447", "500"),
}
PAGES = {"en": "docs/lab.md", "zh": "docs/lab.zh.md"}
MEASURED_ON = "2026-11-22"
TIE = 10  # per cent: what the lab rules out before it says "tie"


@cache
def ends(racer: str, problem: str, **hypers: float) -> NDArray[np.float64]:
    """Return the mean loss of the last steps of a run at each of `RATES`."""
    one = PROBLEMS[problem]
    run = Reference(parse(RACERS[racer]), np.outer(one.start, np.ones(len(RATES))), **hypers)
    # One rate for each column.
    run.hypers["lr"] = RATES  # type: ignore[assignment]
    losses = np.zeros(len(RATES))
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(1, STEPS + 1):
            run.step(np.stack(one.gradient(*run.p)))
            if t > STEPS - LATE:
                losses += one.loss(*run.p) / LATE
    return losses


def best(racer: str, problem: str, **hypers: float) -> tuple[float, float]:
    """Return the rate of least loss, and that loss."""
    losses = np.nan_to_num(ends(racer, problem, **hypers), nan=np.inf)
    k = int(np.argmin(losses))
    return float(RATES[k]), float(losses[k])


def polyak() -> tuple[dict[str, float], float]:
    """Return the values of the chapter on momentum, and how its run ends in the valley."""
    chosen = fastest()["momentum"]
    losses = trace(momentum, PROBLEMS["valley"], STEPS, lr=chosen["lr"], beta=chosen["beta"]).losses
    return chosen, float(np.mean(losses[-LATE:]))


def at(racer: str, problem: str, lr: float) -> float:
    """Return the loss at the rate of `RATES` that is nearest."""
    return float(ends(racer, problem)[np.argmin(abs(RATES - lr))])


def reddi(rule: Rule, beta2: float) -> Trace:
    """Return the run of a rule on the counter-example, as in the paper: beta1 = 0, lr / √t."""
    return trace(
        rule,
        PROBLEMS["reddi"],
        REDDI_STEPS,
        lr=lambda t: REDDI_LR / float(np.sqrt(t)),
        beta1=0.0,
        beta2=beta2,
    )


def pulls() -> tuple[float, float]:
    """Return how far the large gradient pulls in a cycle of three, and both small ones, in lr."""
    run = reddi(adam, SHORT_BETA2)
    moved = [
        abs(g[0]) / np.sqrt(state["v"][0])
        for g, state in zip(run.gradients[-C:], run.states[-C:], strict=True)
    ]
    return float(moved[0]), float(moved[1] + moved[2])


def numbers() -> dict[str, object]:
    """Return what fills the sentences."""
    large, small = pulls()
    contests = measured()["contests"]
    away = {f"{name}_percent": one["optimizers"]["sgd"] for name, one in contests.items()}
    found = written(4, short=SHORT_BETA2, long=LONG_BETA2)
    found |= written(4, shared=LONG_STEP, shared_short=SHORT_STEP)
    found |= written(2, **{name: abs(one["percent"]) for name, one in away.items()})
    found |= written(2, large=large, small=small, adam_long=reddi(adam, LONG_BETA2).last[0])
    for rule in (adam, amsgrad):
        found |= written(2, **{f"{rule.__name__}_short": reddi(rule, SHORT_BETA2).last[0]})
    for racer in RACERS:
        found |= written(1, **{f"{racer}_fast": at(racer, "valley", LONG_STEP)})
        found |= written(2, **{f"{racer}_slow": at(racer, "valley", SHORT_STEP)})
        for problem in ("valley", "rosenbrock"):
            found |= written(2, **{f"{racer}_{problem}": best(racer, problem)[1]})
    chosen, loss = polyak()
    found |= written(2, polyak_beta=chosen["beta"], polyak_lr=chosen["lr"])
    found |= written(1, polyak=loss, memoryless=best("adam", "valley", beta1=0.0)[1])
    found |= written(4, kept=hypers(adam)["beta1"])
    found["seeds"] = str(contests["digits"]["seeds"])
    return {"steps": STEPS, "late": LATE, "reddi_steps": REDDI_STEPS, "c": C, **found}


def contests(say: Say) -> str:
    """Return the table of what the lab found."""
    rows = []
    for problem, contest in measured()["contests"].items():
        for name, one in contest["optimizers"].items():
            steps = "–" if one["steps"] is None else shown(one["steps"])
            beside = f"{shown(one['percent_low'], 2)} … {shown(one['percent_high'], 2)} %"
            first = say("limits.row", problem=say(f"limits.{problem}"), rule=NAMES[name])
            own = [first, shown(one["lr"], 2), shown(one["loss"], 3)]
            judged = ["–" if name == "adam" else beside, say(f"limits.{one['word']}"), steps]
            rows.append(own + judged)
    head = [say(f"limits.head_{key}") for key in ("what", "lr", "loss", "beside", "word", "steps")]
    seeds = measured()["contests"]["digits"]["seeds"]
    return table(say("limits.contests", seeds=seeds, tie=TIE), head, rows)


def applications(say: Say) -> str:
    """Return what the lab found on each application that tutorials name."""
    return bullets(
        [
            say(f"limits.{key}", sgd=by_sgd, adam=by_adam)
            for key, (_, by_sgd, by_adam) in APPLICATIONS.items()
        ]
    )


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    found = numbers()
    return section(
        "limits",
        say("limits.title"),
        paragraph(say("limits.fair", **found)),
        paragraph(say("limits.valley", **found)),
        play("limits", draw, say("limits.caption", **found)),
        paragraph(say("limits.reddi", **found)),
        paragraph(say("limits.why", **found)),
        play("limits_reddi", draw, say("limits.reddi_caption", **found)),
        claim(say("limits.claim"), say("limits.answer", **found)),
        contests(say),
        paragraph(
            say(
                "limits.applications",
                date=MEASURED_ON,
                application_seeds=10,
                page=PAGES[say.language],
            )
        ),
        applications(say),
        paragraph(say("limits.keep")),
    )
