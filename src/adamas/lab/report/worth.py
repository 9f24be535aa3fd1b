"""What tuning was worth: the incumbent's gain beside the challenger's, and every part of it."""

from adamas.lab.protocol.worth_types import IntervalTree, PartTree, WorthTree
from adamas.lab.report.numbers import (
    NONE,
    learning_rate,
    measured,
    percent,
    percent_spread,
    settings_told,
    whole,
    with_spread,
)
from adamas.lab.report.subject import Subject
from adamas.pages.elements import details, fold, long, paragraph, small, table

STEPS = ("rate", "rest")


def chapter(subject: Subject) -> str:
    """Return what each step of tuning was worth, nothing where the rate alone was searched."""
    found = worths(subject)
    if not found:
        return ""
    say, search = subject.say, subject.plan["search"]
    names = say.names(searched(subject))
    text = say("worth_text", names=names, points=search["points"], finalists=search["finalists"])
    return fold(
        "worth",
        say("worth_title"),
        paragraph(text),
        gains(subject, found),
        *map(paragraph, other_verdict(subject)),
        chosen(subject, found),
        small(edges(subject, found)),
        details(say("worth_parts"), paragraph(say("worth_parts_text")), parts(subject, found)),
        details(say("worth_tried"), tried(subject, found)),
    )


def line(subject: Subject) -> list[str]:
    """Return the gains and whether they changed a verdict as one line for the terminal, if any."""
    say, found = subject.say, worths(subject)
    if not found:
        return []
    shown = [
        say(
            "worth_gain",
            name=subject.name(name),
            **{step: percent(one["gains"][step]["percent"]["mean"], say) for step in STEPS},
        )
        for name, one in found.items()
    ]
    changed = say("worth_line", gains=say("group_gap").join(shown))
    verdict = [told.replace("*", "") for told in other_verdict(subject)]
    return [say("sentence_gap").join([changed, *verdict])]


def worths(subject: Subject) -> dict[str, WorthTree]:
    """Return what is told of each optimizer, the references first."""
    order = sorted(subject.rows, key=lambda name: name not in subject.references)
    rows = {name: subject.rows[name] for name in order}
    return {name: row["worth"] for name, row in rows.items() if "worth" in row}


def searched(subject: Subject) -> list[str]:
    """Return the names of what was searched besides the learning rate."""
    search = subject.plan.get("search")
    return [name for name in search["asked"] if name != "lr"] if search else []


def gains(subject: Subject, found: dict[str, WorthTree]) -> str:
    """Return the losses untuned, with the rate tuned and with all, and what changed in between."""
    say, rows = subject.say, []
    for name, worth in found.items():
        row, change = subject.rows[name], worth["gains"]
        untuned = row["default"]
        cells = [subject.swatch(name), loss(subject, untuned["interval"], untuned["diverged"])]
        cells += [percent_spread(change["rate"]["percent"], say)]
        cells += [loss(subject, worth["alone"]["interval"], worth["alone"]["diverged"])]
        cells += [percent_spread(change["rest"]["percent"], say)]
        cells += [loss(subject, row["interval"], row["diverged"])]
        cells += [percent_spread(change["all"]["percent"], say)]
        rows.append(cells)
    head = ("default", "rate", "alone", "rest", "tuned", "all")
    names = [say("race_optimizer"), *(say(f"worth_{key}") for key in head)]
    return table(say("worth_caption", seeds=subject.seeds), names, rows)


def loss(subject: Subject, found: IntervalTree, failed: int) -> str:
    """Return a mean loss, or the word for failed runs."""
    shown = with_spread(found)
    return subject.say("word_diverged") if shown == NONE and failed else shown


def changes(subject: Subject) -> list[tuple[str, str, str, str]]:
    """Return whose word would have been another with the rate alone: both words, and the pair."""
    alone = {(one["optimizer"], one["reference"]): one["word"]
             for one in subject.results.get("alone", [])}  # fmt: skip
    return [
        (one["optimizer"], one["reference"], alone[key], one["word"])
        for one in subject.results["comparisons"]
        if alone.get(key := (one["optimizer"], one["reference"]), one["word"]) != one["word"]
    ]


def other_verdict(subject: Subject) -> list[str]:
    """Say whether the rate alone would have led to other verdicts; nothing where there is none."""
    say, found = subject.say, changes(subject)
    if not found:
        return [say("worth_same")] if subject.results["comparisons"] else []
    told = [
        say("worth_changed", name=subject.name(name), reference=subject.name(reference),
            alone=say(f"word_{before}"), all=say(f"word_{after}"))
        for name, reference, before, after in found
    ]  # fmt: skip
    return [say("worth_other", changes=say("group_gap").join(told))]


def chosen(subject: Subject, found: dict[str, WorthTree]) -> str:
    """Return the settings that were chosen, and how many judging seeds kept the rate alone."""
    say, rows = subject.say, []
    for name, worth in found.items():
        kept = sum(not settings for settings in worth["drawn"])
        cells = [subject.swatch(name), learning_rate(subject.rows[name]["lr"])]
        cells += [long(settings_told(worth["settings"]) or say("worth_alone_only"))]
        cells += [say("digits_of", failed=whole(kept), seeds=subject.seeds)]
        rows.append(cells)
    head = [say("race_optimizer"), say("race_lr"), say("worth_settings"), say("worth_kept")]
    return table(say("worth_chosen_caption"), head, rows)


def edges(subject: Subject, found: dict[str, WorthTree]) -> str:
    """Say what was chosen at an end of its range, and what a dash means."""
    say = subject.say
    named = [
        say("worth_edge", name=subject.name(name), names=say.names(worth["edges"]))
        for name, worth in found.items()
        if worth["edges"]
    ]
    note = [say("worth_edges", edges=say("group_gap").join(named))] if named else []
    return say("sentence_gap").join([say("worth_note"), *note])


def parts(subject: Subject, found: dict[str, WorthTree]) -> str:
    """Return what putting back one hyper-parameter changed, everything else as it was chosen."""
    say = subject.say
    rows = [
        [subject.swatch(name), *part_cells(subject, part)]
        for name, worth in found.items()
        for part in worth["parts"]
    ]
    head = [say(f"worth_{key}") for key in ("name", "back", "without", "change")]
    return table(
        say("worth_parts_caption", seeds=subject.seeds), [say("race_optimizer"), *head], rows
    )


def part_cells(subject: Subject, part: PartTree) -> list[str]:
    """Return one hyper-parameter put back to its default."""
    default = part["default"]
    return [
        part["name"],
        default if isinstance(default, str) else NONE if default is None else f"{default:g}",
        loss(subject, part["interval"], part["diverged"]),
        percent_spread(part["percent"], subject.say),
    ]


def tried(subject: Subject, found: dict[str, WorthTree]) -> str:
    """Return every setting that was tried, those in full length first."""
    say, rows = subject.say, []
    for name, worth in found.items():
        for one in sorted(worth["candidates"], key=lambda one: one["stage"] == "points"):
            score = say("word_diverged") if one["score"] is None else measured(one["score"])
            cells = [learning_rate(one["lr"]), score, whole(one["runs"])]
            # The longest at the end: the others are seen without scrolling.
            cells += [
                say(f"worth_stage_{one['stage']}"),
                long(settings_told(one["settings"]) or NONE),
            ]
            rows.append([subject.short(name), *cells])
    head = [say("race_optimizer"), say("points_lr"), say("points_score"), say("points_runs")]
    head += [say("points_stage"), say("worth_settings")]
    return table(say("worth_tried_caption"), head, rows)
