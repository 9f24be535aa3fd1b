"""The whole page: one HTML file that opens from disk, without a network and without JavaScript."""

import html
from typing import Any

from adamas.lab.demo import chapters, claims, verdicts
from adamas.lab.demo.tutorial import LOG_EVERY
from adamas.lab.page.document import document
from adamas.lab.page.elements import bullets, markup, section
from adamas.lab.page.looks import LOOKS
from adamas.lab.page.plotting import power_of_ten
from adamas.lab.page.wording import PROBLEMS, by_verdict
from adamas.lab.text import Say

Numbers = dict[str, Any]
CHAPTERS = ("formula", "tutorial", "why", "inside", "race", "rare", "range", "digits", "method")
PAGE_NAME = "demo.html"
JSON_NAME = "demo.json"


def render(results: Numbers, say: Say) -> str:
    """Return the page in the language of `say`, from the numbers that `collect` returned."""
    plan = results["mlp"]["plan"]
    body = "\n".join(
        [
            chapters.formula(say),
            chapters.tutorial(results["tutorial"], say),
            chapters.why(results["tutorial"], say),
            chapters.inside(results["tutorial"], say),
            claims.race(results["race"], plan, say),
            claims.rare(results["words"], results["rare"], say),
            claims.learning_rates(results, say),
            verdicts.real_data(results, say),
            method(results, say),
        ]
    )
    lead = f'<p class="lead">{markup(say("lead", every=LOG_EVERY))}</p>'
    parts = [(key, say(f"{key}_title")) for key in CHAPTERS]
    return document(say("title"), [lead, summary(results, say)], parts, body, say)


def summary(results: Numbers, say: Say) -> str:
    """The answers first, one sentence for each chapter that has one."""
    tutorial, race, words = results["tutorial"], results["race"], results["words"]
    rows, best, cure = words["optimizers"], tutorial["best"], tutorial["converging"]
    items = [
        say(
            "summary_tutorial",
            w=tutorial["w"],
            epochs=tutorial["epochs"],
            difference=power_of_ten(rounded_up(tutorial["largest_difference"])),
        ),
        say(
            "summary_why",
            epochs=tutorial["epochs"],
            lr=tutorial["lr"],
            reach=tutorial["reach"],
            distance=best["w"],
            clr=cure["lr"],
            cw=cure["w"],
        ),
    ]
    order = race["order"]
    if "adam" in order:
        steps = {name: race["entrants"][name]["steps"] for name in order}
        items.append(
            say(
                "summary_race",
                winner=say("long_gd") if order[0] == "gd" else LOOKS[order[0]][0],
                winner_steps=steps[order[0]],
                adam_steps=steps["adam"],
            )
        )
    means = [rows[name]["interval"]["mean"] for name in ("sgd", "adam")]
    if None not in means:
        items.append(say("summary_rare", ratio=means[0] / means[1]))
    found = by_verdict(results["mlp"], say)
    seeds = len(results["mlp"]["plan"]["report"])
    items.append(say("summary_digits", seeds=seeds, verdicts=found))
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


def method(results: Numbers, say: Say) -> str:
    """What was done, with which versions, and how to do it again."""
    plan = results["mlp"]["plan"]
    searched = {problem: results[problem]["optimizers"] for problem in PROBLEMS}
    searched["line"] = results["race"]["entrants"]
    edge = [
        f"{LOOKS[name][0]} ({say(f'problem_{problem}')})"
        for problem, rows in searched.items()
        for name, row in rows.items()
        if row["at_edge"]
    ]
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    items = [
        say("method_budget", rates=len(results["mlp"]["plan"]["grids"]["adam"])),
        say("method_edge", edge=say.names(edge)),
        say("method_seeds"),
        say("method_numpy"),
        say("method_versions", versions=versions),
        say("method_file", file=JSON_NAME),
        say("method_again", language=say.language, seeds=len(plan["report"])),
    ]
    return section("method", say("method_title"), bullets(items))
