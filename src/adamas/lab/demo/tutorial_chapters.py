"""The first half of the page: the formula, the tutorial, and the inside of a step.

Nothing is computed here but differences and counts of what is already in the numbers.
"""

import inspect

from adamas import rules
from adamas.lab.demo import tutorial_pictures
from adamas.lab.demo.tutorial import BETA1, BETA2, LOG_EVERY
from adamas.lab.demo.tutorial_check import Checked
from adamas.lab.page.svg import drawn
from adamas.lab.report.numbers import NONE, scientific, whole
from adamas.lab.text import Say
from adamas.lab.zoo.line import POINTS, SLOPE
from adamas.pages.elements import beside, bullets, figures, paragraph, section, source, table


def formula(say: Say) -> str:
    """The rule itself, as its source, and what each line is for."""
    notes = [
        say("formula_m", beta1=BETA1, memory1=1 / (1 - BETA1)),
        say("formula_v", beta2=BETA2, memory2=1 / (1 - BETA2)),
        say("formula_hat"),
        say("formula_step", bound=(1 - BETA1) / (1 - BETA2) ** 0.5),
    ]
    return section(
        "formula",
        say("formula_title"),
        paragraph(say("formula_text")),
        source(inspect.getsource(rules.adam)),
        beside(bullets(notes[:2]), bullets(notes[2:])),
    )


def tutorial(found: Checked, say: Say) -> str:
    """The tutorial's losses, ours beside its own."""
    rows = [
        [
            whole(row["epoch"]),
            f"{row['adamas']:.4f}",
            f"{row['numpy']:.4f}",
            scientific(abs(row["adamas"] - row["numpy"])),
        ]
        for row in found["table"]
    ]
    head = [say(f"tutorial_{key}") for key in ("epoch", "adamas", "numpy", "difference")]
    largest = scientific(found["largest_difference"], 1)
    return section(
        "tutorial",
        say("tutorial_title"),
        beside(
            paragraph(say("tutorial_text", slope=SLOPE, points=POINTS, run=found))
            + paragraph(say("tutorial_end", run=found, difference=largest)),
            table(say("tutorial_caption", every=LOG_EVERY), head, rows),
        ),
    )


def why(found: Checked, say: Say) -> str:
    """Why the tutorial's run stops short, and the run that does not."""
    best, cure = found["best"], found["converging"]
    last_loss = found["table"][-1]["adamas"]
    ends = [
        ("tutorial", f"{found['lr']:g}", found["w"], last_loss),
        ("converging", f"{cure['lr']:g}", cure["w"], cure["loss"]),
        ("best", NONE, best["w"], best["loss"]),
    ]
    rows = [[say(f"why_row_{key}"), lr, f"{w:.8f}", f"{loss:.4f}"] for key, lr, w, loss in ends]
    picture = drawn(tutorial_pictures.fit(found, say), say("fig_fit"), say("fig_fit_note"))
    head = [say(f"why_{key}") for key in ("run", "lr", "w", "loss")]
    text = [
        paragraph(say("why_text", run=found, last_loss=last_loss)),
        paragraph(say("why_cure", run=found)),
        table(say("why_caption"), head, rows),
    ]
    return section("why", say("why_title"), beside("".join(text), picture))


def step_sizes(found: Checked, say: Say) -> str:
    """Step size, effective step size and bias correction over time."""
    pictures = [
        drawn(paint(found, say), say(f"fig_{key}"), say(f"fig_{key}_note", run=found))
        for key, paint in (
            ("update", tutorial_pictures.update),
            ("effective", tutorial_pictures.effective),
            ("correction", tutorial_pictures.correction),
            ("bias", tutorial_pictures.bias),
        )
    ]
    return section("inside", say("inside_title"), paragraph(say("inside_text")), figures(*pictures))
