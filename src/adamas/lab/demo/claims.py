"""The race on the line and the tutorial's two claims, each put to the test.

Which sentence is said depends on the numbers: where Adam is not the fastest, or its range of
learning rates not the widest, the page says so.
"""

from math import log10
from typing import Any

from adamas.lab.demo import comparisons
from adamas.lab.page.elements import figure, figures, paragraph, section, small, swatch, table
from adamas.lab.page.looks import LOOKS
from adamas.lab.page.wording import PROBLEMS, by_verdict, count, rate, with_interval
from adamas.lab.text import Say
from adamas.lab.zoo import rare_words
from adamas.lab.zoo.line import POINTS

Numbers = dict[str, Any]


def race(numbers: Numbers, settings: Numbers, say: Say) -> str:
    """Updates to the least-squares line, at each optimizer's own learning rate."""
    entrants, order = numbers["entrants"], numbers["order"]
    rows = [
        [
            swatch(name, LOOKS[name][0]),
            count(row["steps"], say),
            rate(row["lr"]),
            count(row["samples"], say),
            count(row["touch"], say),
            rate(row["touch_lr"]),
            f"{row['forgiving']:.2f}",
        ]
        for name, row in entrants.items()
    ]
    head = ("optimizer", "updates", "lr", "samples", "touch", "touch_lr", "forgiving")
    rates = len(entrants["adam"]["points"])
    return section(
        "race",
        say("race_title"),
        paragraph(
            say(
                "race_text",
                rates=rates,
                horizon=count(numbers["horizon"], say),
                points=POINTS,
                seeds=len(settings["report"]),
            )
        ),
        table(say("race_caption"), [say(f"race_{key}") for key in head], rows),
        paragraph(race_verdict(entrants, order, say)),
        flattered(entrants, order, say),
        figures(
            figure(
                "race",
                comparisons.race_curves(numbers, say),
                say("fig_race"),
                say("fig_race_note"),
            ),
            figure(
                "race-lr",
                comparisons.sensitivity("race-lr", entrants, say("chart_needed"), say),
                say("fig_race_lr"),
                say("fig_race_lr_note"),
            ),
        ),
    )


def race_verdict(entrants: Numbers, order: list[str], say: Say) -> str:
    """Say whether Adam came first, and if not, who did and why."""
    steps = {name: entrants[name]["steps"] for name in order}
    if "adam" not in steps:
        return say("race_not_arrived")
    if order[0] == "adam":
        return say("race_fastest", adam_steps=steps["adam"])
    return say(
        "race_not_fastest",
        winner=LOOKS[order[0]][0],
        winner_steps=steps[order[0]],
        adam_steps=steps["adam"],
    )


def flattered(entrants: Numbers, order: list[str], say: Say) -> str:
    """Name the optimizer whose first touch promises far more than it keeps, if there is one."""
    name = max(order, key=lambda n: float(entrants[n]["steps"] / max(entrants[n]["touch"], 1)))
    row = entrants[name]
    if row["steps"] < 10 * row["touch"]:
        return ""
    return paragraph(
        say(
            "race_flattered",
            name=LOOKS[name][0],
            touch=row["touch"],
            touch_lr=row["touch_lr"],
            steps=row["steps"],
            lr=row["lr"],
        )
    )


def rare(contest: Numbers, numbers: Numbers, say: Say) -> str:
    """Rare features: SGD fails, and the effective step says why."""
    rows = contest["optimizers"]
    frequency = rare_words.frequencies()
    intro = say(
        "rare_text",
        common=rare_words.COMMON,
        rare=numbers["rare_words"],
        words=rare_words.WORDS,
        least=float(frequency.min()) * contest["steps"] * contest["batch"],
        steps=contest["steps"],
        batch=contest["batch"],
    )
    result = say(
        "rare_result",
        sgd_lr=rows["sgd"]["lr"],
        moved=100 * (1 - (1 - 2 * rows["sgd"]["lr"] / contest["batch"]) ** 10),
        ratio_adam=numbers["ratio"]["adam"],
        ratio_adagrad=numbers["ratio"]["adagrad"],
        slope=numbers["slope"],
    )
    head = [say("race_optimizer"), say("race_lr"), say("digits_loss")]
    cells = [
        [
            swatch(name, LOOKS[name][0]),
            rate(row["lr"]),
            with_interval(row["interval"], say),
            f"{row['extras']['rare']['mean']:.3f}",
            f"{row['extras']['common']['mean']:.3f}",
        ]
        for name, row in rows.items()
    ]
    noise = say("fig_words_note", noise=rare_words.NOISE**2)
    return section(
        "rare",
        say("rare_title"),
        paragraph(intro),
        table(
            say("rare_caption", seeds=len(contest["plan"]["report"])),
            [*head, say("rare_error"), say("rare_common")],
            cells,
        ),
        paragraph(by_verdict(contest, say)),
        paragraph(result),
        figures(
            figure(
                "words", comparisons.loss_curves("words", contest, say), say("fig_words"), noise
            ),
            figure(
                "rare-steps",
                comparisons.rare_steps(numbers, say),
                say("fig_rare_steps"),
                say("fig_rare_steps_note"),
            ),
        ),
    )


def widest(contest: Numbers, which: str) -> str:
    """Return the optimizer whose range of learning rates is the widest."""
    rows: dict[str, Numbers] = contest["optimizers"]
    return max(rows, key=lambda name: float(rows[name][which]["decades"]))


def spread_of_best(results: Numbers, optimizer: str) -> float:
    """Return by how many decades the best learning rate differs between the problems."""
    lrs = [results[problem]["optimizers"][optimizer]["lr"] for problem in PROBLEMS]
    return log10(max(lrs) / min(lrs))


def learning_rates(results: Numbers, say: Say) -> str:
    """How wide the range of learning rates is, by two readings, on three problems."""
    names = list(results["mlp"]["optimizers"])
    rows = []
    for name in names:
        cells = [_two_widths(results[problem]["optimizers"][name]) for problem in PROBLEMS]
        rows.append([swatch(name, LOOKS[name][0]), *cells, f"{spread_of_best(results, name):.2f}"])
    plan = results["mlp"]["plan"]
    text = say(
        "range_text",
        rates=len(plan["grids"]["adam"]),
        low=plan["grids"]["adam"][0],
        high=plan["grids"]["adam"][-1],
        seeds=len(plan["tuning"]),
    )
    own = [widest(results[p], "width") for p in PROBLEMS]
    bar = [widest(results[p], "width_bar") for p in PROBLEMS]
    result = say(
        "range_result",
        own_wins=own.count("adam"),
        bar_wins=bar.count("adam"),
        own=say.names([LOOKS[name][0] for name in own]),
        bar=say.names([LOOKS[name][0] for name in bar]),
        count=len(PROBLEMS),
        adam_spread=spread_of_best(results, "adam"),
        sgd_spread=spread_of_best(results, "sgd"),
    )
    head = [say("race_optimizer"), *(say(f"problem_{p}") for p in PROBLEMS), say("range_spread")]
    pictures = [
        figure(
            f"lr-{problem}",
            comparisons.sensitivity(
                f"lr-{problem}", results[problem]["optimizers"], say("chart_validation"), say
            ),
            say(f"fig_lr_{problem}"),
            say("fig_lr_note"),
        )
        for problem in PROBLEMS
    ]
    return section(
        "range",
        say("range_title"),
        paragraph(text),
        table(say("range_caption"), head, rows),
        small(say("range_open")) if "≥" in str(rows) else "",
        paragraph(result),
        figures(*pictures),
    )


def _two_widths(row: Numbers) -> str:
    return " / ".join(
        ("≥ " if row[which]["open_ended"] else "") + f"{row[which]['decades']:.2f}"
        for which in ("width", "width_bar")
    )
