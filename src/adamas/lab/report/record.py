"""What it cost and what was run: times of this machine, every final loss, versions and sources."""

import html

from adamas.lab.page.elements import details, facts, paragraph, section, small, subheading, table
from adamas.lab.report.numbers import NONE, learning_rate, measured, whole
from adamas.lab.report.result import described
from adamas.lab.report.subject import Subject, Tree, at, known, listed
from adamas.lab.text import Say


def cost(subject: Subject) -> str:
    """Return the time of a step and the memory of the state, for each optimizer."""
    say, timing = subject.say, subject.timing
    model = timing.get("model_step")
    rows = []
    for name, row in subject.rows.items():
        step = at(timing, "per_step", name)
        total = model + step if None not in (model, step) else None
        share = 100 * step / total if total else None
        state = row.get("state_bytes_per_parameter")
        if state is None:
            state = at(timing, "state_bytes_per_parameter", name)
        rows.append(
            [
                subject.swatch(name),
                microseconds(step),
                NONE if share is None else say("report_percent", value=measured(share, 2)),
                NONE if state is None else f"{state:g}",
                kilobytes(state, subject.problem.get("parameters")),
            ]
        )
    head = [
        say("race_optimizer"),
        *(say(f"cost_{key}") for key in ("step", "share", "state", "total")),
    ]
    machine = ", ".join(described(at(timing, "machine") or {}, subject))
    notes = [say("cost_model", value=microseconds(model)) if model is not None else ""]
    if timing.get("seconds") is not None:
        notes.append(
            say(
                "cost_whole",
                seconds=whole(timing["seconds"]),
                workers=timing.get("workers") or NONE,
            )
        )
    notes.append(say("cost_machine", machine=machine) if machine else "")
    return section(
        "cost",
        say("cost_title"),
        paragraph(say("cost_text" if timing else "cost_none")),
        table(say("cost_caption"), head, rows),
        small(say("sentence_gap").join(filter(None, notes))),
    )


def microseconds(value: float | None) -> str:
    """Return a time in microseconds."""
    return NONE if value is None else f"{measured(value, 3)} µs"


def kilobytes(bytes_each: float | None, parameters: float | None) -> str:
    """Return the memory of the whole state."""
    if bytes_each is None or parameters is None:
        return NONE
    return f"{measured(bytes_each * parameters / 1000, 3)} kB"


def runs(subject: Subject) -> str:
    """Return every judged run, where the data come from, and the versions."""
    say = subject.say
    return section(
        "runs",
        say("runs_title"),
        paragraph(say("runs_text", seeds=subject.seeds)),
        details(say("runs_tuned"), finals(subject, ("finals",), say("runs_tuned_caption"))),
        details(
            say("runs_default"), finals(subject, ("default", "finals"), say("runs_default_caption"))
        ),
        counts(subject),
        subheading(say("sources_title")),
        sources(subject),
        *notes(subject),
        subheading(say("versions_title")),
        facts(versions(subject)),
    )


def finals(subject: Subject, path: tuple[str, ...], caption: str) -> str:
    """Return final losses, a row for each optimizer and a column for each seed."""
    seeds = [str(seed) for seed in listed(subject.plan, "report")]
    rows = []
    for name, row in subject.rows.items():
        values = [
            subject.say("word_diverged") if value is None else measured(value)
            for value in listed(row, *path)
        ]
        values += [NONE] * (len(seeds) - len(values))
        rows.append([subject.swatch(name), *values[: len(seeds)]])
    return table(caption, [subject.say("runs_seed"), *seeds], rows)


def counts(subject: Subject) -> str:
    """Return how many runs every optimizer had, and how many of them failed."""
    say = subject.say
    rows = []
    for name, row in subject.rows.items():
        tuning = [point for point in listed(row, "points") if point]
        rows.append(
            [
                subject.swatch(name),
                whole(row.get("runs")),
                whole(sum(known([point.get("diverged") for point in tuning]))),
                whole(row.get("diverged")),
                whole(at(row, "default", "diverged")),
                learning_rate(row.get("lr")),
            ]
        )
    head = [say(f"counts_{key}") for key in ("runs", "tuning", "report", "default")]
    return table(say("counts_caption"), [say("race_optimizer"), *head, say("race_lr")], rows)


def sources(subject: Subject) -> str:
    """Return licence, citation and checksum of the data."""
    say = subject.say
    rows = [source_row(one, say) for one in listed(subject.problem, "sources") if one]
    if not rows:
        return paragraph(say("sources_none"))
    head = [say(f"sources_{key}") for key in ("data", "package", "licence", "citation", "checksum")]
    return f'<div class="prose">{table(say("sources_caption"), head, rows)}</div>'


def source_row(one: Tree, say: Say) -> list[str]:
    """Return one source; its checksum may break anywhere. What no package ships is the user's."""
    shown = {"package": say("sources_own")} | {key: value for key, value in one.items() if value}
    cells = [
        html.escape(str(shown.get(key) or NONE))
        for key in ("title", "package", "licence", "citation")
    ]
    return [*cells, f"<code>{html.escape(str(one.get('sha256') or NONE))}</code>"]


def notes(subject: Subject) -> list[str]:
    """Return what the problem wants to be known about itself."""
    text = subject.words(subject.problem.get("notes"))
    basis = subject.words(at(subject.problem, "quality", "basis"))
    items = [text, subject.say("runs_basis", basis=basis) if basis else ""]
    return [paragraph(item) for item in items if item]


def versions(subject: Subject) -> list[tuple[str, str]]:
    """Return the machine's entries as they are."""
    machine = at(subject.results, "machine") or {"adamas": at(subject.results, "adamas")}
    return [
        (subject.say.known(f"machine_{key}") or str(key), html.escape(str(value)))
        for key, value in sorted(machine.items())
        if value is not None
    ]
