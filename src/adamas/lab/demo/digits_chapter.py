"""Real data: the digits, and what several seeds allow to say about each optimizer."""

from dataclasses import replace

from adamas.lab.data.uci_digits import IMAGES
from adamas.lab.demo import advice
from adamas.lab.demo.contest import REFERENCE
from adamas.lab.page.svg import drawn
from adamas.lab.report import pictures
from adamas.lab.report.judged import difference_table, forest_note
from adamas.lab.report.numbers import seed_range
from adamas.lab.report.result import meaning, result_table
from adamas.lab.report.subject import Subject
from adamas.lab.report.verdict import others
from adamas.lab.zoo import digits
from adamas.pages.elements import beside, figures, paragraph, section, subheading


def chapter(contests: dict[str, Subject]) -> str:
    """Digits: mean losses, paired differences and verdicts of each model."""
    about = next(iter(contests.values()))
    say, plan = about.say, about.plan
    text = say(
        "digits_text",
        images=IMAGES,
        held=digits.VALIDATION,
        hidden=digits.HIDDEN,
        epochs=plan["steps"] // digits.STEPS_PER_EPOCH,
        batch=digits.BATCH,
        tuning=seed_range(plan["tuning"]),
        report=seed_range(plan["report"]),
    )
    models = [model(name, one) for name, one in contests.items()]
    head = beside(paragraph(text), paragraph(advice.digits(contests, say)))
    return section("digits", say("digits_title"), head, *models, meaning(about))


def model(key: str, about: Subject) -> str:
    """The result of one model in words, tables and pictures."""
    say = about.say
    parts = [
        subheading(say(f"problem_{key}")),
        result_table(about),
        paragraph(others(about, REFERENCE)),
        figures(
            drawn(
                replace(pictures.loss_chart(about), key=f"digits-{key}"),
                say(f"fig_digits_{key}"),
                say("sentence_gap").join([say("fig_mean_note"), say("fig_curves_note")]),
            ),
            drawn(
                replace(pictures.forest(about, REFERENCE), key=f"intervals-{key}"),
                say(f"fig_intervals_{key}"),
                forest_note(about, REFERENCE),
            ),
        ),
        difference_table(about, REFERENCE),
    ]
    return "\n".join(parts)
