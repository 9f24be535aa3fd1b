"""The first half of the page: the formula, the tutorial, and the inside of a step.

Each function turns numbers from `collect` and sentences from `text` into one chapter. Nothing is
computed here but differences and counts of what is already in the numbers.
"""

import inspect
from typing import Any

from adamas import rules
from adamas.lab.demo import charts
from adamas.lab.demo.tutorial import BETA1, BETA2, LOG_EVERY
from adamas.lab.page.elements import bullets, figure, figures, paragraph, section, source, table
from adamas.lab.page.wording import scientific
from adamas.lab.text import Say
from adamas.lab.zoo.line import POINTS, SLOPE

Numbers = dict[str, Any]


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
        bullets(notes),
    )


def tutorial(numbers: Numbers, say: Say) -> str:
    """The tutorial's losses, ours beside its own."""
    rows = [
        [
            str(row["epoch"]),
            f"{row['adamas']:.4f}",
            f"{row['numpy']:.4f}",
            scientific(abs(row["adamas"] - row["numpy"])),
        ]
        for row in numbers["table"]
    ]
    head = [say(f"tutorial_{key}") for key in ("epoch", "adamas", "numpy", "difference")]
    return section(
        "tutorial",
        say("tutorial_title"),
        paragraph(
            say(
                "tutorial_text",
                slope=SLOPE,
                points=POINTS,
                epochs=numbers["epochs"],
                lr=numbers["lr"],
            )
        ),
        table(say("tutorial_caption", every=LOG_EVERY), head, rows),
        paragraph(
            say(
                "tutorial_end",
                w=numbers["w"],
                w_numpy=numbers["w_numpy"],
                epochs=numbers["epochs"],
                difference=scientific(numbers["largest_difference"], 1),
            )
        ),
    )


def why(numbers: Numbers, say: Say) -> str:
    """Why the tutorial's run stops short, and the run that does not."""
    best, cure = numbers["best"], numbers["converging"]
    last_loss = numbers["table"][-1]["adamas"]
    lr = [f"{numbers['lr']:g}", f"{cure['lr']:g}", "–"]
    weights = [f"{w:.8f}" for w in (numbers["w"], cure["w"], best["w"])]
    losses = [f"{loss:.4f}" for loss in (last_loss, cure["loss"], best["loss"])]
    names = [say(f"why_row_{key}") for key in ("tutorial", "converging", "best")]
    rows = [list(row) for row in zip(names, lr, weights, losses, strict=True)]
    text = say(
        "why_text",
        best=best["w"],
        best_loss=best["loss"],
        last_loss=last_loss,
        largest=numbers["largest_update"],
        epochs=numbers["epochs"],
        lr=numbers["lr"],
        reach=numbers["reach"],
        distance=best["w"],
    )
    after = say(
        "why_cure",
        epochs=numbers["epochs"],
        clr=cure["lr"],
        cw=cure["w"],
        closs=cure["loss"],
        arrival=cure["arrival"],
    )
    return section(
        "why",
        say("why_title"),
        paragraph(text),
        paragraph(after),
        table(say("why_caption"), [say(f"why_{k}") for k in ("run", "lr", "w", "loss")], rows),
        figures(
            figure("fit", charts.fit(numbers, say), say("fig_fit"), say("fig_fit_note")),
            figure("loss", charts.loss(numbers, say), say("fig_loss"), say("fig_loss_note")),
        ),
    )


def inside(numbers: Numbers, say: Say) -> str:
    """Step size, effective step size and bias correction over time."""
    first, peak = numbers["first_step_uncorrected"], numbers["largest_uncorrected"]
    pictures = [
        figure(
            key,
            paint(numbers, say),
            say(f"fig_{key}"),
            say(f"fig_{key}_note", first=first, peak=peak),
        )
        for key, paint in (
            ("update", charts.update),
            ("effective", charts.effective),
            ("correction", charts.correction),
            ("bias", charts.bias),
        )
    ]
    return section("inside", say("inside_title"), paragraph(say("inside_text")), figures(*pictures))
