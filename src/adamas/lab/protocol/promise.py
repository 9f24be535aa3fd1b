"""A declared plan is a promise: once a run was seen under it, it stays, and another is refused."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adamas.lab.needs import LabError
from adamas.lab.protocol.store import kept_runs

PLAN, RESULTS, SUITE = "plan.json", "results.json", "suite.json"
SHOWN = 4
LONGEST = 40
# What each part of a plan is called; parts that follow from others are not named here.
NAMES = {
    "identity": "the problem's",
    "problem": "the problem",
    "problems": "the problems",
    "optimizers": "the optimizers",
    "formulas": "the formula of",
    "references": "the reference",
    "mode": "the mode",
    "budget": "the budget in seconds",
    "tuning": "the tuning seeds",
    "refine": "the refining seeds",
    "report": "the report seeds",
    "seeds": "the seeds",
    "grids": "the learning rates of",
    "defaults": "the default rate of",
    "margin": "the margin",
    "goal": "the goal",
    "hypothesis": "the hypothesis",
    "steps": "the steps",
    "every": "the steps between evaluations",
    "batch": "the batch",
    "share": "the share of the steps that tunes",
    "version": "the version of adamas",
    "protocol": "the rules of searching and judging",
}
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
    raise LabError(
        f"{path} cannot be read as a plan of adamas; move {directory} away or choose another --out"
    )


def differences(old: Tree, new: Tree) -> list[str]:
    """Return what differs between two plans as they are in JSON, each with both values.

    >>> differences({"margin": 0.02, "mode": "quick"}, {"margin": 0.5, "mode": "quick"})
    ['the margin (0.02 there, 0.5 here)']
    """
    new = json.loads(json.dumps(new))
    found = []
    for part, name in NAMES.items():
        ours, theirs = old.get(part), new.get(part)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            # Optimizers that only one plan has differ in the list of optimizers already.
            pairs = {f"{name} {key}": (ours[key], theirs[key]) for key in ours if key in theirs}
        else:
            pairs = {name: (ours, theirs)}
        found += [f"{key} ({said(one)} there, {said(other)} here)"
                  for key, (one, other) in pairs.items() if one != other]  # fmt: skip
    return found


def said(value: Any) -> str:
    """Return a value, short enough for a sentence; of seeds and rates the ends."""
    if value is None:
        return "not given"
    if isinstance(value, list) and all(isinstance(item, int | float) for item in value):
        ends = f"{min(value):g} to {max(value):g}" if value else "nothing"
        return f"{len(value)} from {ends}" if len(value) != 1 else f"{value[0]:g} alone"
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
    what = "declares another comparison, of which runs were made"
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
        changed = ["what it holds, which cannot be read"]
    if changed:
        raise refusal(directory / name, "answers another question", changed)


def refusal(path: Path, what: str, changed: list[str]) -> LabError:
    """Return the error that a file stays, which is `what` and differs in `changed`."""
    more = len(changed) - SHOWN
    listed = "; ".join(changed[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
    return LabError(
        f"{path} {what}; it differs in {listed}. It is not overwritten: give another directory, "
        f"such as --out {free(path.parent)}, or move this one away"
    )


def free(directory: Path) -> Path:
    """Return the first name like that of `directory` which is not taken."""
    number = 2
    while (found := directory.with_name(f"{directory.name or 'out'}-{number}")).exists():
        number += 1
    return found
