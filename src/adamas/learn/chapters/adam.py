"""Adam as the two ideas together: its text, its formula, the curve of each name, and the names."""

import html
from inspect import getsource
from itertools import pairwise

from adamas.classes import hypers
from adamas.homes import keras, optax, torch
from adamas.kernel.formula import parse
from adamas.learn.frames import Draw, claim, play
from adamas.learn.numbers import shown
from adamas.learn.problems import PROBLEMS
from adamas.learn.text import Say
from adamas.learn.trace import follow, trace
from adamas.learn.typeset import mathml
from adamas.pages.elements import bullets, paragraph, section, source, table
from adamas.rules import adam, sgd

LR, STEPS, EARLY, LAST = 0.05, 200, 20, 100
FORMULA = parse(adam)
LINES = ("g", "m", "v", "hats", "p")  # what the sentences about the lines are called
SIGN_LR, PAIR = 0.1, (200.0, 1.0)
NONE = "–"
# The letters of Kingma & Ba 2015 and of d2l.ai, section 12.10, by the names of the rule.
LETTERS = {
    "p": ("θ", "x"),
    "g": ("g", "g"),
    "m": ("m", "v"),
    "v": ("v", "s"),
    "m_hat": ("m̂", "v̂"),
    "v_hat": ("v̂", "ŝ"),
    "lr": ("α", "η"),
    "beta1": ("β₁", "β₁"),
    "beta2": ("β₂", "β₂"),
    "eps": ("ε", "ε"),
    "weight_decay": (NONE, "λ"),
}


def ratios() -> list[float]:
    """Return the length of each step in units of lr, with noise, as in the figure."""
    points = trace(adam, PROBLEMS["parabola"], STEPS, lr=LR, noise=1.0, seed=1).points
    return [abs(b[0] - a[0]) / LR for a, b in pairwise(points)]


def without_memory(g: tuple[float, ...]) -> list[float]:
    """Return the step for these gradients where both betas are 0."""
    way = follow(adam, [g], (0.0,) * len(g), lr=SIGN_LR, beta1=0.0, beta2=0.0)
    return [-x for x in way.last]


def names(name: str) -> list[str]:
    """Return what torch, Keras and optax call a name of the rule, in code."""
    betas = {one: f"betas[{at}]" for one, (_, at) in torch.BETAS.items()}
    known: list[dict[str, str]] = [
        {**torch.ADAM_STATES, **betas, "lr": "lr", "eps": "eps", "weight_decay": "weight_decay"},
        {**keras.moments(FORMULA), **keras.NAMES},
        {**optax.ADAM, **optax.NAMES, "eps": "eps"},
    ]
    return [f"<code>{html.escape(one[name])}</code>" if name in one else NONE for one in known]


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    found = ratios()
    plain = follow(sgd, [PAIR], (0.0, 0.0), lr=SIGN_LR).last
    numbers = {
        "memory1": shown(1 / (1 - hypers(adam)["beta1"])),
        "memory2": shown(1 / (1 - hypers(adam)["beta2"])),
        "steps": STEPS,
        "start": shown(PROBLEMS["parabola"].start[0]),
        "lr": shown(LR),
        "early": EARLY,
        "last": LAST,
        "begin": shown(sum(found[:EARLY]) / EARLY, 2),
        "late": shown(sum(found[-LAST:]) / LAST, 2),
        "sign_lr": shown(SIGN_LR),
        "large": shown(PAIR[0]),
        "small": shown(PAIR[1]),
        "large_step": shown(without_memory(PAIR)[0]),
        "small_step": shown(without_memory(PAIR)[1]),
        "plain_large": shown(-plain[0]),
        "plain_small": shown(-plain[1]),
    }
    rows = [
        [say(f"adam.means.{name}"), f"<code>{name}</code>", *letters, *names(name)]
        for name, letters in LETTERS.items()
    ]
    head = [
        say("adam.means_head"),
        "adamas",
        say("adam.paper"),
        "d2l.ai",
        "torch",
        "Keras",
        "optax",
    ]
    label = html.escape(say("adam.typeset"))
    return section(
        "adam",
        say("adam.title"),
        paragraph(say("adam.why")),
        source(getsource(adam)),
        bullets([say(f"adam.line.{line}", **numbers) for line in LINES]),
        paragraph(say("adam.typeset")),
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f"{mathml(FORMULA, say)}</div>",
        paragraph(say("adam.curves", **numbers)),
        play("adam", draw, say("adam.caption", **numbers)),
        paragraph(say("adam.ratio", **numbers)),
        claim(say("adam.claim"), say("adam.answer", **numbers)),
        paragraph(say("adam.letters")),
        table(say("adam.table"), head, rows),
        paragraph(say("adam.keep")),
    )
