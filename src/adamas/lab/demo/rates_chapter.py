"""Claim two: a wide range of learning rates works, measured by two readings on three problems.

Which optimizer has the widest range depends on the numbers, and the page says which.
"""

from dataclasses import replace
from math import log10
from typing import Literal

from adamas.lab.demo.contest import Ranges
from adamas.lab.page.svg import drawn
from adamas.lab.report import pictures
from adamas.lab.report.subject import Subject
from adamas.lab.report.training import width
from adamas.lab.text import Say
from adamas.pages.elements import figures, paragraph, section, small, table

READINGS: tuple[Literal["own"], Literal["bar"]] = ("own", "bar")
Found = dict[str, dict[str, Ranges]]


def chapter(contests: dict[str, Subject], found: Found, say: Say) -> str:
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
    own, bar = ([widest(one, which) for one in found.values()] for which in READINGS)
    result = say(
        "range_result",
        own_wins=own.count("adam"),
        bar_wins=bar.count("adam"),
        own=about.names(own),
        bar=about.names(bar),
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
        paragraph(text),
        table(say("range_caption"), head, rows),
        small(say("range_open")) if "≥" in str(rows) else "",
        paragraph(result),
        figures(*plots),
    )


def widest(found: dict[str, Ranges], which: Literal["own", "bar"]) -> str:
    """Return the optimizer whose range of learning rates is the widest."""
    return max(found, key=lambda name: float(found[name][which]["decades"]))


def spread(contests: dict[str, Subject], optimizer: str) -> float:
    """Return by how many decades the best learning rate differs between the problems."""
    lrs = [about.rows[optimizer]["lr"] for about in contests.values()]
    return log10(max(lrs) / min(lrs))
