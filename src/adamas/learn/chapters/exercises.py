"""Ten exercises: a number to work out, which the page checks, and pictures to draw oneself."""

import html
from collections.abc import Callable
from math import log, sqrt

from adamas.classes import hypers
from adamas.learn.frames import Draw, play
from adamas.learn.numbers import shown, written
from adamas.learn.text import Say
from adamas.learn.trace import Trace, follow, trace_of_line
from adamas.pages.elements import details, markup, paragraph, section, source
from adamas.rules import adam, adamw

SETTINGS = {
    "alternating": 1000,
    "goal": 1.0,
    "goal_lr": 0.01,
    "tiny": 1e-8,
    "before": 3.0,
    "now": 0.001,
    "late": 1000,
    "lr": 0.001,
    "decay": 0.1,
    "adamw_steps": 1000,
    "l2_steps": 100,
    "parameters": 1e7,
}
FIT_LR, FIT_STEPS = 0.1, 300
SLOW_LR = 0.001  # the tutorial's

DRAW = """\
import matplotlib.pyplot as plt
import numpy as np
import adamas

random = np.random.RandomState(42)
x = random.rand(100, 1) * 10
y = 2.5 * x + random.randn(100, 1)
# or your own file: x, y = np.loadtxt("mine.csv", delimiter=",", skiprows=1, unpack=True)

w, losses = np.zeros(1), []
optimizer = adamas.Adam(w, lr=0.1)
for _ in range(300):
    error = x * w - y
    losses.append(np.mean(error**2))
    optimizer.step(np.array([2 * np.mean(error * x)]))

figure, (left, right) = plt.subplots(1, 2)
left.plot(losses)
left.set(xlabel="step", ylabel="loss", yscale="log")
right.scatter(x, y, s=12)
right.plot([0, 10], [0, 10 * w[0]], color="tab:orange")
right.set(xlabel="x", ylabel="y")
figure.savefig("fit.png")
"""


def last_step(gradients: list[float], **hypers: float) -> float:
    """Return the length of Adam's last step in units of lr."""
    points = follow(adam, [(g,) for g in gradients], (0.0,), lr=1.0, **hypers).points
    return abs(points[-1][0] - points[-2][0])


def uncorrected() -> float:
    """Return the length of the first step without bias correction, in units of lr."""
    state = follow(adam, [(1.0,)], (0.0,)).states[0]
    return float(state["m"][0] / sqrt(state["v"][0]))


def half_life() -> float:
    """Return after how many steps a gradient weighs half as much in `m`."""
    states = follow(adam, [(1.0,), (0.0,)], (0.0,)).states
    return log(0.5) / log(states[1]["m"][0] / states[0]["m"][0])


def arrives(lr: float = SETTINGS["goal_lr"]) -> float:
    """Return the steps that Adam takes on the tutorial's line to get to the goal."""
    points = trace_of_line(adam, 1500, lr=lr).points
    return float(next(t for t, (w,) in enumerate(points) if w >= SETTINGS["goal"]))


def left_over(
    rule: Callable[..., object], steps: float, lr: float, decay: float = SETTINGS["decay"]
) -> float:
    """Return what a weight of 1 becomes that has no gradient, only weight decay."""
    return follow(rule, [(0.0,)] * int(steps), (1.0,), lr=lr, weight_decay=decay).last[0]


ANSWERS: dict[str, Callable[[], float]] = {
    "first": uncorrected,
    "memory": half_life,
    "alternate": lambda: last_step([(-1.0) ** t for t in range(int(SETTINGS["alternating"]))]),
    "reach": arrives,
    "eps": lambda: last_step([SETTINGS["tiny"]] * 10),
    "sign": lambda: last_step([SETTINGS["before"], SETTINGS["now"]], beta1=0.0, beta2=0.0),
    "late": lambda: last_step([0.0] * int(SETTINGS["late"] - 1) + [1.0]),
    "decoupled": lambda: left_over(adamw, SETTINGS["adamw_steps"], SETTINGS["lr"]),
    "l2": lambda: left_over(adam, SETTINGS["l2_steps"], SETTINGS["lr"]),
    "bytes": lambda: (
        4 * len(follow(adam, [(1.0,)], (0.0,)).states[0]) * SETTINGS["parameters"] / 1e6
    ),
}
"""The exercises in their order, and the number that each asks for."""


def fitted() -> Trace:
    """Return the run on the tutorial's line whose pictures are drawn."""
    return trace_of_line(adam, FIT_STEPS, lr=FIT_LR)


def exercise(key: str, number: int, say: Say, numbers: dict[str, str]) -> str:
    """Return one exercise: the question, a place for a number, a hint and the answer, folded."""
    question = markup(say(f"exercises.{key}.question", **numbers))
    label, check = (html.escape(say(f"play.exercises.{name}")) for name in ("yours", "check"))
    described = f'aria-describedby="question-{key}"'
    return "\n".join(
        [
            f'<div class="exercise" id="exercise-{key}">',
            f'<p id="question-{key}"><strong>{number}.</strong> {question}</p>',
            f'<form class="controls" data-exercise="{key}"><label class="control">'
            f'<span>{label}</span><input type="text" inputmode="decimal" autocomplete="off" '
            f"{described}></label>"
            f'<div class="buttons"><button type="submit" {described}>{check}</button></div></form>',
            '<p class="sentence" role="status"></p>',
            details(say("exercises.hint"), paragraph(say(f"exercises.{key}.hint", **numbers))),
            details(say("exercises.answer"), paragraph(say(f"exercises.{key}.answer", **numbers))),
            "</div>",
        ]
    )


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    fit = fitted()
    numbers = {name: shown(value) for name, value in SETTINGS.items()}
    beta1, beta2 = hypers(adam)["beta1"], hypers(adam)["beta2"]
    numbers |= written(3, beta1=beta1, new_m=1 - beta1, new_v=1 - beta2, sum_m=1 + beta1)
    numbers |= written(1, slow_lr=SLOW_LR, more=SETTINGS["goal_lr"] / SLOW_LR)
    numbers |= {"begin": shown(fit.losses[0]), "end": shown(fit.losses[-1])}
    numbers |= {"w": shown(fit.last[0]), "fit_lr": shown(FIT_LR), "fit_steps": shown(FIT_STEPS)}
    items = [
        exercise(key, number, say, {**numbers, "found": shown(answer(), 3)})
        for number, (key, answer) in enumerate(ANSWERS.items(), 1)
    ]
    return section(
        "exercises",
        say("exercises.title"),
        paragraph(say("exercises.how")),
        *items,
        paragraph(say("exercises.draw", **numbers)),
        play("fit", draw, say("exercises.fit_caption")),
        details(say("exercises.code"), source(DRAW)),
        paragraph(say("exercises.notebooks")),
    )
