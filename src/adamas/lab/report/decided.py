"""What was decided before the first run."""

import html
from math import ceil
from typing import Any

from adamas.lab.course import SCHEDULES
from adamas.lab.report.numbers import NONE, measured, seed_range, share, whole
from adamas.lab.report.subject import Subject
from adamas.lab.tuning import NEAR_BEST
from adamas.pages.elements import facts, fold, paragraph


def chapter(subject: Subject) -> str:
    """Return the plan, and where it ran."""
    say = subject.say
    return fold("plan", say("plan_title"), paragraph(say("plan_text")), facts(decided(subject)))


def decided(subject: Subject) -> list[tuple[str, str]]:
    """Return what was declared before the first run, and where it ran."""
    say, declared, machine = subject.say, subject.plan, subject.results["machine"]
    runs = sum(row["runs"] for row in subject.rows.values())
    looks = declared.get("looks")
    searches = ceil(len(declared["report"]) / looks[0]) if looks else 1
    rates = max(map(len, declared["grids"].values()))
    pairs = [
        ("plan_model", html.escape(subject.words(subject.problem["model"]))),
        ("plan_loss", html.escape(subject.words(subject.problem["loss"]))),
        ("plan_parameters", whole(subject.problem["parameters"])),
        ("plan_budget", say("plan_steps", steps=whole(declared["steps"]),
                            batch=whole(declared["batch"]))),
        ("plan_search", say("plan_rates", rates=whole(rates),
                            share=share(declared["share"], say),
                            tuning=len(declared["tuning"]) // searches,
                            refine=len(declared["refine"]) // searches,
                            near=share(NEAR_BEST, say))),
        ("plan_wider", wider(subject)),
        ("plan_seeds", say("plan_ranges", tuning=seed_range(declared["tuning"]),
                            refine=seed_range(declared["refine"]),
                            report=seed_range(declared["report"]))),
        ("plan_target", goal_cell(subject)),
        ("plan_runs", say("plan_of", runs=whole(runs), most=whole(declared["most_runs"]))),
        ("plan_mode", mode(subject)),
        ("plan_hash", f"<code>{html.escape(subject.results['hash'])}</code>"),
        ("plan_machine", html.escape(", ".join(described(machine, subject))))
    ]  # fmt: skip
    return [(say(key), value) for key, value in pairs if value]


def wider(subject: Subject) -> str:
    """Return what was searched besides the rate, and where."""
    search, say = subject.plan.get("search"), subject.say
    if search is None:
        return ""
    ranges = {
        f"{one['name']}": say("plan_range", low=f"{one['low']:g}", high=f"{one['high']:g}")
        for dimensions in search["dimensions"].values()
        for one in dimensions
        if one["scale"] != "schedule"
    }
    named = [f"{name} {ends}" for name, ends in ranges.items()]
    named += [", ".join(SCHEDULES)] * ("schedule" in search["asked"])
    count = {"points": whole(search["points"]), "finalists": whole(search["finalists"])}
    return html.escape(say("plan_settings", names=say.names(named), **count))


def mode(subject: Subject) -> str:
    """Return how much was run, in a word."""
    return html.escape(subject.say(f"mode_{subject.plan['mode']}"))


def described(machine: dict[str, Any], subject: Subject) -> list[str]:
    """Return the machine and its versions in short pieces."""
    pieces = [machine["system"], subject.say("plan_cores", cores=machine["cores"])]
    named = [key for key in sorted(machine) if key not in ("system", "cores")]
    return pieces + [f"{key} {machine[key]}" for key in named]


def goal_cell(subject: Subject) -> str:
    """Return the loss that counts as arrived, and who set it."""
    value = subject.results["target"]["value"]
    origin = subject.results["target"]["origin"]
    if value is None:
        return NONE
    key = "plan_target_user" if origin == "user" else "plan_target_classical"
    return subject.say(key, value=measured(value))
