"""`adamas suite`: many problems, profiles, one robust aggregate with its interval, and tables.

Never one winner by itself: which optimizer is best depends on the problem, and the profile shows on
which share of them each comes how close.
"""

import sys
from collections.abc import Mapping
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from adamas.kernel.build import adamas_version
from adamas.lab.commands import session
from adamas.lab.commands.compare import interrupted
from adamas.lab.commands.progress import Progress
from adamas.lab.commands.session import Request
from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError, UnavailableError
from adamas.lab.problems import Words
from adamas.lab.protocol import promise
from adamas.lab.protocol.first_step import try_out
from adamas.lab.protocol.output import output_directory, write_all
from adamas.lab.protocol.plan import PROTOCOL
from adamas.lab.protocol.results import Tree, plain
from adamas.lab.protocol.results_types import Results
from adamas.lab.protocol.store import held
from adamas.lab.report.compare_page import render
from adamas.lab.report.suite_page import render_suite
from adamas.lab.report.twins import publish, twin_name
from adamas.lab.statistics.profiles import (
    LIMIT,
    TAUS,
    interquartile_mean,
    performance_profile,
    profile_area,
)
from adamas.lab.text import LANGUAGES, Say
from adamas.lab.zoo import built_in


def suite(requests: Mapping[str, Request], out: Path, say: Say) -> int:
    """Compare on the built-in problems that `requests` name, and return the exit code.

    Problems whose data are not installed are left out and named. Raises `LabError` if no problem is
    left, or `out` declares another suite.
    """
    progress = Progress(sys.stdout, 1)
    ready, skipped = {}, {}
    for name, request in requests.items():
        entered = built_in(name)
        try:
            entered.task(1)
            ready[name] = request
            try_out(entered, map(entrant, request.optimizers))
        except UnavailableError as error:
            skipped[name] = error.words
            progress.say(say("suite_skipped", problem=name, reason=error.words[say.language]))
    if not ready:
        why = {code: "; ".join(one[code] for one in skipped.values()) for code in LANGUAGES}
        raise LabError("error.none_ran", why=why)
    with output_directory(out), held(out):
        seen = partial(promise.any_run, out, promise_all(out, requests))
        found = {}
        for name, request in ready.items():
            try:
                with promise.tried(out, seen):
                    one = session.perform(request, progress, say)
            except KeyboardInterrupt:
                return interrupted(request, say)
            found[name] = one.results
            publish(request.out, session.PAGE, say, partial(render, *one), {})
        results = suite_tree(found, skipped)

        def page(words: Say, twin: str) -> str:
            same = words.language == say.language
            report = session.PAGE if same else twin_name(session.PAGE, words.language)
            return render_suite(results, words, twin, report)

        publish(out, "suite.html", say, page, {promise.SUITE: session.pretty(results)})
    progress.finish()
    page_path = (out / "suite.html").resolve()
    progress.say(say("compare_done", seconds=progress.seconds, page=page_path))
    return 0


def promise_all(out: Path, requests: Mapping[str, Request]) -> Tree:
    """Return what a suite declares; refuse if another plan was declared there and has been run.

    So that nobody runs all problems and then shows those that went well.
    """
    first = next(iter(requests.values()))
    entrants = [entrant(name) for name in first.optimizers]
    plan = {
        "problems": list(requests),
        "optimizers": list(first.optimizers),
        "formulas": {who.text: who.fingerprint for who in entrants},
        "mode": first.mode,
        **({"search": dict(first.search)} if first.search else {}),
        "seeds": first.seeds,
        "budget": first.seconds,
        "version": adamas_version(),
        "protocol": PROTOCOL,
    }
    old = promise.declared(out)
    if old is None or not promise.keep(
        out, old["plan"], plan, partial(promise.any_run, out, old["plan"])
    ):
        write_all(out, {promise.PLAN: session.pretty({"plan": plan})})
    return plan


def suite_tree(found: Mapping[str, Results], skipped: Mapping[str, Words]) -> Tree:
    """Return the results of a suite from those of its problems; `skipped` says why some are not in.

    `profiles` are over updates to the target, where a miss is infinite; `aggregate` is the
    interquartile mean over all problems and seeds of the final loss divided by the mean final loss
    of the reference on the problem.
    """
    names = list(next(iter(found.values()))["optimizers"])
    costs = {name: [updates(tree, name) for tree in found.values()] for name in names}
    reference = next(iter(found.values()))["verdict"]["reference"]
    tree: dict[str, Any] = {
        "problems": dict(found),
        "skipped": dict(skipped),
        "optimizers": names,
        "reference": reference,
        "profiles": {"tau": list(TAUS), "limit": LIMIT, "rho": performance_profile(costs)},
        "area": profile_area(costs),
        "aggregate": {
            name: vars(interquartile_mean([shares(one, name, reference) for one in found.values()]))
            for name in names
        },
        "updates": costs,
    }
    result: Tree = plain(tree)
    return result


def updates(tree: Results, name: str) -> float:
    """Return the median updates to the target, infinite for a miss, at least one evaluation."""
    median = tree["optimizers"][name]["target"]["median"]
    return inf if median is None else max(float(median), float(tree["plan"]["every"]))


def shares(tree: Results, name: str, reference: str) -> list[float]:
    """Return every report seed's final loss as a share of the reference's mean; inf if it failed.

    Where the reference itself failed, the best optimizer's mean takes its place. A share of 0 is 1
    for a loss of 0, else infinite.
    """
    means = {key: row["interval"]["mean"] for key, row in tree["optimizers"].items()}
    known = [mean for mean in means.values() if mean is not None]
    own = means[reference]
    base = min(known, default=1.0) if own is None else own
    finals = tree["optimizers"][name]["finals"]
    return [inf if final is None else final / base if base else inf if final else 1.0
            for final in finals]  # fmt: skip
