"""Claim one: rare features get larger steps, put to the test on synthetic documents."""

from dataclasses import replace
from typing import Any

from matplotlib.axes import Axes

from adamas.lab.demo.contest import REFERENCE
from adamas.lab.demo.rare_steps import RareSteps
from adamas.lab.page.looks import LOOKS
from adamas.lab.page.plotting import log_axis, name_lines
from adamas.lab.page.svg import Labels, Picture, drawn
from adamas.lab.report import pictures
from adamas.lab.report.numbers import minus
from adamas.lab.report.result import result_table
from adamas.lab.report.subject import Subject
from adamas.lab.report.verdict import others
from adamas.lab.text import Say
from adamas.lab.zoo import rare_words
from adamas.pages.elements import beside, paragraph, section


def chapter(about: Subject, found: RareSteps) -> str:
    """Rare features: SGD fails, and the effective step says why."""
    say, plan = about.say, about.plan
    documents = plan["steps"] * plan["batch"]
    intro = say(
        "rare_text",
        common=rare_words.COMMON,
        words=rare_words.WORDS,
        least=float(rare_words.frequencies().min()) * documents,
        found=found,
        plan=plan,
    )
    moved = 100 * (1 - (1 - 2 * found["sgd"] / plan["batch"]) ** 10)
    slope = minus(f"{found['slope']:.2f}")
    notes = [say("fig_mean_note"), say("fig_words_note", noise=rare_words.NOISE**2)]
    curves = replace(pictures.loss_chart(about), key="words")
    return section(
        "rare",
        say("rare_title"),
        beside(
            paragraph(intro)
            + paragraph(others(about, REFERENCE))
            + paragraph(say("rare_result", found=found, moved=moved, slope=slope)),
            drawn(curves, say("fig_words"), say("sentence_gap").join(notes))
            + drawn(scatter(found, say), say("fig_rare_steps"), say("fig_rare_steps_note")),
        ),
        result_table(about),
    )


def scatter(found: RareSteps, say: Say) -> Picture:
    """Effective step of every word against how often the word is seen."""

    def paint(axes: Axes, labels: Labels) -> None:
        log_axis(axes, "x")
        log_axis(axes, "y")
        sgd = LOOKS["sgd"]
        names = [(sgd.name, found["sgd"], sgd.colour)]
        for look, values in ((LOOKS["adagrad"], found["adagrad"]), (LOOKS["adam"], found["adam"])):
            style: dict[str, Any] = {"color": look.colour, "markersize": 2.6, "alpha": 0.8}
            axes.plot(found["frequency"], values, look.marker, **style)
            names.append((look.name, values[0], look.colour))
        axes.axhline(found["sgd"], color=sgd.colour, dashes=sgd.dashes)
        axes.set(xlabel=labels(say("chart_frequency")), ylabel=labels(say("chart_effective")))
        name_lines(axes, names)

    return Picture("rare-steps", paint)
