"""The result in a table, and what its words mean."""

import html

from adamas.lab.protocol.results_types import OptimizerTree
from adamas.lab.report.numbers import NONE, learning_rate, share, with_spread
from adamas.lab.report.outcomes import troubles
from adamas.lab.report.subject import Subject, metric_name
from adamas.lab.statistics.paired import COARSE
from adamas.pages.elements import cards, details, paragraph, section, small

MOST_EXTRAS = 3


def chapter(subject: Subject) -> str:
    """Return the table of results, and what its words mean."""
    say = subject.say
    exact = small(say("report_exact")) if not subject.problem["random"] else ""
    return section(
        "result",
        say("result_title"),
        result_table(subject),
        *split(subject),
        exact,
        details(say("result_words"), meaning(subject)),
    )


def split(subject: Subject) -> list[str]:
    """Return how the rows of a table were split, which its accuracy depends on."""
    said = subject.words(subject.problem["split"])
    return [paragraph(said)] if said else []


def meaning(subject: Subject) -> str:
    """Return what the words of the verdicts mean, as small print."""
    say, margin = subject.say, subject.plan["margin"]
    shown = {"margin": share(margin, say), "coarse": share(COARSE * margin, say)}
    return small(say("report_meaning", **shown))


def result_table(subject: Subject) -> str:
    """One row for each optimizer: a word for each reference, loss, metrics, rate, failures."""
    say = subject.say
    extras = sorted({key for row in subject.rows.values() for key in row["extras"]})[:MOST_EXTRAS]
    words = {
        reference: {one["optimizer"]: one["word"] for one in subject.compared(reference)}
        for reference in subject.references
    }
    trouble = any(troubles(row, say) != say("none") for row in subject.rows.values())
    rows = []
    for name, row in subject.rows.items():
        cells = [subject.swatch(name)]
        cells += [word_cell(subject, name, reference, words[reference]) for reference in words]
        cells += [loss_cell(subject, row)]
        cells += [with_spread(row["extras"].get(key)) for key in extras]
        cells += [learning_rate(row["lr"])]
        cells += [html.escape(troubles(row, say))] if trouble else []
        rows.append(cells)
    head = [say("race_optimizer")]
    head += [say("result_beside", name=subject.name(reference)) for reference in words]
    head += [say("digits_loss"), *(metric_name(subject, key) for key in extras)]
    head += [say("race_lr"), *[say("result_failed")] * trouble]
    caption = say("result_caption", seeds=subject.seeds)
    well = [] if trouble else [say("result_well")]
    return cards(say("sentence_gap").join([caption, *well]), head, rows)


def loss_cell(subject: Subject, row: OptimizerTree) -> str:
    """Return the mean final loss, or the word for failed runs."""
    shown = with_spread(row["interval"])
    return subject.say("word_diverged") if shown == NONE and row["diverged"] else shown


def word_cell(subject: Subject, name: str, reference: str, words: dict[str, str]) -> str:
    """Return the verdict as a word with the class that colours it."""
    word = "reference" if name == reference else words.get(name)
    if word is None:
        return NONE
    return f'<span class="verdict {word}">{html.escape(subject.say(f"word_{word}"))}</span>'
