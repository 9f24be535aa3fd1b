"""A declared plan is a promise: once a run was seen under it, it stays, and another is refused."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adamas.lab.needs import LabError
from adamas.lab.protocol.store import kept_runs
from adamas.lab.text import words
from adamas.pages.sentences import CODES, Both

PLAN, RESULTS, SUITE = "plan.json", "results.json", "suite.json"
SHOWN = 4
LONGEST = 40
# The parts of a plan that are named; others follow from them.
PARTS = (
    "identity",
    "problem",
    "problems",
    "optimizers",
    "formulas",
    "references",
    "mode",
    "budget",
    "tuning",
    "refine",
    "report",
    "looks",
    "seeds",
    "grids",
    "search",
    "defaults",
    "margin",
    "goal",
    "hypothesis",
    "steps",
    "every",
    "batch",
    "share",
    "version",
    "protocol",
)
Tree = dict[str, Any]


def declared(directory: Path) -> Tree | None:
    """Return what a directory's plan file holds, None without one; `LabError` for anything else."""
    path = directory / PLAN
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and isinstance(found["plan"], dict):
            return found
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, RecursionError):
        pass
    raise LabError("error.not_plan", path=path, directory=directory)


def differences(old: Tree, new: Tree) -> list[Both]:
    """Return what differs between two plans as they are in JSON, each with both values.

    >>> differences({"margin": 0.02, "mode": "quick"}, {"margin": 0.5, "mode": "quick"})[0]["en"]
    'the margin (0.02 there, 0.5 here)'
    """
    new = json.loads(json.dumps(new))
    found = list[Both]()
    for part in PARTS:
        ours, theirs = old.get(part), new.get(part)
        if isinstance(ours, dict) and isinstance(theirs, dict) and part != "search":
            # Optimizers that only one plan has differ in the list of optimizers already; what was
            # said of a problem in one plan only differs by that.
            keys = [key for key in {**ours, **theirs}
                    if part == "identity" or (key in ours and key in theirs)]  # fmt: skip
            pairs = {f" {key}": (ours.get(key), theirs.get(key)) for key in keys}
        else:
            pairs = {"": (ours, theirs)}
        found += [
            words(
                "promise.changed",
                part=words(f"plan.{part}"),
                which=key,
                there=said(one),
                here=said(other),
            )
            for key, (one, other) in pairs.items()
            if one != other
        ]
    return found


def said(value: Any) -> str | Both:
    """Return a value, short enough for a sentence; of seeds and rates the ends.

    Of a search it is what was asked for, without what follows from that.
    """
    if value is None:
        return words("promise.not_given")
    if isinstance(value, dict):
        return said(list(value.get("asked", value)))
    if isinstance(value, list) and all(isinstance(item, int | float) for item in value):
        if not value:
            return words("promise.none")
        key = "promise.several" if len(value) > 1 else "promise.alone"
        return words(key, count=len(value), low=min(value), high=max(value))
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def keep(directory: Path, old: Tree, new: Tree, seen: Callable[[], bool]) -> bool:
    """Return whether the plan `old` of a directory is `new`; False if it is not and was not run.

    Raises `LabError` that names what differs when runs have been `seen` under the old one: to look
    at the results and then to move the goal would be no comparison.
    """
    changed = differences(old, new)
    if not changed:
        return True
    if not seen():
        return False
    what = words("promise.declares")
    raise refusal(directory / PLAN, what, changed)


def any_run(directory: Path, plan: Tree) -> bool:
    """Return whether a run was made under the plan of a directory, or a result is there.

    The runs of a comparison are in the directory itself, those of a suite in one for each of the
    problems that it declared.
    """
    problems = plan.get("problems")
    names = map(str, problems) if isinstance(problems, list) else ()
    ended = any((directory / name).exists() for name in (RESULTS, SUITE))
    return ended or any(kept_runs(directory / name) for name in (".", *names))


@contextmanager
def tried(directory: Path, seen: Callable[[], bool]) -> Iterator[None]:
    """Take the plan of a directory back if what is done inside fails before a run was `seen`."""
    try:
        yield
    except BaseException:
        if not seen():
            (directory / PLAN).unlink(missing_ok=True)
        raise


def answers(directory: Path, name: str, question: Tree) -> None:
    """Refuse a directory whose file `name` answers another question than this one."""
    try:
        old = json.loads((directory / name).read_text(encoding="utf-8")).get("question") or {}
        changed = differences(old, question)
    except FileNotFoundError:
        return
    except (OSError, ValueError, AttributeError, RecursionError):
        changed = [words("promise.unreadable")]
    if changed:
        raise refusal(directory / name, words("promise.answers"), changed)


def refusal(path: Path, what: Both, changed: list[Both]) -> LabError:
    """Return the error that a file stays, which is `what` and differs in `changed`."""
    more = len(changed) - SHOWN
    last = [words("promise.more", count=more)] if more > 0 else []
    told, between = changed[:SHOWN] + last, words("promise.and")
    listed = {code: between[code].join(one[code] for one in told) for code in CODES}
    return LabError("error.other_plan", path=path, what=what, listed=listed, free=free(path.parent))


def free(directory: Path) -> Path:
    """Return the first name like that of `directory` which is not taken."""
    number = 2
    while (found := directory.with_name(f"{directory.name or 'out'}-{number}")).exists():
        number += 1
    return found
