"""The first thing a reader sees: who won, by how much, how sure, and what was expected."""

import html

from adamas.lab.report import baseline_chapter, costs, more_seeds, stopped, worth
from adamas.lab.report.numbers import NONE, learning_rate, measured, percent
from adamas.lab.report.outcomes import failures, overfitted, worse
from adamas.lab.report.subject import METRIC_IS_LOSS, Subject, known, metric_name
from adamas.pages.elements import bullets, markup
from adamas.pages.sentences import literal

VERDICTS = ("better", "worse", "tie", "few", "diverged")


def groups(subject: Subject, reference: str) -> dict[str, list[str]]:
    """Return the other optimizers by the word that the comparison with a reference ended in."""
    found: dict[str, list[str]] = {word: [] for word in VERDICTS}
    for one in subject.compared(reference):
        found[one["word"]].append(one["optimizer"])
    return found


def answer(subject: Subject) -> str:
    """Return the whole comparison in a few sentences.

    Who was better, the difference that it rests on, who overfitted, and which runs failed.
    """
    parts = [*standing(subject), overfitted(subject), failures(subject), worse(subject)]
    return subject.say("sentence_gap").join(filter(None, parts))


def standing(subject: Subject) -> list[str]:
    """Return who was better in a sentence, and the difference that it rests on."""
    say, reference = subject.say, subject.references[0]
    found = groups(subject, reference)
    name = subject.said(reference)
    if not subject.compared(reference):
        return [say("report_alone", name=name)]
    failed = subject.rows[reference]["diverged"]
    telling = next((word for word in ("better", "tie", "few") if found[word]), "worse")
    if failed and telling != "better":
        telling, first = "", say("report_failed", name=name, failed=failed, seeds=subject.seeds)
    elif telling == "worse":
        first = say("report_best", name=name)
    else:
        first = say(f"report_{telling}", names=subject.names(found[telling]), name=name)
    return [first, difference(subject, found.get(telling, [])), more_seeds.sentence(subject)]


def difference(subject: Subject, names: list[str]) -> str:
    """Return the difference to the first reference of the best of `names`, as a sentence."""
    numbers = {
        one["optimizer"]: one["percent"]
        for one in subject.compared(subject.references[0])
        if one["optimizer"] in names and one["percent"]["mean"] is not None
    }
    if not numbers:
        return ""
    name = min(numbers, key=subject.mean)
    found, say = numbers[name], subject.say
    mean, low, high = (percent(end, say) for end in (found["mean"], found["low"], found["high"]))
    return say(
        "report_difference" if low not in (mean, NONE) else "report_difference_exact",
        name=subject.said(name),
        reference=subject.said(subject.references[0]),
        mean=mean,
        low=low,
        high=high,
        seeds=subject.seeds,
    )


def opening(subject: Subject) -> list[str]:
    """Return what stands above the contents: the kind of data, the answer, and its limits."""
    say, label = subject.say, subject.problem["label"]
    badge = f'<span class="badge {label}">{html.escape(say(f"label_{label}"))}</span>'
    head = html.escape(say("report_kicker", seeds=subject.seeds, names=len(subject.looks)))
    items = [item(subject) for item in ITEMS]
    return [
        f'<p class="kicker">{head} {badge}</p>',
        f'<p class="answer">{markup(answer(subject))}</p>',
        bullets([item for item in items if item], "summary"),
    ]


def others(subject: Subject, reference: str) -> str:
    """Return everybody's standing beside one reference."""
    say, found = subject.say, groups(subject, reference)
    parts = [
        say(f"group_{word}", names=subject.names(names)) for word, names in found.items() if names
    ]
    if not parts:
        return ""
    return say("report_beside", name=subject.said(reference), groups=say("group_gap").join(parts))


def practice(subject: Subject) -> str:
    """Say what to begin with where nobody is told apart: as it comes, or what of it to tune.

    The least that brings the first reference to where all end: nothing, its learning rate, or, of a
    search over more than the rate, that too.
    """
    say, reference = subject.say, subject.references[0]
    found, row = groups(subject, reference), subject.rows[reference]
    losses = [subject.mean(name) for name in subject.looks]
    told_apart = found["better"] or found["worse"] or found["diverged"]
    if told_apart or len(known(losses)) < max(len(losses), 2):
        return ""
    untuned = row["default"]["interval"]["mean"]
    alone = row["worth"]["alone"]["interval"]["mean"] if "worth" in row else subject.mean(reference)
    short = [mean is None or mean > max(losses) for mean in (untuned, alone)]
    least = "" if not short[0] else "_rest" if short[1] else "_tune"
    return say(
        f"report_practice{least}",
        ends=say("report_both" if len(losses) == 2 else "report_all", count=len(losses)),
        name=subject.said(reference),
        least=measured(min(losses)),
        most=measured(max(losses)),
        default=learning_rate(row["default"]["lr"]),
        untuned=say("word_diverged") if untuned is None else measured(untuned),
        alone=say("word_diverged") if alone is None else measured(alone),
        searched=say.names(worth.searched(subject)),
    )


def quality(subject: Subject) -> str:
    """Say who reached the quality that is sensible for the problem, and where it comes from."""
    goal, say = subject.problem["quality"], subject.say
    if goal is None:
        return ""
    metric, value = goal["metric"], goal["value"]
    higher = metric in subject.problem["higher"]
    reached: list[str] = []
    missed: list[str] = []
    for name, row in subject.rows.items():
        found = row["interval"] if metric == METRIC_IS_LOSS else row["extras"].get(metric)
        mean = found["mean"] if found else None
        good = mean is not None and (mean >= value if higher else mean <= value)
        (reached if good else missed).append(name)
    basis = subject.words(goal["basis"])
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


def edges(subject: Subject) -> str:
    """Name everybody whose best learning rate was the last that was tried."""
    names = [name for name, row in subject.rows.items() if row["at_edge"]]
    return subject.say("report_edge", names=subject.names(names)) if names else ""


def hypothesis(subject: Subject) -> str:
    """Return what was expected before the first run."""
    text = subject.plan["hypothesis"]
    return subject.say("report_hypothesis", text=literal(text)) if text else ""


# What stands below the answer, a sentence or two each, or nothing where there is nothing to say.
ITEMS = (
    costs.gradients,
    costs.batches,
    baseline_chapter.sentence,
    more_seeds.going_on,
    more_seeds.looked,
    practice,
    quality,
    stopped.sentence,
    edges,
    hypothesis,
)
