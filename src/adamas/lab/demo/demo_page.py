"""The whole page: one HTML file that opens from disk, without a network and without JavaScript."""

import html
from math import isfinite

from adamas.lab.demo import (
    advice,
    digits_chapter,
    race_chapter,
    rare_chapter,
    rates_chapter,
    tutorial_chapters,
    tutorial_pictures,
)
from adamas.lab.demo.demo_results import DemoResults
from adamas.lab.demo.tutorial import LOG_EVERY
from adamas.lab.page.looks import LOOKS
from adamas.lab.page.plotting import power_of_ten
from adamas.lab.page.svg import drawn
from adamas.lab.report.subject import Subject, subject
from adamas.lab.text import Say
from adamas.pages.document import document
from adamas.pages.elements import beside, bullets, markup, section

CHAPTERS = ("formula", "tutorial", "why", "inside", "race", "rare", "range", "digits", "method")
PAGE_NAME = "demo.html"
JSON_NAME = "demo.json"


def render(results: DemoResults, say: Say, twin: str | None = None) -> str:
    """Return the page in the language of `say`, from the numbers that `collect` returned.

    `twin` is the file that says the same in the other language.
    """
    tutorial = results["tutorial"]
    contests = {name: subject(tree, None, say) for name, tree in results["contests"].items()}
    body = "\n".join(
        [
            tutorial_chapters.formula(say),
            tutorial_chapters.tutorial(tutorial, say),
            tutorial_chapters.why(tutorial, say),
            tutorial_chapters.step_sizes(tutorial, say),
            race_chapter.chapter(results["race"], contests["mlp"].seeds, say),
            rare_chapter.chapter(contests["words"], results["rare"]),
            rates_chapter.chapter(contests, results["ranges"], results["race"], say),
            digits_chapter.chapter({name: contests[name] for name in ("softmax", "mlp")}),
            method(results, contests, say),
        ]
    )
    lead = f'<p class="lead">{markup(say("lead"))}</p>'
    first = opening(results, contests, say)
    parts = [(key, say(f"{key}_title")) for key in CHAPTERS]
    return document(say("title"), [lead, first], parts, body, say, twin)


def opening(results: DemoResults, contests: dict[str, Subject], say: Say) -> str:
    """What the first screen shows: the answers, and the tutorial's run beside one that arrives."""
    found = results["tutorial"]
    share, epochs = 100 * found["w"] / found["best"]["w"], found["epochs"]
    note = say("fig_opening_note", every=LOG_EVERY, share=share, epochs=epochs)
    way = drawn(tutorial_pictures.fan(found, say), say("fig_opening"), note)
    losses = drawn(tutorial_pictures.loss(found, say), say("fig_loss"), say("fig_loss_note"))
    return beside(way, summary(results, contests, say), losses, kind="opening")


def summary(results: DemoResults, contests: dict[str, Subject], say: Say) -> str:
    """The answers first, one sentence for each chapter that has one."""
    tutorial, race = results["tutorial"], results["race"]
    largest = power_of_ten(rounded_up(tutorial["largest_difference"]))
    items = [
        say("summary_tutorial", run=tutorial, difference=largest),
        say("summary_why", run=tutorial),
    ]
    order, entrants = race["order"], race["entrants"]
    if "adam" in order:
        name = say("long_gd") if order[0] == "gd" else LOOKS[order[0]].name
        found = {"winner": entrants[order[0]], "adam": entrants["adam"]}
        items.append(say("summary_race", name=name, **found))
    sgd, adam = (contests["words"].mean(name) for name in ("sgd", "adam"))
    if isfinite(sgd) and isfinite(adam):
        items.append(say("summary_rare", ratio=sgd / adam))
    real = {name: contests[name] for name in ("softmax", "mlp")}
    items += [advice.digits(real, say), advice.begin(contests, say)]
    return f"<h2>{html.escape(say('summary_title'))}</h2>\n" + bullets(items, "summary")


def rounded_up(value: float) -> float:
    """Return the next power of ten, for "differs by no more than".

    >>> rounded_up(1.1368e-13)
    1e-12
    """
    power = 1e-16
    while power < value:
        power *= 10
    return float(f"{power:.0e}")


def method(results: DemoResults, contests: dict[str, Subject], say: Say) -> str:
    """What was done, with which versions, and how to do it again."""
    plan = contests["mlp"].plan
    searched = [
        (problem, name, row["at_edge"])
        for problem, about in contests.items()
        for name, row in about.rows.items()
    ]
    line = results["race"]["entrants"]
    searched += [("line", name, row["at_edge"]) for name, row in line.items()]
    edge = [
        f"{LOOKS[name].name} ({say(f'problem_{problem}')})"
        for problem, name, at_edge in searched
        if at_edge
    ]
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    items = [
        say("method_budget", rates=len(plan["grids"]["adam"])),
        say("method_edge", edge=say.names(edge)),
        say("method_seeds"),
        say("method_numpy"),
        say("method_versions", versions=versions),
        say("method_file", file=JSON_NAME),
        say("method_again", language=say.language, seeds=len(plan["report"])),
    ]
    return section("method", say("method_title"), beside(bullets(items[:3]), bullets(items[3:])))
