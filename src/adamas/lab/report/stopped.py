"""The second judgement: every run taken where its validation loss was lowest, not at its end."""

from adamas.lab.protocol.results_types import ComparisonTree
from adamas.lab.report.numbers import whole, with_spread
from adamas.lab.report.result import loss_cell, word_cell
from adamas.lab.report.subject import Subject
from adamas.pages.elements import cards, fold, paragraph, small


def compared(subject: Subject, reference: str) -> list[ComparisonTree]:
    """Return the comparisons of lowest losses with one reference."""
    best = subject.results["best"]
    mean = best["optimizers"][reference]["interval"]["mean"]
    every = best["comparisons"]
    return subject.beside(reference, every, float("inf") if mean is None else mean)


def sentence(subject: Subject) -> str:
    """Say where the lowest losses give another word than the last ones, if they do anywhere."""
    say, reference = subject.say, subject.references[0]
    last = {one["optimizer"]: one["word"] for one in subject.compared(reference)}
    found: dict[str, list[str]] = {}
    for one in compared(subject, reference):
        if one["word"] != last[one["optimizer"]]:
            found.setdefault(one["word"], []).append(one["optimizer"])
    if not found:
        return ""
    parts = [say(f"group_{word}", names=subject.names(names)) for word, names in found.items()]
    name = subject.said(reference)
    return say("best_sentence", name=name, groups=say("group_gap").join(parts))


def chapter(subject: Subject) -> str:
    """Return the lowest losses in a table, with their own verdicts."""
    say, found = subject.say, subject.results["best"]["optimizers"]
    words = {
        reference: {one["optimizer"]: one["word"] for one in compared(subject, reference)}
        for reference in subject.references
    }
    rows = []
    for name, row in subject.rows.items():
        one = found[name]
        cells = [subject.swatch(name)]
        cells += [word_cell(subject, name, reference, words[reference]) for reference in words]
        cells += [with_spread(one["interval"]), whole(one["median_step"]), loss_cell(subject, row)]
        rows.append(cells)
    head = [say("race_optimizer")]
    head += [say("result_beside", name=subject.name(reference)) for reference in words]
    head += [say(f"best_{key}") for key in ("loss", "step", "last")]
    return fold(
        "best",
        say("best_title"),
        paragraph(say("best_text")),
        cards(say("best_caption", seeds=subject.seeds), head, rows),
        small(say("best_note")),
    )
