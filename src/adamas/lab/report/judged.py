"""What fresh seeds say: paired differences, the way to the target, and defaults beside tuned."""

from adamas.lab.page.svg import drawn
from adamas.lab.protocol.results_types import OptimizerTree
from adamas.lab.report import more_seeds, pictures
from adamas.lab.report.numbers import (
    NONE,
    learning_rate,
    measured,
    percent_spread,
    probability,
    share,
    times,
    whole,
    with_spread,
)
from adamas.lab.report.result import word_cell
from adamas.lab.report.subject import Subject, rate_alone
from adamas.pages.elements import figures, fold, long, paragraph, small, table


def differences(subject: Subject) -> str:
    """Return a forest plot and a table for each reference."""
    say = subject.say
    shown = [reference for reference in subject.references if subject.compared(reference)]
    if not shown:
        return fold("differences", say("differences_title"), paragraph(say("differences_none")))
    plots = [
        drawn(
            pictures.forest(subject, reference),
            say("fig_forest", name=subject.name(reference)),
            forest_note(subject, reference),
        )
        for reference in shown
    ]
    return fold(
        "differences",
        say("differences_title"),
        paragraph(say("differences_text", seeds=subject.seeds)),
        figures(*plots),
        *(difference_table(subject, reference) for reference in shown),
        small(say("differences_note")),
    )


def forest_note(subject: Subject, reference: str) -> str:
    """Return how a picture of differences is read."""
    name, margin = subject.said(reference), share(subject.plan["margin"], subject.say)
    return subject.say("fig_forest_note", name=name, margin=margin)


def difference_table(subject: Subject, reference: str) -> str:
    """Return every number about the differences to one reference."""
    say = subject.say
    rows = [
        [
            subject.swatch(one["optimizer"]),
            with_spread(one["difference"], "+"),
            percent_spread(one["percent"], say),
            probability(one["p"]),
            probability(one["p_holm"]),
            NONE if one["p_win"] is None else share(round(one["p_win"], 3), say),
            NONE if one["correlation"] is None else measured(one["correlation"], 2),
            word_cell(subject, one["optimizer"], reference, {one["optimizer"]: one["word"]}),
        ]
        for one in subject.compared(reference)
    ]
    head = ["loss", "percent", "p", "holm", "win", "correlation", "word"]
    needed = [one.get("seeds_to_decide") for one in subject.compared(reference)]
    if any(needed):
        head.append("seeds")
        rows = [[*row, more_seeds.cell(one, say)] for row, one in zip(rows, needed, strict=True)]
    return table(
        say("differences_caption", name=subject.name(reference), seeds=subject.seeds),
        [say("race_optimizer"), *(say(f"differences_{key}") for key in head)],
        rows,
    )


def target(subject: Subject) -> str:
    """Return how many updates each optimizer needs to a loss that all are held to."""
    say, value = subject.say, subject.results["target"]["value"]
    if value is None:
        return fold("target", say("target_title"), paragraph(say("target_none")))
    user = subject.results["target"]["origin"] == "user"
    intro = say("target_text_user" if user else "target_text_classical", value=measured(value))
    rows = []
    for name, row in subject.rows.items():
        steps = [whole(step) for step in row["target"]["steps"]]
        reached = say(
            "digits_of", failed=whole(row["target"]["reached"]), seeds=whole(row["target"]["of"])
        )
        median = row["target"]["median"]
        middle = whole(median) if median is not None else say("target_not")
        rows.append([subject.swatch(name), middle, reached, long(say.names(steps))])
    head = [say("race_optimizer"), say("target_median"), say("target_reached"), say("target_steps")]
    every = whole(subject.plan["every"])
    return fold(
        "target",
        say("target_title"),
        paragraph(intro),
        table(say("target_caption"), head, rows),
        small(say("target_note", every=every)),
    )


def defaults(subject: Subject) -> str:
    """Return what tuning brought, and how many tries it takes."""
    say = subject.say
    rows = [default_row(subject, name, row) for name, row in subject.rows.items()]
    head = ("lr", "loss", "tuned_lr", "tuned", "penalty", "diverged")
    return fold(
        "defaults",
        say("defaults_title"),
        paragraph(say("defaults_text")),
        figures(
            drawn(pictures.defaults(subject), say("fig_defaults"), say("fig_defaults_note")),
            drawn(pictures.best_of(subject), say("fig_best_of"), say("fig_best_of_note")),
        ),
        table(
            say("defaults_caption", seeds=subject.seeds),
            [say("race_optimizer"), *(say(f"defaults_{key}") for key in head)],
            rows,
        ),
    )


def default_row(subject: Subject, name: str, row: OptimizerTree) -> list[str]:
    """Return one optimizer's loss at the default and at the tuned rate beside each other."""
    say = subject.say
    lost, tuned = row["default"]["diverged"], rate_alone(row)
    untuned = with_spread(row["default"]["interval"])
    return [
        subject.swatch(name),
        learning_rate(row["default"]["lr"]),
        say("word_diverged") if untuned == NONE and lost else untuned,
        learning_rate(tuned["lr"]),
        with_spread(tuned["interval"]),
        times(row["default"]["penalty"]),
        say("digits_of", failed=whole(lost), seeds=subject.seeds),
    ]
