"""What happened inside the step, and what went wrong where a run failed."""

import html

from adamas.lab.doctor import LEAST
from adamas.lab.page.svg import Picture, inline
from adamas.lab.protocol.results_types import FindingTree
from adamas.lab.report import microscope
from adamas.lab.report.numbers import learning_rate, measured, percent, settings_told, whole
from adamas.lab.report.subject import Subject
from adamas.pages.elements import bullets, figure, figures, fold, markup, paragraph, small
from adamas.pages.sentences import literal

# The number of a finding that belongs to a piece of advice.
SUPPORT = {"lower_lr": "lr", "higher_lr": "lr", "clip": "clip_norm", "more_steps": "steps",
           "fewer_steps": "steps"}  # fmt: skip
# What the step of a finding is called.
STEPS = {"diverged": "failed", "rose": "failed", "overfitted": "lowest"}
KINDS = ("raised", "diverged", "rose", "overfitted", "stalled", "short", "slow", "no_rate")


def inside(subject: Subject) -> str:
    """Return the pictures of one re-run of every optimizer that was looked into."""
    say = subject.say
    shown = [(key, picture) for key, picture in pictures(subject) if picture is not None]
    if not shown:
        return fold("inside", say("inside_report_title"), paragraph(say("inside_none")))
    name = subject.name(microscope.focus(subject))
    seed = subject.plan["report"][0]
    items = [
        figure(
            key,
            inline(picture),
            say(f"fig_{key}_title", name=name),
            say(f"fig_{key}_note", name=literal(name)),
        )
        for key, picture in shown
    ]
    return fold(
        "inside",
        say("inside_report_title"),
        paragraph(say("inside_report_text", seed=seed)),
        bullets([say("inside_step"), say("inside_effective"), say("inside_moments")]),
        figures(*items),
    )


def pictures(subject: Subject) -> list[tuple[str, Picture | None]]:
    """Return every picture that there is something for, the most telling first."""
    if not subject.results["inside"]:  # a user's own loop
        return []
    over, part = microscope.over_steps, microscope.part
    if not microscope.watched(subject):
        return []
    lengths = over(
        "steps", subject, lambda run: run["update_in_lr"]["median"],
        lambda run: (run["update_in_lr"]["median"], run["update_in_lr"]["p90"]), one=True
    )  # fmt: skip
    reach = over(
        "reach", subject, lambda run: part(run["effective_step"], "median"),
        lambda run: (part(run["effective_step"], "p10"), part(run["effective_step"], "p90"))
    )  # fmt: skip
    return [
        ("steps", lengths),
        ("reach", reach),
        ("factors", microscope.bias(subject)),
        ("m", over("m", subject, lambda run: run["m_rms"])),
        ("v", over("v", subject, lambda run: run["v_rms"])),
        ("gradient", over("gradient", subject, lambda run: run["grad_norm"])),
        ("ratio", microscope.parameters(subject)),
    ]


def doctor(subject: Subject) -> str:
    """Return what was found about runs that failed, one sentence of facts and one of advice."""
    say = subject.say
    found = [finding(subject, one) for one in subject.results["doctor"]]
    body = (
        '<ul class="findings">\n' + "\n".join(f"<li>{text}</li>" for text in found) + "\n</ul>"
        if found
        else paragraph(say("doctor_none"))
    )
    return fold("doctor", say("doctor_title"), paragraph(say("doctor_text")), body,
                   small(say("doctor_note")))  # fmt: skip


def finding(subject: Subject, one: FindingTree) -> str:
    """Return one finding: which run, what happened, where, and what to try."""
    say, kind = subject.say, one["kind"]
    name = subject.name(one["optimizer"])
    if settings := one.get("settings"):
        name = say("doctor_with", name=name, settings=settings_told(settings))
    run = say("doctor_run", name=name, lr=learning_rate(one["lr"]), seed=one["seed"])
    step = one["step"]
    facts = [say(f"doctor_{kind}", least=LEAST, error=literal(one.get("error", "")))]
    if step is not None and kind != "short":
        facts.append(say(f"doctor_step_{STEPS.get(kind, 'seen')}", step=whole(step)))
    ratio = one["update_to_weight"]
    where = literal(one["parameter"] or "")
    if where and ratio is not None:
        facts.append(say("doctor_ratio", name=where, ratio=size(subject, ratio)))
    elif where:
        facts.append(say("doctor_parameter", name=where))
    distance, reach = one["numbers"].get("distance"), one["numbers"].get("reach")
    if distance is not None and reach is not None:
        facts.append(say("doctor_reach", reach=measured(reach, 3), distance=measured(distance, 3)))
    if kind == "no_rate":
        facts += without_help(subject, one["numbers"])
    advice = [advised(subject, one, word) for word in one["advice"]]
    if advice:
        facts.append(say("doctor_advice", advice=say("doctor_or").join(advice)))
    title = f'<strong class="{html.escape(kind)}">{html.escape(run)}</strong>'
    return f"{title} {markup(say('sentence_gap').join(facts))}"


def without_help(subject: Subject, numbers: dict[str, float | None]) -> list[str]:
    """Return which rates were tried in vain, and why, where that was seen."""
    low, high = (learning_rate(numbers.get(f"{end}_lr")) for end in ("lowest", "highest"))
    tried = subject.say("doctor_tried", rates=whole(numbers.get("rates")), low=low, high=high)
    return [tried, *[subject.say("doctor_uphill")] * bool(numbers.get("uphill"))]


def advised(subject: Subject, one: FindingTree, word: str) -> str:
    """Return a piece of advice, with the number that supports it where there is one."""
    text = subject.say.known(f"advice_{word}") or word
    text = text.replace("{names}", subject.names(one.get("better", [])))
    value = one["numbers"].get(SUPPORT.get(word, ""))
    if value is None:
        return text
    shown = whole(value) if word in ("more_steps", "fewer_steps") else measured(value, 2)
    return subject.say("doctor_about", advice=text, value=shown)


def size(subject: Subject, ratio: float) -> str:
    """Return an update as a share of the weight that it changes."""
    return f"{measured(ratio, 2)}×" if ratio >= 1 else percent(100 * ratio, subject.say, "")
