"""Claim two: a wide range of learning rates works, measured by two readings on three problems.

Which optimizer has the widest range depends on the numbers, and the page says which.
"""

from dataclasses import replace
from math import log10
from typing import Literal

from adamas.lab.demo.contest import Ranges
from adamas.lab.demo.race import Race
from adamas.lab.page.plotting import power_of_ten
from adamas.lab.page.svg import drawn
from adamas.lab.report import pictures
from adamas.lab.report.numbers import learning_rate
from adamas.lab.report.subject import Subject
from adamas.lab.report.training import width
from adamas.lab.text import Say
from adamas.pages.elements import beside, figures, paragraph, section, small, table

READINGS: tuple[Literal["own"], Literal["bar"]] = ("own", "bar")
Found = dict[str, dict[str, Ranges]]
# The learning rates that the tutorial calls usual.
USUAL = 1e-5, 1e-3


def chapter(contests: dict[str, Subject], found: Found, race: Race, say: Say) -> str:
    """How wide the range of learning rates is, by two readings, on three problems."""
    about = contests["mlp"]
    rows = [
        [
            about.swatch(name),
            *(" / ".join(width(found[p][name][which]) for which in READINGS) for p in contests),
            f"{spread(contests, name):.2f}",
        ]
        for name in about.looks
    ]
    grid = about.plan["grids"]["adam"]
    text = say(
        "range_text", rates=len(grid), low=grid[0], high=grid[-1], seeds=len(about.plan["tuning"])
    )
    own, bar = ({p: widest(one, which) for p, one in found.items()} for which in READINGS)
    result = say(
        "range_result",
        own_wins=list(own.values()).count("adam"),
        bar_wins=list(bar.values()).count("adam"),
        own=placed(about, own),
        bar=placed(about, bar),
        count=len(contests),
        adam_spread=spread(contests, "adam"),
        sgd_spread=spread(contests, "sgd"),
    )
    head = [say("race_optimizer"), *(say(f"problem_{p}") for p in contests), say("range_spread")]
    note = say("sentence_gap").join([say("fig_lr_note"), say("fig_rates_note")])
    plots = [
        drawn(replace(pictures.sensitivity(one), key=f"lr-{p}"), say(f"fig_lr_{p}"), note)
        for p, one in contests.items()
    ]
    return section(
        "range",
        say("range_title"),
        beside(paragraph(text) + paragraph(result) + usual(contests, race, say), plots[0]),
        table(say("range_caption"), head, rows),
        small(say("range_open")) if "≥" in str(rows) else "",
        figures(*plots[1:]),
    )


def usual(contests: dict[str, Subject], race: Race, say: Say) -> str:
    """Set the range that the tutorial calls usual beside the best rates of Adam found here."""
    low, high = USUAL
    found = best_rates(contests, "adam")
    inside = [rate for rate in (*found, race["entrants"]["adam"]["lr"]) if low <= rate <= high]
    key = "outside" if not inside else "inside" if len(inside) > len(found) else "partly"
    rates = {"least": min(found), "most": max(found), "line": race["entrants"]["adam"]["lr"]}
    shown = {name: learning_rate(rate) for name, rate in rates.items()}
    usual = {"low": power_of_ten(low), "high": power_of_ten(high)}
    return paragraph(say(f"range_usual_{key}", count=len(contests), **usual, **shown))


def best_rates(contests: dict[str, Subject], optimizer: str) -> list[float]:
    """Return the tuned learning rate of an optimizer on each problem."""
    return [about.rows[optimizer]["lr"] for about in contests.values()]


def placed(about: Subject, names: dict[str, str]) -> str:
    """Return one optimizer for each problem in a phrase, each with its problem."""
    say = about.say
    return say.names(
        [say("on_problem", names=about.name(name), problem=say(f"problem_{problem}"))
         for problem, name in names.items()]
    )  # fmt: skip


def widest(found: dict[str, Ranges], which: Literal["own", "bar"]) -> str:
    """Return the optimizer whose range of learning rates is the widest."""
    return max(found, key=lambda name: float(found[name][which]["decades"]))


def spread(contests: dict[str, Subject], optimizer: str) -> float:
    """Return by how many decades the best learning rate differs between the problems."""
    lrs = best_rates(contests, optimizer)
    return log10(max(lrs) / min(lrs))
