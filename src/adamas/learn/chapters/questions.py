"""Ten questions that learners ask: each with its answer in a sentence, and where it is shown."""

import html
from collections.abc import Callable, Mapping
from statistics import fmean

from adamas.dialects import adam_eps_hat
from adamas.learn.chapters import correction, decay, eps, exercises, frameworks, noise, rare
from adamas.learn.frames import Draw
from adamas.learn.measured import measured
from adamas.learn.numbers import above, written
from adamas.learn.problems import best_line
from adamas.learn.text import Say
from adamas.learn.trace import trace_of_line
from adamas.pages.elements import markup, paragraph, section
from adamas.rules import adam, sgd

Slots = Mapping[str, object]
STEPS, TUTORIAL_LR, SMALL_LR, NEAR = 1000, 0.001, 1e-5, 1.1
TINY = 1e-7  # a gradient that eps can be seen beside


def settled() -> int:
    """Return the step from which uncorrected steps are hardly longer than lr."""
    found = correction.lengths(3000)
    longest = found.index(max(found))
    return next(t for t, length in enumerate(found, 1) if t > longest + 1 and length <= NEAR)


def first_steps() -> Slots:
    """Return how long uncorrected steps are, and until when."""
    return {**written(3, first=correction.lengths(1)[0]), "until": settled()}


def forgetting() -> Slots:
    """Return what a small beta2 does to the noisy line."""
    names = (
        "beta2",
        "low_beta2",
        "long",
        "loss",
        "low_loss",
        "rate",
        "low_rate",
        "least_loss",
        "low_least",
        "line_steps",
    )
    return {name: noise.numbers()[name] for name in names}


def places_of_eps() -> Slots:
    """Return the first step with eps after and before the correction, by a gradient near eps."""
    torch, keras = (measured()["adam"][home] for home in ("torch", "keras"))
    g, value = TINY, torch["eps"]
    return written(
        3,
        after=eps.step(adam, g, 1, eps=value),
        before=eps.step(adam_eps_hat, g, 1, eps=value),
        g=g,
        torch_eps=value,
        times=keras["eps"] / value,
        apart=abs(torch["line"] - keras["line"]),
    )


def stopping() -> Slots:
    """Return how far the tutorial's run gets, and what a schedule leaves of the error."""
    reached, line = (
        trace_of_line(adam, STEPS, lr=TUTORIAL_LR).last[0],
        measured()["schedules"]["line"],
    )
    left = 100 * line["cosine"] / line["constant"]
    return written(3, reached=reached, best=best_line()[0], left=left)


def contests() -> Slots:
    """Return how SGD stands beside Adam on each problem."""
    found = {name: one["optimizers"] for name, one in measured()["contests"].items()}
    right = 100 * fmean(row["accuracy"] for row in found["digits"].values())
    better, worse = (found[name]["sgd"]["percent"] for name in ("mnist5k", "sentiment"))
    seeds = measured()["contests"]["digits"]["seeds"]
    return {**written(3, better=-better, worse=worse, right=right), "seeds": seeds}


def seldom() -> Slots:
    """Return how far a rare feature's weight goes, of a frequent one's way."""
    (by_adam, far), (by_sgd, little) = (rare.ways(rule, rare.EVERY) for rule in (adam, sgd))
    return {**written(3, adam=100 * far / by_adam, sgd=100 * little / by_sgd), "every": rare.EVERY}


def decayed() -> Slots:
    """Return where two idle weights end."""
    return {name: decay.numbers()[name] for name in ("l2_large", "l2_little", "apart_little")}


def tuned() -> list[float]:
    """Return Adam's best learning rates, the lowest first."""
    return sorted(row["lr"] for row in measured()["rates"].values())


def rates() -> Slots:
    """Return between what they lie, and what a small one costs."""
    digits, found = measured()["rates"]["digits"], tuned()
    numbers = written(
        3,
        digits_lr=digits["lr"], loss=digits["loss"], small_loss=digits["loss_5"],
        low=found[0], high=found[-1], default=TUTORIAL_LR, small=SMALL_LR,
    )  # fmt: skip
    return {**numbers, "count": len(found)}


def drawn() -> Slots:
    """Return what the curve shows."""
    losses = exercises.fitted().losses
    return {**written(3, begin=losses[0], end=losses[-1]), "steps": exercises.FIT_STEPS}


def homes() -> Slots:
    """Return how near to the exact run every home ends."""
    found = measured()["homes"]
    return {
        "steps": frameworks.STEPS,
        "homes": len(found),
        "most": above(max(row["norm"] for row in found.values())),
    }


QUESTIONS: dict[str, tuple[str, str, Callable[[], Slots]]] = {
    "correction": ("correction", "correction", first_steps),
    "beta2": ("noise", "noise_beta2", forgetting),
    "eps": ("eps", "eps", places_of_eps),
    "stuck": ("reach", "reach", stopping),
    "which": ("limits", "limits", contests),
    "rare": ("rare", "rare", seldom),
    "decay": ("decay", "decay", decayed),
    "rate": ("reach", "reach", rates),
    "draw": ("exercises", "fit", drawn),
    "home": ("frameworks", "frameworks", homes),
}
"""Question -> the chapter that treats it, the figure that shows it, and the answer's numbers."""


def entry(key: str, say: Say) -> str:
    """Return one question with its answer and the places that it leads to."""
    where, figure, slots = QUESTIONS[key]
    question, answer = say(f"questions.{key}"), say(f"questions.{key}_answer", **slots())
    links = [
        f'<a href="#{where}">{html.escape(say(f"{where}.title"))}</a>',
        f'<a href="#play-{figure}">{html.escape(say("questions.picture"))}</a>',
    ]
    return (
        f"<li><p><strong>{markup(question)}</strong> {markup(answer)}</p>\n"
        f'<p class="small">{" · ".join(links)}</p></li>'
    )


def chapter(say: Say, draw: Draw) -> str:
    """Return the section."""
    items = "\n".join(entry(key, say) for key in QUESTIONS)
    return section(
        "questions",
        say("questions.title"),
        paragraph(say("questions.how")),
        f"<ol>\n{items}\n</ol>",
    )
