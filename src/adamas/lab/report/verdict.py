"""The first thing a reader sees: who won, by how much, how sure, and what was decided beforehand."""

import html
from typing import Any

from adamas.lab.elements import bullets, facts, markup, paragraph, section, small, table
from adamas.lab.paired import COARSE
from adamas.lab.report.numbers import (
    NONE,
    learning_rate,
    measured,
    percent,
    whole,
    with_spread,
)
from adamas.lab.report.subject import METRIC_IS_LOSS, Subject, Tree, at, known, listed
from adamas.lab.wording import VERDICTS, seed_range

MOST_EXTRAS = 3


def groups(subject: Subject, reference: str) -> dict[str, list[str]]:
    """Return the other optimizers by the word that the comparison with a reference ended in."""
    found: dict[str, list[str]] = {word: [] for word in VERDICTS}
    for one in subject.compared(reference):
        found.setdefault(str(one.get("word")), []).append(one["optimizer"])
    return found


def answer(subject: Subject) -> str:
    """Return the whole comparison in one sentence, and the difference that it rests on."""
    say, reference = subject.say, subject.references[0]
    found = groups(subject, reference)
    name = subject.name(reference)
    if not subject.compared(reference):
        return say("report_alone", name=name)
    failed = at(subject.rows[reference], "diverged") or 0
    if found["better"]:
        first, telling = say("report_better", names=subject.names(found["better"]), name=name), "better"
    elif failed:
        first, telling = say("report_failed", name=name, failed=failed, seeds=subject.seeds), ""
    elif found["tie"]:
        first, telling = say("report_tie", names=subject.names(found["tie"]), name=name), "tie"
    elif found["few"]:
        first, telling = say("report_few", name=name, names=subject.names(found["few"])), "few"
    else:
        first, telling = say("report_best", name=name), "worse"
    return say("sentence_gap").join(filter(None, [first, difference(subject, found.get(telling, []))]))


def difference(subject: Subject, names: list[str]) -> str:
    """Return the difference to the first reference of the best of `names`, as a sentence."""
    found = {one["optimizer"]: one for one in subject.compared(subject.references[0])}
    numbers = {n: at(found[n], "percent") for n in names if at(found[n], "percent", "mean") is not None}
    if not numbers:
        return ""
    name = min(numbers, key=subject.mean)
    mean, low, high = (percent(numbers[name].get(end), subject.say) for end in ("mean", "low", "high"))
    return subject.say(
        "report_difference" if low not in (mean, NONE) else "report_difference_exact",
        name=subject.name(name),
        reference=subject.name(subject.references[0]),
        mean=mean,
        low=low,
        high=high,
        seeds=subject.seeds,
    )


def opening(subject: Subject) -> list[str]:
    """Return what stands above the contents: the kind of data, the answer, and its limits."""
    say, label = subject.say, str(subject.problem.get("label") or "real")
    badge = f'<span class="badge {label}">{html.escape(say(f"label_{label}"))}</span>'
    head = html.escape(say("report_kicker", seeds=subject.seeds, names=len(subject.looks)))
    items = [
        *(others(subject, reference) for reference in subject.references),
        quality(subject),
        failures(subject),
        edges(subject),
        hypothesis(subject),
    ]
    return [
        f'<p class="kicker">{head} {badge}</p>',
        f'<p class="answer">{markup(answer(subject))}</p>',
        bullets([item for item in items if item], "summary"),
    ]


def others(subject: Subject, reference: str) -> str:
    """Return everybody's standing beside one reference."""
    say, found = subject.say, groups(subject, reference)
    parts = [
        say(f"group_{word}", names=subject.names(names))
        for word, names in found.items()
        if names and word in VERDICTS
    ]
    if not parts:
        return ""
    return say("report_beside", name=subject.name(reference), groups=say("group_gap").join(parts))


def quality(subject: Subject) -> str:
    """Say who reached the quality that is sensible for the problem, and where it comes from."""
    goal, say = at(subject.problem, "quality"), subject.say
    metric, value = at(goal, "metric"), at(goal, "value")
    if metric is None or value is None:
        return ""
    higher = metric in listed(subject.problem, "higher")
    reached, missed = [], []
    for name, row in subject.rows.items():
        path = ("interval",) if metric == METRIC_IS_LOSS else ("extras", metric)
        mean = at(row, *path, "mean")
        good = mean is not None and (mean >= value if higher else mean <= value)
        (reached if good else missed).append(name)
    basis = subject.words(at(goal, "basis"))
    return say("sentence_gap").join(
        [
            say(
                "quality_higher" if higher else "quality_lower",
                metric=metric_name(subject, metric),
                value=measured(value),
            ),
            say("quality_basis", basis=basis) if basis else "",
            say("quality_reached", names=subject.names(reached)),
            say("quality_missed", names=subject.names(missed)) if missed else "",
        ]
    )


def metric_name(subject: Subject, metric: str) -> str:
    """Return what a metric is called, in words if there are any."""
    return subject.say.known(f"metric_{metric}") or metric


def failures(subject: Subject) -> str:
    """Name everybody who diverged on a report seed."""
    say = subject.say
    failed = [
        say("report_runs", name=subject.name(name), failed=row["diverged"], seeds=subject.seeds)
        for name, row in subject.rows.items()
        if row.get("diverged")
    ]
    return say("report_diverged", names=say.names(failed)) if failed else ""


def edges(subject: Subject) -> str:
    """Name everybody whose best learning rate was the last that was tried."""
    names = [name for name, row in subject.rows.items() if row.get("at_edge")]
    return subject.say("report_edge", names=subject.names(names)) if names else ""


def hypothesis(subject: Subject) -> str:
    """Return what was expected before the first run."""
    text = at(subject.plan, "hypothesis")
    # A mark in the user's words is theirs, not ours.
    plain = str(text).replace("`", "'").replace("**", "*") if text else ""
    return subject.say("report_hypothesis", text=plain) if plain else ""


def chapter(subject: Subject) -> str:
    """Return the table of results, what its words mean, and the plan."""
    say, margin = subject.say, 100 * (at(subject.plan, "margin") or 0)
    meaning = say(
        "report_meaning", margin=percent(margin, say, ""), coarse=percent(COARSE * margin, say, "")
    )
    exact = small(say("report_exact")) if subject.problem.get("random") is False else ""
    return section(
        "result",
        say("result_title"),
        result_table(subject),
        small(meaning),
        exact,
        f"<h3>{html.escape(say('plan_title'))}</h3>",
        paragraph(say("plan_text")),
        facts(plan(subject)),
    )


def result_table(subject: Subject) -> str:
    """One row for each optimizer: rate, loss, metrics, failures, and a word for each reference."""
    say = subject.say
    extras = list(dict.fromkeys(key for row in subject.rows.values() for key in row.get("extras") or {}))
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
    return f'<span class="verdict {html.escape(word)}">{html.escape(subject.say(f"word_{word}"))}</span>'


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
                            share=percent(100 * (declared.get("share") or 1), say, ""),
                            tuning=len(listed(declared, "tuning")),
                            refine=len(listed(declared, "refine")))),
        ("plan_seeds", say("plan_ranges", tuning=seeds_of(declared, "tuning"),
                           refine=seeds_of(declared, "refine"), report=seeds_of(declared, "report"))),
        ("plan_target", target(subject)),
        ("plan_runs", say("plan_of", runs=whole(runs), most=whole(declared.get("most_runs")))),
        ("plan_mode", html.escape(str(declared.get("mode") or NONE))),
        ("plan_hash", f"<code>{html.escape(str(at(subject.results, 'hash') or NONE))}</code>"),
        ("plan_machine", html.escape(", ".join(described(machine, subject)) or NONE)),
    ]  # fmt: skip
    return [(say(key), value) for key, value in pairs if value]


def described(machine: Tree, subject: Subject) -> list[str]:
    """Return the machine and its versions in short pieces."""
    pieces = [str(machine[key]) for key in ("cpu", "system") if machine.get(key)]
    if machine.get("cores"):
        pieces.append(subject.say("plan_cores", cores=machine["cores"]))
    named = [key for key in machine if key not in ("cpu", "system", "cores") and machine[key]]
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
