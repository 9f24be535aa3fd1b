"""The result in a table, and the box of what was decided before the first run."""

import html
from typing import Any

from adamas.lab.page.elements import facts, paragraph, section, small, subheading, table
from adamas.lab.report.numbers import (
    NONE,
    learning_rate,
    measured,
    seed_range,
    share,
    whole,
    with_spread,
)
from adamas.lab.report.subject import Subject, Tree, at, known, listed
from adamas.lab.report.verdict import metric_name
from adamas.lab.statistics.paired import COARSE
from adamas.lab.tuning import NEAR_BEST

MOST_EXTRAS = 3


def chapter(subject: Subject) -> str:
    """Return the table of results, what its words mean, and the plan."""
    say = subject.say
    exact = small(say("report_exact")) if subject.problem.get("random") is False else ""
    return section(
        "result",
        say("result_title"),
        result_table(subject),
        meaning(subject),
        exact,
        subheading(say("plan_title")),
        paragraph(say("plan_text")),
        facts(plan(subject)),
    )


def meaning(subject: Subject) -> str:
    """Return what the words of the verdicts mean, as small print."""
    say, margin = subject.say, at(subject.plan, "margin") or 0
    return small(
        say("report_meaning", margin=share(margin, say), coarse=share(COARSE * margin, say))
    )


def result_table(subject: Subject) -> str:
    """One row for each optimizer: rate, loss, metrics, failures, and a word for each reference."""
    say = subject.say
    extras = sorted({key for row in subject.rows.values() for key in row.get("extras") or {}})
    extras = extras[:MOST_EXTRAS]
    words = {
        reference: {one["optimizer"]: one.get("word") for one in subject.compared(reference)}
        for reference in subject.references
    }
    rows = []
    for name, row in subject.rows.items():
        cells = [subject.swatch(name), learning_rate(row.get("lr")), loss_cell(subject, row)]
        cells += [with_spread(at(row, "extras", key)) for key in extras]
        cells.append(say("digits_of", failed=whole(row.get("diverged")), seeds=subject.seeds))
        cells += [word_cell(subject, name, reference, words[reference]) for reference in words]
        rows.append(cells)
    head = [say("race_optimizer"), say("race_lr"), say("digits_loss")]
    head += [metric_name(subject, key) for key in extras] + [say("digits_diverged")]
    head += [say("result_beside", name=subject.name(reference)) for reference in words]
    return table(say("result_caption", seeds=subject.seeds), head, rows)


def loss_cell(subject: Subject, row: Tree) -> str:
    """Return the mean final loss, or the word for failed runs."""
    shown = with_spread(row.get("interval"))
    return subject.say("word_diverged") if shown == NONE and row.get("diverged") else shown


def word_cell(subject: Subject, name: str, reference: str, words: dict[str, Any]) -> str:
    """Return the verdict as a word with the class that colours it."""
    word = "reference" if name == reference else words.get(name)
    if word is None:
        return NONE
    shown = html.escape(subject.say(f"word_{word}"))
    return f'<span class="verdict {html.escape(word)}">{shown}</span>'


def plan(subject: Subject) -> list[tuple[str, str]]:
    """Return what was declared before the first run, and where it ran."""
    say, declared, machine = subject.say, subject.plan, at(subject.results, "machine") or {}
    runs = sum(known([at(row, "runs") for row in subject.rows.values()]))
    grids = known([len(listed(declared, "grids", name)) or None for name in subject.looks])
    pairs = [
        ("plan_model", html.escape(subject.words(subject.problem.get("model")))),
        ("plan_loss", html.escape(subject.words(subject.problem.get("loss")))),
        ("plan_parameters", whole(subject.problem.get("parameters"))),
        ("plan_budget", say("plan_steps", steps=whole(declared.get("steps")),
                            batch=whole(declared.get("batch")))),
        ("plan_search", say("plan_rates", rates=whole(max(grids, default=None)),
                            share=share(declared.get("share"), say),
                            tuning=len(listed(declared, "tuning")),
                            refine=len(listed(declared, "refine")),
                            near=share(NEAR_BEST, say))),
        ("plan_seeds", say("plan_ranges", **{key: seeds_of(declared, key)
                                             for key in ("tuning", "refine", "report")})),
        ("plan_target", target(subject)),
        ("plan_runs", say("plan_of", runs=whole(runs), most=whole(declared.get("most_runs")))),
        ("plan_mode", mode(subject)),
        ("plan_hash", f"<code>{html.escape(str(at(subject.results, 'hash') or NONE))}</code>"),
        ("plan_machine", html.escape(", ".join(described(machine, subject)) or NONE)),
    ]  # fmt: skip
    return [(say(key), value) for key, value in pairs if value]


def mode(subject: Subject) -> str:
    """Return how much was run, in a word."""
    name = str(subject.plan.get("mode") or NONE)
    return html.escape(subject.say.known(f"mode_{name}") or name)


def described(machine: Tree, subject: Subject) -> list[str]:
    """Return the machine and its versions in short pieces."""
    pieces = [str(machine[key]) for key in ("cpu", "system") if machine.get(key)]
    if machine.get("cores"):
        pieces.append(subject.say("plan_cores", cores=machine["cores"]))
    named = [
        key for key in sorted(machine) if key not in ("cpu", "system", "cores") and machine[key]
    ]
    return pieces + [f"{key} {machine[key]}" for key in named]


def seeds_of(declared: Tree, key: str) -> str:
    """Return the first and last of a set of seeds."""
    seeds = listed(declared, key)
    return seed_range(seeds) if seeds else NONE


def target(subject: Subject) -> str:
    """Return the loss that counts as arrived, and who set it."""
    value = at(subject.results, "target", "value")
    origin = at(subject.results, "target", "origin")
    if value is None:
        return NONE
    key = "plan_target_user" if origin == "user" else "plan_target_classical"
    return subject.say(key, value=measured(value))
