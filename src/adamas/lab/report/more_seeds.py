"""What to do about too few seeds: how many would decide, and the command; and what looks showed."""

import shlex
from pathlib import Path

from adamas.lab.protocol.plan import SIZES
from adamas.lab.protocol.results_types import SeedsTree
from adamas.lab.report import again
from adamas.lab.report.numbers import NONE
from adamas.lab.report.subject import Subject
from adamas.lab.statistics.deciding import LIMIT, POWER
from adamas.lab.text import Say
from adamas.pages.sentences import literal

PYTHON = "adamas.lab.compare("


def waiting(subject: Subject) -> dict[str, SeedsTree]:
    """Return who is undecided beside the first reference, with the seeds that would decide."""
    found = {}
    for one in subject.compared(subject.references[0]):
        if one["word"] == "few" and (seeds := one.get("seeds_to_decide")) is not None:
            found[one["optimizer"]] = seeds
    return found


def most(subject: Subject) -> SeedsTree | None:
    """Return the seeds that decide everything beside the first reference, where that is known."""
    found = list(waiting(subject).values())
    if not found:
        return None
    seen, likely = ([one[kind] for one in found] for kind in ("seen", "likely"))
    return {"seen": largest(seen), "likely": largest(likely)}


def largest(numbers: list[int | None]) -> int | None:
    """Return the largest number; None stands for one beyond the limit."""
    known = [number for number in numbers if number is not None]
    return max(known) if len(known) == len(numbers) else None


def sentence(subject: Subject) -> str:
    """Return how many seeds would decide, as a sentence of the answer; nothing where all is."""
    needed = most(subject)
    if needed is None:
        return ""
    names = subject.names(list(waiting(subject)))
    return subject.say(f"more_{kind(needed)}", names=names, limit=LIMIT, seeds=subject.seeds,
                       power=round(100 * POWER), **needed)  # fmt: skip


def cell(seeds: SeedsTree | None, say: Say) -> str:
    """Return how many seeds would decide one comparison, for a table."""
    if seeds is None:
        return NONE
    return say(f"more_cell_{kind(seeds)}", limit=LIMIT, **seeds)


def kind(seeds: SeedsTree) -> str:
    """Return which of the numbers there are."""
    return "many" if seeds["seen"] is None else "some" if seeds["likely"] is None else "few"


def going_on(subject: Subject) -> str:
    """Return the command that would decide, as an item for the page."""
    found = command(subject, Path(directory(subject)))
    return subject.say("more_command", command=literal(found)) if found else ""


def directory(subject: Subject) -> str:
    """Return a name for a directory of its own."""
    stem = "".join(c if c.isalnum() else "-" for c in Path(subject.problem["name"]).stem)
    return f"adamas-decided-{stem or 'own'}"


def command(subject: Subject, out: Path) -> str:
    """Return the command, or the call in Python, that adds seeds until all is decided.

    Nothing where all is decided, or too many seeds would be needed, or a search of more than the
    rate allows no looks. The largest number of seeds is that of the first look at which the largest
    likely spread would do, and larger than that of looks that were made: so all seeds are fresh.
    """
    needed, looks = most(subject), subject.plan.get("looks") or [0]
    if needed is None or needed["seen"] is None or max(looks) >= LIMIT or "search" in subject.plan:
        return ""
    wanted = max(needed["likely"] or LIMIT, looks[-1] + 1)
    last = 2 * SIZES[subject.plan["mode"]].report
    while last < wanted:
        last *= 2
    more = {"until-decided": True, "seeds": min(last, LIMIT)}
    found = again.command(subject, more)
    if PYTHON in found:
        return f"{found.splitlines()[-1][:-1]}, out={str(out)!r})"
    return f"{found} --out {shlex.quote(str(out))}"


def looked(subject: Subject) -> str:
    """Return what the looks showed, as an item for the page; nothing without looks."""
    looks = subject.results.get("looks")
    if not looks:
        return ""
    last, say = looks[-1], subject.say
    open_ = subject.names(last["undecided"])
    return say(
        "more_looked_open" if last["undecided"] else "more_looked",
        made=say.names([str(look["seeds"]) for look in looks]),
        most=len(subject.plan["report"]),
        level=f"{100 * (1 - last['spent']):.4g}",
        names=open_,
    )
