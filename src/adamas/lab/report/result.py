"""The result in a table, and the box of what was decided before the first run."""

import html
from typing import Any

from adamas.lab.protocol.results_types import OptimizerTree
from adamas.lab.report.numbers import (
    NONE,
    learning_rate,
    measured,
    seed_range,
    share,
    whole,
    with_spread,
)
from adamas.lab.report.subject import Subject
from adamas.lab.report.verdict import metric_name
from adamas.lab.statistics.paired import COARSE
from adamas.lab.tuning import NEAR_BEST
from adamas.pages.elements import facts, paragraph, section, small, subheading, table

MOST_EXTRAS = 3


def chapter(subject: Subject) -> str:
    """Return the table of results, what its words mean, and the plan."""
    say = subject.say
    exact = small(say("report_exact")) if not subject.problem["random"] else ""
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
    say, margin = subject.say, subject.plan["margin"]
    shown = {"margin": share(margin, say), "coarse": share(COARSE * margin, say)}
    return small(say("report_meaning", **shown))


def result_table(subject: Subject) -> str:
    """One row for each optimizer: rate, loss, metrics, failures, and a word for each reference."""
    say = subject.say
    extras = sorted({key for row in subject.rows.values() for key in row["extras"]})[:MOST_EXTRAS]
    words = {
        reference: {one["optimizer"]: one["word"] for one in subject.compared(reference)}
        for reference in subject.references
    }
    rows = []
    for name, row in subject.rows.items():
        cells = [subject.swatch(name), learning_rate(row["lr"]), loss_cell(subject, row)]
        cells += [with_spread(row["extras"].get(key)) for key in extras]
        cells.append(say("digits_of", failed=whole(row["diverged"]), seeds=subject.seeds))
        cells += [word_cell(subject, name, reference, words[reference]) for reference in words]
        rows.append(cells)
    head = [say("race_optimizer"), say("race_lr"), say("digits_loss")]
    head += [metric_name(subject, key) for key in extras] + [say("digits_diverged")]
    head += [say("result_beside", name=subject.name(reference)) for reference in words]
    return table(say("result_caption", seeds=subject.seeds), head, rows)


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


def plan(subject: Subject) -> list[tuple[str, str]]:
    """Return what was declared before the first run, and where it ran."""
    say, declared, machine = subject.say, subject.plan, subject.results["machine"]
    runs = sum(row["runs"] for row in subject.rows.values())
    rates = max(map(len, declared["grids"].values()))
    pairs = [
        ("plan_model", html.escape(subject.words(subject.problem["model"]))),
        ("plan_loss", html.escape(subject.words(subject.problem["loss"]))),
        ("plan_parameters", whole(subject.problem["parameters"])),
        ("plan_budget", say("plan_steps", steps=whole(declared["steps"]),
                            batch=whole(declared["batch"]))),
        ("plan_search", say("plan_rates", rates=whole(rates),
                            share=share(declared["share"], say),
                            tuning=len(declared["tuning"]),
                            refine=len(declared["refine"]),
                            near=share(NEAR_BEST, say))),
        ("plan_seeds", say("plan_ranges", tuning=seed_range(declared["tuning"]),
                            refine=seed_range(declared["refine"]),
                            report=seed_range(declared["report"]))),
        ("plan_target", goal_cell(subject)),
        ("plan_runs", say("plan_of", runs=whole(runs), most=whole(declared["most_runs"]))),
        ("plan_mode", mode(subject)),
        ("plan_hash", f"<code>{html.escape(subject.results['hash'])}</code>"),
        ("plan_machine", html.escape(", ".join(described(machine, subject))))
    ]  # fmt: skip
    return [(say(key), value) for key, value in pairs if value]


def mode(subject: Subject) -> str:
    """Return how much was run, in a word."""
    return html.escape(subject.say(f"mode_{subject.plan['mode']}"))


def described(machine: dict[str, Any], subject: Subject) -> list[str]:
    """Return the machine and its versions in short pieces."""
    pieces = [machine["system"], subject.say("plan_cores", cores=machine["cores"])]
    named = [key for key in sorted(machine) if key not in ("system", "cores")]
    return pieces + [f"{key} {machine[key]}" for key in named]


def goal_cell(subject: Subject) -> str:
    """Return the loss that counts as arrived, and who set it."""
    value = subject.results["target"]["value"]
    origin = subject.results["target"]["origin"]
    if value is None:
        return NONE
    key = "plan_target_user" if origin == "user" else "plan_target_classical"
    return subject.say(key, value=measured(value))
