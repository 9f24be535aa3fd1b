"""What it cost and what was run: times of this machine, every final loss, versions and sources."""

import html

from adamas.lab.protocol.results_types import Series
from adamas.lab.report.numbers import NONE, learning_rate, measured, whole
from adamas.lab.report.subject import Subject
from adamas.lab.text import Say
from adamas.pages.elements import details, facts, fold, paragraph, small, subheading, table


def cost(subject: Subject) -> str:
    """Return the time of a step and the memory of the state, for each optimizer."""
    say, timing = subject.say, subject.timing
    if timing is None or not timing["per_step"]:
        told = "cost_none" if timing is None else "cost_loop"
        return fold("cost", say("cost_title"), paragraph(say(told)))
    model, rows = timing["model_step"], []
    for name in subject.rows:
        step, state = timing["per_step"][name], timing["state_bytes_per_parameter"][name]
        times = [NONE, NONE]
        if step is not None:
            part = measured(100 * step / (model + step), 2)
            times = [microseconds(step), say("report_percent", value=part)]
        sizes = [NONE, NONE]
        if state is not None:
            whole_state = measured(state * subject.problem["parameters"] / 1000, 3)
            sizes = [measured(state, 3) if state % 1 else whole(state), f"{whole_state} kB"]
        rows.append([subject.swatch(name), *times, *sizes])
    names = [say(f"cost_{key}") for key in ("step", "share", "state", "total")]
    head = [say("race_optimizer"), *names]
    taken = say("cost_whole", seconds=whole(timing["seconds"]), workers=timing["workers"])
    return fold(
        "cost",
        say("cost_title"),
        paragraph(say("cost_text")),
        table(say("cost_caption"), head, rows),
        small(say("sentence_gap").join([say("cost_model", value=microseconds(model)), taken])),
    )


def microseconds(value: float) -> str:
    """Return a time in microseconds."""
    return f"{measured(value, 3)} µs"


def runs(subject: Subject) -> str:
    """Return every judged run, where the data come from, and the versions."""
    say = subject.say
    tuned = {name: row["finals"] for name, row in subject.rows.items()}
    untuned = {name: row["default"]["finals"] for name, row in subject.rows.items()}
    return fold(
        "runs",
        say("runs_title"),
        paragraph(say("runs_text", seeds=subject.seeds)),
        details(say("runs_tuned"), finals(subject, tuned, say("runs_tuned_caption"))),
        details(say("runs_default"), finals(subject, untuned, say("runs_default_caption"))),
        counts(subject),
        subheading(say("sources_title")),
        sources(subject),
        *notes(subject),
        subheading(say("versions_title")),
        facts(versions(subject)),
    )


def finals(subject: Subject, found: dict[str, Series], caption: str) -> str:
    """Return final losses, a row for each optimizer and a column for each seed."""
    rows = [
        [
            subject.swatch(name),
            *(subject.say("word_diverged") if v is None else measured(v) for v in values),
        ]
        for name, values in found.items()
    ]
    return table(caption, [subject.say("runs_seed"), *map(str, subject.judging)], rows)


def counts(subject: Subject) -> str:
    """Return how many runs every optimizer had, and how many of them failed."""
    say = subject.say
    rows = []
    for name, row in subject.rows.items():
        more = row["worth"]["candidates"] if "worth" in row else []
        tuning = sum(point["diverged"] for point in row["points"])
        tuning += sum(one["diverged"] for one in more)
        found = (row["runs"], tuning, row["diverged"], row["default"]["diverged"])
        rows.append([subject.swatch(name), *map(whole, found), learning_rate(row["lr"])])
    head = [say(f"counts_{key}") for key in ("runs", "tuning", "report", "default")]
    return table(say("counts_caption"), [say("race_optimizer"), *head, say("race_lr")], rows)


def sources(subject: Subject) -> str:
    """Return licence, citation and checksum of the data."""
    say = subject.say
    rows = [source_row(one, say) for one in subject.problem["sources"]]
    if not rows:
        return paragraph(say("sources_none"))
    head = [say(f"sources_{key}") for key in ("data", "package", "licence", "citation", "checksum")]
    return f'<div class="prose">{table(say("sources_caption"), head, rows)}</div>'


def source_row(one: dict[str, str], say: Say) -> list[str]:
    """Return one source; its checksum may break anywhere. What no package ships is the user's."""
    shown = {"package": say("sources_own")} | {key: value for key, value in one.items() if value}
    cells = [
        html.escape(str(shown.get(key) or NONE))
        for key in ("title", "package", "licence", "citation")
    ]
    return [*cells, f"<code>{html.escape(str(one.get('sha256') or NONE))}</code>"]


def notes(subject: Subject) -> list[str]:
    """Return what the problem wants to be known about itself; a table's has its own chapter."""
    text = "" if subject.problem["columns"] else subject.words(subject.problem["notes"])
    quality = subject.problem["quality"]
    basis = subject.words(quality["basis"]) if quality else ""
    items = [text, subject.say("runs_basis", basis=basis) if basis else ""]
    return [paragraph(item) for item in items if item]


def versions(subject: Subject) -> list[tuple[str, str]]:
    """Return the machine's entries as they are."""
    machine = subject.results["machine"]
    return [
        (subject.say.known(f"machine_{key}") or str(key), html.escape(str(value)))
        for key, value in sorted(machine.items())
        if value is not None
    ]
